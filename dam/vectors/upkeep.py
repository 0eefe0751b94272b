"""What keeps the files of the spaces in order. Called by workers, `dam index` and `dam verify`.

Never called by the web process: it follows what is published here.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dam.errors import IndexDamaged
from dam.vectors import rows, snapshot
from dam.vectors.spaces import Space, every_space

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session

    from dam.config import Settings
    from dam.db import Database
    from dam.vectors.faiss_index import FaissIndex, Sizes


@dataclass(frozen=True, slots=True)
class Problem:
    """A disagreement between the index and the database; `rebuild_index` mends all of them."""

    space: str  # fingerprint, or the name of a folder that belongs to none
    message: str

    def __str__(self) -> str:
        return self.message


def compact_indexes(database: Database, settings: Settings, *, sizes: Sizes | None = None) -> None:
    """Publishes bases that are due and removes what belongs to no space. Cheap when nothing is.

    Takes a minute at a million vectors: for workers that are idle, and the end of `dam index`.
    """
    for folder in _strays(database, settings.index_path):
        shutil.rmtree(folder, ignore_errors=True)
    for index in _indexes(database, settings, sizes):
        if index.is_compaction_due():
            index.compact()


def verify_index(database: Database, settings: Settings) -> list[Problem]:
    """Compares every published snapshot with the database; changes nothing."""
    problems = []
    with database.read() as session:
        for space in every_space(session):
            folder = snapshot.folder_of(settings.index_path, space.fingerprint)
            for _, path in snapshot.generations(folder):
                try:
                    found = snapshot.read(path, space=space.fingerprint, dim=space.dim)
                except IndexDamaged as error:
                    problems.append(Problem(space.fingerprint, str(error)))
                    continue
                wrong = _contradiction(session, space, found)
                if wrong:
                    problems.append(Problem(space.fingerprint, f"{path}: {wrong}"))
    for folder in _strays(database, settings.index_path):
        problems.append(Problem(folder.name, f"{folder} belongs to no vector space."))
    return problems


def rebuild_index(database: Database, settings: Settings, *, sizes: Sizes | None = None) -> None:
    """Makes every snapshot anew from the database, and removes all else."""
    if settings.index_path.is_dir():
        for folder in settings.index_path.iterdir():
            shutil.rmtree(folder, ignore_errors=True)
    compact_indexes(database, settings, sizes=sizes)


def _contradiction(session: Session, space: Space, found: snapshot.Snapshot) -> str | None:
    """Why the ids of a snapshot are not those of the database, if so."""
    gone = rows.tombstones(session, space.id, after=found.facts.tombstones)
    living = np.setdiff1d(found.ids, gone, assume_unique=True)
    every = rows.ids(session, space.id)
    expected = every[every <= found.facts.watermark]
    unknown = np.setdiff1d(living, expected, assume_unique=True)
    missing = np.setdiff1d(expected, living, assume_unique=True)
    if len(unknown) or len(missing):
        return (
            f"it lacks {len(missing)} vectors of the database "
            f"and holds {len(unknown)} that are not there."
        )
    return None


def _indexes(database: Database, settings: Settings, sizes: Sizes | None) -> Iterator[FaissIndex]:
    from dam.vectors.faiss_index import FaissIndex  # FAISS: not for every command

    with database.read() as session:
        spaces = every_space(session)
    for space in spaces:
        yield FaissIndex(
            database, space, settings.index_path, sizes=sizes, threads=settings.threads
        )


def _strays(database: Database, folder: Path) -> list[Path]:
    with database.read() as session:
        known = {snapshot.folder_of(folder, space.fingerprint) for space in every_space(session)}
    return (
        [path for path in sorted(folder.iterdir()) if path not in known] if folder.is_dir() else []
    )
