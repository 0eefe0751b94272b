"""Real decoders, kept open for a whole module, and a library to work on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from dam.library.libraries import add_library
from dam.library.update import update_libraries
from dam.media.metadata import MetadataReader
from dam.media.sandbox import Limits, Sandbox
from dam.tables import Asset, TagDecision, Verdict
from tests.library_world import ids, index_by_hand
from tests.media import BLUE, GREEN, RED, write_jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dam.config import Settings
    from dam.db import Database
    from dam.library.ingest import Counts
    from tests.library_world import Ids, Index

LIMITS = Limits(timeout_s=30, memory_mb=4096, max_pixels=50_000_000)


@pytest.fixture(scope="module")
def library_sandbox() -> Iterator[Sandbox]:
    with Sandbox(LIMITS) as opened:
        yield opened


@pytest.fixture(scope="module")
def library_reader() -> Iterator[MetadataReader]:
    with MetadataReader("exiftool", LIMITS) as opened:
        yield opened


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


@pytest.fixture
def index(
    database: Database,
    settings: Settings,
    library_sandbox: Sandbox,
    library_reader: MetadataReader,
    root: Path,
) -> Index:
    add_library(database, root)

    def update(**options: object) -> Counts:
        return update_libraries(
            database, settings, sandbox=library_sandbox, reader=library_reader, **options
        )  # type: ignore[arg-type]

    return update


@pytest.fixture
def indexed(database: Database, index: Index, root: Path) -> Ids:
    """Five pictures in two folders with decisions, all of them looked at; their ids."""
    for seed, name in enumerate(("a", "b", "trip/c", "trip/d", "e")):
        write_jpeg(root / f"{name}.jpg", (RED, GREEN, BLUE)[seed % 3], seed=seed)
    index()
    index_by_hand(database)
    with database.write() as session:
        for asset_id in session.scalars(select(Asset.id)).all():
            session.add(TagDecision(asset_id=asset_id, word="beach", verdict=Verdict.APPROVED))
    return ids(database)
