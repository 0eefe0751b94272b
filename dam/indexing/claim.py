"""Who works on what: batches claimed from the run table with leases and fencing tokens.

The only module that leases runs. A claim takes every pending run of a few assets, so that each
asset is opened once for all of them. An asset whose worker died is claimed alone the next time:
the poison is found without harming what lay beside it.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import aliased

from dam.contracts import Kind
from dam.store import Lease
from dam.tables import (
    Asset,
    File,
    FileState,
    Library,
    LibraryState,
    ProducerRow,
    Run,
    RunState,
    now_us,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from dam.config import Settings
    from dam.db import Database

# Assets in one claim. Larger: more decoded photos in memory (6 MB each) and more work lost by a
# crash; smaller: model batches are not filled and every photo costs a transaction.
CLAIM_SIZE = {Kind.PHOTO: 48, Kind.VIDEO: 1, Kind.AUDIO: 16}
DRAINED_S = 5.0  # longer: new files of a library that goes first wait; shorter: more looking
Libraries = tuple[str, ...]  # ids
ALL: Libraries = ()  # whatever is online
GONE = "The worker died or hung on this file {attempts} times (DAM_ATTEMPTS)."


@dataclass(frozen=True, slots=True)
class Claim:
    """One asset that this worker alone may index now, and the runs it holds on it."""

    asset_id: str
    kind: Kind
    essence_hash: str
    duration_us: int | None
    has_sound: bool
    path: Path
    file_id: int
    library_id: str
    leases: Mapping[str, Lease]  # by indexer name
    attempts: int  # of the run tried most often, this one included


class Turns:
    """Whose turn it is: libraries in the order of their priorities.

    Finding that a library has nothing left reads every pending run, so that is remembered for a
    while. Used by one worker alone.
    """

    def __init__(self) -> None:
        self._drained_s: dict[tuple[str, ...], float] = {}  # library ids → when it was seen

    def next_libraries(self, session: Session, producer_ids: Collection[int]) -> Libraries | None:
        """Those with the highest priority that have something to claim; None: none has."""
        groups = _libraries_in_order(session)
        fresh = [group for group in groups if not self._is_drained(group)]
        for group in fresh + [group for group in groups if group not in fresh]:
            if _pick(session, producer_ids, group):
                self._drained_s.pop(group, None)
                return group
            self._drained_s[group] = time.monotonic()
        return None

    def _is_drained(self, group: Libraries) -> bool:
        seen_s = self._drained_s.get(group)
        return seen_s is not None and time.monotonic() - seen_s < DRAINED_S


def claim_batch(
    database: Database,
    settings: Settings,
    worker: str,
    producers: Mapping[str, int],
    turns: Turns | None = None,
) -> list[Claim]:
    """Leases the runs of one batch of assets of one kind; empty when there is nothing to do."""
    mine = set(producers.values())
    turns = turns or Turns()
    while True:
        with database.read() as session:  # looking costs no write lock
            libraries = turns.next_libraries(session, mine)
        if libraries is None:
            return []
        claims = _claim_in(database, settings, worker, producers, libraries)
        if claims:  # else another worker was quicker
            return claims


def _claim_in(
    database: Database,
    settings: Settings,
    worker: str,
    producers: Mapping[str, int],
    libraries: Libraries,
) -> list[Claim]:
    mine = set(producers.values())
    with database.write() as session:
        assets = _pick(session, mine, libraries)
        runs = _lease(session, settings, worker, [asset.id for asset in assets], mine)
        names = {producer_id: name for name, producer_id in producers.items()}
        places = _places(session, [asset.id for asset in assets])
    claims = []
    for asset in assets:
        held = [run for run in runs if run.asset_id == asset.id]
        file, root = places[asset.id]
        claims.append(
            Claim(
                asset_id=asset.id,
                kind=Kind(asset.kind),
                essence_hash=asset.essence_hash,
                duration_us=asset.duration_us,
                has_sound=asset.has_audio,
                path=Path(os.fsdecode(os.path.join(root, file.path))),  # noqa: PTH118 bytes
                file_id=file.id,
                library_id=file.library_id,
                leases={
                    names[run.producer_id]: Lease(run.id, run.fence, asset.id, run.producer_id)
                    for run in held
                },
                attempts=max(run.attempts for run in held),
            )
        )
    return claims


def is_claimable(session: Session, paused: Collection[str] = ()) -> bool:
    """Whether some worker has, or could have, something to do on files that can be reached.

    Of the indexers in `paused` only what some worker still holds counts.
    """
    awake = ProducerRow.indexer.not_in(list(paused))
    found = session.scalar(
        select(Run.id)
        .join(ProducerRow)
        .where(
            ProducerRow.active,
            Run.state.in_([RunState.PENDING, RunState.LEASED]),
            (Run.state == RunState.LEASED) | awake,
            _reachable(Run.asset_id),
        )
        .limit(1)
    )
    return found is not None


def extend_leases(database: Database, settings: Settings, worker: str) -> None:
    """The heartbeat: this worker is alive and still wants what it holds."""
    with database.write() as session:
        session.execute(
            update(Run)
            .where(Run.worker == worker, Run.state == RunState.LEASED)
            .values(lease_until_us=now_us() + int(settings.lease_s * 1e6))
        )


def release(session: Session, leases: Collection[Lease]) -> None:
    """Gives runs back untouched; they do not count as tried."""
    for lease in leases:
        session.execute(
            update(Run)
            .where(Run.id == lease.run_id, Run.fence == lease.fence, Run.state == RunState.LEASED)
            .values(
                state=RunState.PENDING,
                attempts=Run.attempts - 1,
                worker=None,
                lease_until_us=None,
            )
        )


def reclaim_lost(database: Database, settings: Settings, living: Collection[str]) -> None:
    """Frees the runs of workers that died or fell silent; quarantines what keeps killing them.

    `living` holds the names of this machine's live workers, so that a restart after a kill -9
    need not wait for leases to run out.
    """
    silent = (Run.lease_until_us < now_us()) | (Run.worker.not_in(list(living)))
    with database.read() as session:
        lost = session.scalar(
            select(func.count()).select_from(Run).where(Run.state == RunState.LEASED, silent)
        )
    if not lost:
        return
    spent = Run.attempts >= settings.attempts
    with database.write() as session:
        session.execute(
            update(Run)
            .where(Run.state == RunState.LEASED, silent)
            .values(
                state=case((spent, RunState.QUARANTINED), else_=RunState.PENDING),
                error=case((spent, GONE.format(attempts=settings.attempts)), else_=Run.error),
                finished_us=case((spent, now_us()), else_=None),
                worker=None,
                lease_until_us=None,
            )
        )


def _libraries_in_order(session: Session) -> list[Libraries]:
    """By priority, the highest first; `ALL`, which asks for less, when they are alike."""
    by_priority: dict[int, list[str]] = {}
    query = select(Library).where(Library.state == LibraryState.ONLINE).order_by(Library.id)
    for library in session.scalars(query):
        by_priority.setdefault(library.priority, []).append(library.id)
    if len(by_priority) < 2:
        return [ALL]
    return [tuple(by_priority[priority]) for priority in sorted(by_priority, reverse=True)]


def _pick(session: Session, producer_ids: Collection[int], libraries: Libraries) -> Sequence[Asset]:
    """The next assets: untroubled ones first and together, troubled ones one by one."""
    pending = (
        select(Run.asset_id, Run.attempts)
        .where(
            Run.state == RunState.PENDING,
            Run.producer_id.in_(list(producer_ids)),
            _reachable(Run.asset_id, libraries),
            ~_held_elsewhere(),
        )
        .order_by(Run.attempts, Run.id)
        .limit(1)
    )
    first = session.execute(pending).first()
    if first is None:
        return []
    chosen = session.get_one(Asset, first.asset_id)
    if first.attempts > 0:
        return [chosen]
    size = CLAIM_SIZE[Kind(chosen.kind)]
    alike = (
        select(Asset)
        .join(Run, Run.asset_id == Asset.id)
        .where(
            Run.state == RunState.PENDING,
            Run.attempts == 0,
            Run.producer_id.in_(list(producer_ids)),
            Asset.kind == chosen.kind,
            _reachable(Asset.id, libraries),
            ~_held_elsewhere(),
        )
        .order_by(Run.id)  # as planned: one producer after the other, so mostly distinct assets
        .limit(size * 2)
    )
    return list(dict.fromkeys(session.scalars(alike)))[:size]


def _held_elsewhere() -> ColumnElement[bool]:
    """Another worker has some run of this asset: what it finds may be needed here."""
    other = aliased(Run)
    return (
        select(other.id)
        .where(other.asset_id == Run.asset_id, other.state == RunState.LEASED)
        .exists()
    )


def _lease(
    session: Session,
    settings: Settings,
    worker: str,
    asset_ids: Sequence[str],
    producer_ids: Collection[int],
) -> Sequence[Run]:
    chosen = (
        Run.asset_id.in_(asset_ids),
        Run.producer_id.in_(list(producer_ids)),
        Run.state == RunState.PENDING,
    )
    ids = session.scalars(select(Run.id).where(*chosen)).all()
    session.execute(
        update(Run)
        .where(Run.id.in_(ids))
        .values(
            state=RunState.LEASED,
            worker=worker,
            fence=Run.fence + 1,
            attempts=Run.attempts + 1,
            lease_until_us=now_us() + int(settings.lease_s * 1e6),
        )
    )
    return session.scalars(select(Run).where(Run.id.in_(ids))).all()


def _places(session: Session, asset_ids: Sequence[str]) -> dict[str, tuple[File, bytes]]:
    rows = session.execute(
        select(File, Library.root)
        .join(Library)
        .where(
            File.asset_id.in_(asset_ids),
            File.state == FileState.PRESENT,
            Library.state == LibraryState.ONLINE,
        )
    ).all()
    return {file.asset_id: (file, root) for file, root in rows if file.asset_id is not None}


def _reachable(asset_id: object, libraries: Libraries = ALL) -> ColumnElement[bool]:
    """Whether a file of it can be opened in one of these libraries, all of them online."""
    files = select(File.id).where(File.asset_id == asset_id, File.state == FileState.PRESENT)
    if libraries:
        return files.where(File.library_id.in_(libraries)).exists()
    return files.join(Library).where(Library.state == LibraryState.ONLINE).exists()
