"""The ORM classes, one module per concept. Schema changes go through `migrations`."""

from dam.tables.base import Base, new_id, now_us
from dam.tables.findings import (
    ShotRow,
    SpaceRow,
    SpaceState,
    TagDecision,
    TagRow,
    TagSource,
    TextRow,
    VectorRow,
    VectorTombstone,
    Verdict,
)
from dam.tables.library import (
    Asset,
    Edit,
    File,
    FileState,
    Library,
    LibraryState,
    Revision,
    Stack,
    Undo,
)
from dam.tables.work import Preference, ProducerRow, Run, RunState

__all__ = [
    "Asset",
    "Base",
    "Edit",
    "File",
    "FileState",
    "Library",
    "LibraryState",
    "Preference",
    "ProducerRow",
    "Revision",
    "Run",
    "RunState",
    "ShotRow",
    "SpaceRow",
    "SpaceState",
    "Stack",
    "TagDecision",
    "TagRow",
    "TagSource",
    "TextRow",
    "Undo",
    "VectorRow",
    "VectorTombstone",
    "Verdict",
    "new_id",
    "now_us",
]
