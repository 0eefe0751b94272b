"""What could not be read or indexed, and why: one list, newest first, page by page. Reads only.

Files that cannot be read come before runs that failed: nothing works on them until they change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  # pydantic reads the annotations of answers
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from dam.asset_detail import moment
from dam.assets import read_cursor, write_cursor
from dam.errors import BadRequest
from dam.tables import Asset, File, FileState, Library, ProducerRow, Run, RunState

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from dam.db import Database

TROUBLED = (RunState.FAILED, RunState.QUARANTINED)
LARGEST = 1 << 63  # what SQLite takes


@dataclass(frozen=True, slots=True)
class Trouble:
    """One file that could not be indexed, or one run that failed, and why."""

    path: str  # relative to its library
    library: str  # its name
    indexer: str | None  # None: the file could not even be read
    state: str  # unreadable or damaged (a file), failed or quarantined (a run)
    reason: str
    asset_id: str | None
    run_id: str | None  # what can be tried again; None: the file has to change first
    attempts: int  # 0 for a file
    failed_at: datetime | None


@dataclass(frozen=True, slots=True)
class TroublePage:
    failed: list[Trouble]
    next_cursor: str | None  # None: this was the last page


def read_troubles(database: Database, *, limit: int = 1000) -> list[Trouble]:
    """The first `limit` of them."""
    with database.read() as session:
        return list_troubles(session, limit=limit).failed


def list_troubles(
    session: Session, *, limit: int, cursor: str | None = None, indexer: str | None = None
) -> TroublePage:
    """`indexer`: only its runs. Raises `BadRequest` for a cursor of another list."""
    kind, position = _position(cursor)
    found: list[tuple[Trouble, str]] = []  # each with the cursor of what follows it
    if kind == "file" and indexer is None:
        found += _files(session, position, limit + 1)
    if len(found) <= limit:
        after = position if kind == "run" else []
        found += _runs(session, after, limit + 1 - len(found), indexer)
    following = found[limit - 1][1] if len(found) > limit else None
    return TroublePage([trouble for trouble, _ in found[:limit]], following)


def _files(session: Session, after: list[int], limit: int) -> list[tuple[Trouble, str]]:
    query = (
        select(File, Library.name)
        .join(Library)
        .where(File.error.is_not(None), File.state != FileState.MISSING)
        .order_by(File.id.desc())
        .limit(limit)
    )
    if after:
        query = query.where(File.id < after[0])
    return [
        (
            Trouble(
                path=file.display,
                library=library,
                indexer=None,
                state="damaged" if file.state == FileState.PRESENT else file.state,
                reason=file.error or "",
                asset_id=file.asset_id,
                run_id=None,
                attempts=0,
                failed_at=moment(file.seen_us),
            ),
            write_cursor(["file", file.id]),
        )
        for file, library in session.execute(query)
    ]


def _runs(
    session: Session, after: list[int], limit: int, indexer: str | None
) -> list[tuple[Trouble, str]]:
    ended_us = func.coalesce(Run.finished_us, 0)
    query = (
        select(Run, ProducerRow.indexer, ended_us, func.min(File.display), Library.name)
        .join(ProducerRow, ProducerRow.id == Run.producer_id)
        .join(Asset, Asset.id == Run.asset_id)
        .join(File, File.asset_id == Run.asset_id)
        .join(Library, Library.id == File.library_id)
        .where(Run.state.in_(TROUBLED), ProducerRow.active, Asset.trashed_us.is_(None))
        .group_by(Run.id)
        .order_by(ended_us.desc(), Run.id.desc())
        .limit(limit)
    )
    if indexer is not None:
        query = query.where(ProducerRow.indexer == indexer)
    if after:
        last_us, last_id = after
        query = query.where(or_(ended_us < last_us, (ended_us == last_us) & (Run.id < last_id)))
    return [
        (
            Trouble(
                path=display,
                library=library,
                indexer=name,
                state=run.state,
                reason=run.error or "",
                asset_id=run.asset_id,
                run_id=str(run.id),
                attempts=run.attempts,
                failed_at=moment(run.finished_us),
            ),
            write_cursor(["run", ended, run.id]),
        )
        for run, name, ended, display, library in session.execute(query)
    ]


def _position(cursor: str | None) -> tuple[str, list[int]]:
    if cursor is None:
        return "file", []
    match read_cursor(cursor):
        case ["file", int(number)] if number < LARGEST:
            return "file", [number]
        case ["run", int(ended_us), int(number)] if max(ended_us, number) < LARGEST:
            return "run", [ended_us, number]
    raise BadRequest("The cursor does not come from this list.")
