"""What is done, what is left, what failed and what waits: one answer for CLI, web and metrics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from dam.contracts import Kind
from dam.indexing.claim import is_claimable
from dam.indexing.pause import is_all_paused, needs_of, paused_indexers
from dam.indexing.plan import PER_LIBRARY, allowed, open_registry
from dam.indexing.registry import PREVIEWS
from dam.library.libraries import LibraryStatus, library_statuses
from dam.liveness import Process, living
from dam.tables import (
    Asset,
    File,
    FileState,
    ProducerRow,
    Run,
    RunState,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session

    from dam.config import Settings
    from dam.db import Database
    from dam.indexing.registry import Registry


@dataclass(frozen=True, slots=True)
class IndexerStatus:
    """Runs of one indexer's active producer, by state."""

    indexer: str
    pending: int
    leased: int
    done: int
    failed: int
    quarantined: int
    waiting: int  # assets whose run cannot be planned until the model is there
    executed: int  # runs that ended since the time asked for
    reason: str | None  # why it, or a part of its work, waits, with the command that mends it
    paused: bool  # by a person: itself, or something it needs

    @property
    def total(self) -> int:
        return self.pending + self.leased + self.ended + self.waiting

    @property
    def ended(self) -> int:
        return self.done + self.failed + self.quarantined


@dataclass(frozen=True, slots=True)
class Status:
    indexers: Sequence[IndexerStatus]
    libraries: Sequence[LibraryStatus]
    assets: Mapping[str, int]  # by kind
    processes: Sequence[Process]
    busy: bool  # some worker has, or could have, something to do
    paused: bool  # everything is, by a person


def read_status(
    database: Database,
    settings: Settings,
    *,
    since_us: int | None = None,
    registry: Registry | None = None,
) -> Status:
    """`since_us`: count runs that ended at or after this time as executed."""
    registry = registry or open_registry(database, settings)
    _, waiting = registry.producers()
    with database.read() as session:
        assets = _assets_by_kind(session)
        paused = paused_indexers(session, needs_of(registry))
        return Status(
            indexers=_indexers(session, registry, waiting, paused, assets, since_us),
            libraries=library_statuses(database),
            assets=assets,
            processes=living(settings.run_path),
            busy=is_claimable(session, paused),
            paused=is_all_paused(session),
        )


def _indexers(
    session: Session,
    registry: Registry,
    waiting: Mapping[str, str],
    paused: Collection[str],
    assets: Mapping[str, int],
    since_us: int | None,
) -> list[IndexerStatus]:
    counts: dict[str, Counter[str]] = {}
    rows = session.execute(
        select(ProducerRow.indexer, Run.state, func.count())
        .join(Run, Run.producer_id == ProducerRow.id)
        .where(ProducerRow.active)
        .group_by(ProducerRow.indexer, Run.state)
    )
    for indexer, state, number in rows:
        counts.setdefault(indexer, Counter())[state] = number
    executed: dict[str, int] = {}
    if since_us is not None:
        ended = (
            select(ProducerRow.indexer, func.count())
            .join(Run, Run.producer_id == ProducerRow.id)
            .where(Run.finished_us >= since_us)
            .group_by(ProducerRow.indexer)
        )
        executed = {indexer: number for indexer, number in session.execute(ended)}
    classes = registry.classes
    there = {Kind(kind) for kind in assets}
    found = []
    for name in (PREVIEWS, *classes):
        by_state = counts.get(name, Counter())
        waits = name in waiting
        accepted = classes[name].accepts if name in classes else frozenset(Kind)
        wanted = sum(assets.get(kind, 0) for kind in accepted)
        if waits and name in PER_LIBRARY:
            wanted = _wanted(session, name, accepted)
            waits = wanted > 0  # else nobody asked for it
        found.append(
            IndexerStatus(
                indexer=name,
                pending=by_state[RunState.PENDING],
                leased=by_state[RunState.LEASED],
                done=by_state[RunState.DONE],
                failed=by_state[RunState.FAILED],
                quarantined=by_state[RunState.QUARANTINED],
                waiting=max(0, wanted - sum(by_state.values())) if waits else 0,
                executed=executed.get(name, 0),
                reason=waiting[name] if waits else registry.lacks(name, there),
                paused=name in paused,
            )
        )
    return found


def _wanted(session: Session, indexer: str, accepted: frozenset[Kind]) -> int:
    kinds = Asset.kind.in_([kind.value for kind in accepted])
    wanted = select(func.count()).select_from(Asset).where(kinds, allowed(indexer))
    return session.scalar(wanted.where(Asset.trashed_us.is_(None))) or 0


def _assets_by_kind(session: Session) -> dict[str, int]:
    readable = (
        select(File.id).where(File.asset_id == Asset.id, File.state == FileState.PRESENT).exists()
    )
    rows = session.execute(
        select(Asset.kind, func.count())
        .where(readable, Asset.trashed_us.is_(None))
        .group_by(Asset.kind)
    )
    return {kind: number for kind, number in rows}
