"""The ORM classes, one module per concept. Schema changes go through `migrations`."""

from dam.tables.base import Base, new_id, now_us
from dam.tables.duplicates import PairDecision, PairVerdict
from dam.tables.findings import (
    ShotRow,
    SpaceRow,
    SpaceState,
    TagDecision,
    TagRow,
    TagSource,
    TextField,
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
from dam.tables.people import FaceDecision, FaceVerdict, Person
from dam.tables.senses import (
    FaceRow,
    FingerprintRow,
    MusicRow,
    QualityRow,
    SoundEventRow,
    TextBoxRow,
    TranscriptLineRow,
)
from dam.tables.taught import TaughtTag
from dam.tables.transcripts import LineEdit
from dam.tables.vocabulary import Synonym, VocabularyWord
from dam.tables.work import Preference, ProducerRow, Run, RunState

__all__ = [
    "Asset",
    "Base",
    "Edit",
    "FaceDecision",
    "FaceRow",
    "FaceVerdict",
    "File",
    "FileState",
    "FingerprintRow",
    "Library",
    "LibraryState",
    "LineEdit",
    "MusicRow",
    "PairDecision",
    "PairVerdict",
    "Person",
    "Preference",
    "ProducerRow",
    "QualityRow",
    "Revision",
    "Run",
    "RunState",
    "ShotRow",
    "SoundEventRow",
    "SpaceRow",
    "SpaceState",
    "Stack",
    "Synonym",
    "TagDecision",
    "TagRow",
    "TagSource",
    "TaughtTag",
    "TextBoxRow",
    "TextField",
    "TextRow",
    "TranscriptLineRow",
    "Undo",
    "VectorRow",
    "VectorTombstone",
    "Verdict",
    "VocabularyWord",
    "new_id",
    "now_us",
]
