"""`dam verify`: does everything that dam derived agree with the database, and the database with
itself?

Repairs only derived data (vector index, full text, previews), never an original and never a
decision.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, text, update
from sqlalchemy.exc import DatabaseError

from dam.indexing.plan import PREVIEW_PRODUCER
from dam.media.previews import UNFINISHED, is_abandoned, preview_folder
from dam.tables import Asset, ProducerRow, Run, RunState
from dam.vectors.upkeep import rebuild_index, verify_index

if TYPE_CHECKING:
    from dam.config import Settings
    from dam.db import Database


@dataclass(frozen=True, slots=True)
class Problem:
    """`what` names the kind of problem, `detail` the place and what it means."""

    what: str
    detail: str
    repaired: bool = False


def verify_all(database: Database, settings: Settings, *, repair: bool = False) -> list[Problem]:
    """Everything that is wrong; with `repair`, what could be mended says so."""
    return [
        *_check_database(database),
        *_check_full_text(database, repair=repair),
        *_check_vectors(database, settings, repair=repair),
        *_check_previews(database, settings, repair=repair),
    ]


def _check_database(database: Database) -> list[Problem]:
    with database.read() as session:
        faults = session.scalars(text("PRAGMA integrity_check")).all()
        orphans = session.execute(text("PRAGMA foreign_key_check")).all()
    problems = [Problem("database", str(fault)) for fault in faults if fault != "ok"]
    problems += [Problem("database", f"A row of {row[0]} refers to nothing.") for row in orphans]
    return problems


def _check_full_text(database: Database, *, repair: bool) -> list[Problem]:
    """Both full-text tables against `texts`, by FTS5's own check."""
    problems = []
    for table in ("texts_words", "texts_trigrams"):
        try:
            with database.write() as session:
                session.execute(
                    text(f"INSERT INTO {table}({table}, rank) VALUES ('integrity-check', 1)")
                )
        except DatabaseError as error:
            if repair:
                with database.write() as session:
                    session.execute(text(f"INSERT INTO {table}({table}) VALUES ('rebuild')"))
            problems.append(Problem("full text", f"{table}: {error.orig}", repaired=repair))
    return problems


def _check_vectors(database: Database, settings: Settings, *, repair: bool) -> list[Problem]:
    found = verify_index(database, settings)
    if found and repair:
        rebuild_index(database, settings)
    return [Problem("vector index", str(fault), repaired=repair) for fault in found]


def _check_previews(database: Database, settings: Settings, *, repair: bool) -> list[Problem]:
    """Previews that should be there and are not, and folders that belong to no asset."""
    with database.read() as session:
        done = {
            essence: run_id
            for essence, run_id in session.execute(
                select(Asset.essence_hash, Run.id)
                .join(Run, (Run.asset_id == Asset.id) & (Run.revision == Asset.revision))
                .join(ProducerRow)
                .where(
                    ProducerRow.fingerprint == PREVIEW_PRODUCER.fingerprint,
                    Run.state == RunState.DONE,
                )
            )
        }
        known = set(session.scalars(select(Asset.essence_hash)))
    root = settings.previews_path
    absent = [
        (essence, run_id)
        for essence, run_id in done.items()
        if not preview_folder(root, essence).is_dir()
    ]
    stray = [
        path
        for path in root.glob("??/*")
        if is_abandoned(path) or not (path.name in known or path.name.startswith(UNFINISHED))
    ]
    if repair:
        with database.write() as session:
            session.execute(
                update(Run)
                .where(Run.id.in_([run_id for _, run_id in absent]))
                .values(state=RunState.PENDING, attempts=0)
            )
        for path in stray:
            shutil.rmtree(path, ignore_errors=True)
    return [
        *(
            Problem("previews", f"{essence} has none; dam index makes them.", repaired=repair)
            for essence, _ in absent
        ),
        *(Problem("previews", f"{path} belongs to no asset.", repaired=repair) for path in stray),
    ]
