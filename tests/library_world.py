"""What tests of libraries look at, and what they do to files."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, text

from dam.library.ingest import Counts
from dam.library.libraries import list_libraries
from dam.tables import Asset, File, FileState, Library, Run, RunState, TagDecision
from tests.rows import add_producer

if TYPE_CHECKING:
    from pathlib import Path

    from dam.db import Database

Index = Callable[..., Counts]  # updates the libraries; takes the options of `update_libraries`
Ids = dict[str, str | None]  # what people see of a path → the asset that lies there

EXIFTOOL = shutil.which("exiftool")
needs_exiftool = pytest.mark.skipif(EXIFTOOL is None, reason="ExifTool is not installed")


def changes(counts: Counts) -> tuple[int, int, int, int]:
    return counts.new, counts.changed, counts.moved, counts.missing


def ids(database: Database) -> Ids:
    """The asset at every path where a file is."""
    with database.read() as session:
        query = select(File.display, File.asset_id).where(File.state == FileState.PRESENT)
        return dict(session.execute(query).all())


def asset_at(database: Database, display: str) -> Asset:
    with database.read() as session:
        query = select(Asset).join(Asset.files).where(File.display == display)
        return session.scalars(query).one()


def library(database: Database) -> Library:
    return list_libraries(database)[0]


def index_by_hand(database: Database) -> None:
    """One finished run per asset, as if every picture had been looked at."""
    with database.write() as session:
        producer = add_producer(session, "visual")
        for asset in session.scalars(select(Asset)):
            session.add(
                Run(
                    asset_id=asset.id,
                    revision=asset.revision,
                    producer_id=producer.id,
                    state=RunState.DONE,
                )
            )


def unfinished(database: Database) -> int:
    """Assets whose current revision has no finished run: what a model would have to look at."""
    with database.read() as session:
        done = select(Run.id).where(
            Run.asset_id == Asset.id, Run.revision == Asset.revision, Run.state == RunState.DONE
        )
        return session.scalar(select(func.count()).select_from(Asset).where(~done.exists())) or 0


def found_by_words(database: Database, words: str) -> set[str]:
    with database.read() as session:
        query = text(
            "SELECT DISTINCT display FROM texts_words JOIN texts ON texts.id = texts_words.rowid "
            "JOIN files ON files.asset_id = texts.asset_id WHERE texts_words MATCH :words"
        )
        return set(session.scalars(query, {"words": words}))


def write_metadata(path: Path, *tags: str) -> None:
    assert EXIFTOOL
    subprocess.run([EXIFTOOL, "-q", "-overwrite_original", *tags, str(path)], check=True)


def find_error(database: Database, display: str) -> str | None:
    with database.read() as session:
        return session.scalars(select(File.error).where(File.display == display)).one()


def decided(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.scalars(select(TagDecision.asset_id)))
