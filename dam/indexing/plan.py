"""Turns "what should be known" into rows of the run table, by query.

Planning is idempotent: it adds the runs that are missing for the active producers and takes away
pending ones that nobody wants any more. Work whose weights are absent has no rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, literal, select, update

from dam.contracts import Kind, Producer
from dam.indexing.pause import needs_of
from dam.indexing.registry import PREVIEWS, Registry
from dam.people.state import in_library, withdraw_faces
from dam.tables import (
    Asset,
    File,
    FileState,
    Library,
    Preference,
    ProducerRow,
    Run,
    RunState,
    now_us,
)
from dam.vectors.spaces import drop_retired, switch_complete_spaces
from dam.vocabulary import asked_texts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import InstrumentedAttribute, Session

    from dam.config import Settings
    from dam.db import Database

# Bump `version` when the previews themselves change; they are made again then.
PREVIEW_PRODUCER = Producer(PREVIEWS, version=1)
# Indexers that work only on what lies in a library that allows it.
PER_LIBRARY: Mapping[str, InstrumentedAttribute[bool]] = {"faces": Library.faces}


@dataclass(frozen=True, slots=True)
class Plan:
    """Who works: the active producers by indexer name, and the reasons of those that wait."""

    producer_ids: Mapping[str, int]
    accepts: Mapping[str, frozenset[Kind]]
    waiting: Mapping[str, str]
    needs: Mapping[str, Sequence[str]]  # indexer → those whose findings it reads


def open_registry(database: Database, settings: Settings) -> Registry:
    """The indexers as settings and stored choices want them."""
    with database.read() as session:
        stored = {row.key: row.value for row in session.scalars(select(Preference))}
        words = asked_texts(session)
    return Registry(settings, preferences=stored, words=words)


def plan_runs(database: Database, registry: Registry) -> Plan:
    """Makes the run table complete for every asset that can be read now."""
    producers, waiting = registry.producers()  # may hash weights: not inside the transaction
    accepts = {name: cls.accepts for name, cls in registry.classes.items()}
    accepts[PREVIEWS] = frozenset(Kind)
    wanted = {PREVIEWS: PREVIEW_PRODUCER, **producers}
    with database.write() as session:
        ids = {name: _activate(session, producer) for name, producer in wanted.items()}
        _withdraw_unwanted(session, set(ids.values()))
        withdraw_faces(session)
        for name, producer_id in ids.items():
            _add_missing(session, producer_id, accepts[name], allowed(name))
        switch_complete_spaces(session)
    drop_retired(database)
    return Plan(ids, accepts, waiting, needs_of(registry))


def retry_failed(
    database: Database, indexer: str | None = None, run_ids: Collection[int] | None = None
) -> int:
    """Puts failed and quarantined runs back to work, or those of them that are named.

    Returns how many: a run that meanwhile works again, or is gone, is not counted.
    """
    producers = select(ProducerRow.id).where(ProducerRow.active)
    if indexer is not None:
        producers = producers.where(ProducerRow.indexer == indexer)
    chosen = [
        Run.state.in_([RunState.FAILED, RunState.QUARANTINED]),
        Run.producer_id.in_(producers),
    ]
    if run_ids is not None:
        chosen.append(Run.id.in_(list(run_ids)))
    with database.write() as session:
        changed = session.execute(
            update(Run)
            .where(*chosen)
            .values(state=RunState.PENDING, attempts=0, error=None, trace=None)
        )
    return int(changed.rowcount)  # type: ignore[attr-defined]


def forget_runs(database: Database, indexer: str) -> None:
    """Makes an indexer work on everything again, with whatever model it has now."""
    producers = select(ProducerRow.id).where(ProducerRow.indexer == indexer, ProducerRow.active)
    with database.write() as session:
        session.execute(
            update(Run)
            .where(Run.producer_id.in_(producers), Run.state != RunState.LEASED)
            .values(state=RunState.PENDING, attempts=0, error=None, trace=None)
        )


def _activate(session: Session, producer: Producer) -> int:
    row = session.scalar(select(ProducerRow).where(ProducerRow.fingerprint == producer.fingerprint))
    if row is None:
        row = ProducerRow(
            fingerprint=producer.fingerprint,
            indexer=producer.indexer,
            version=producer.version,
            model=producer.model,
            weights=producer.weights,
            parameters=dict(producer.parameters),
        )
        session.add(row)
        session.flush()
    row.active = True
    session.execute(
        update(ProducerRow)
        .where(ProducerRow.indexer == producer.indexer, ProducerRow.id != row.id)
        .values(active=False)
    )
    return row.id


def _withdraw_unwanted(session: Session, active: set[int]) -> None:
    session.execute(
        delete(Run).where(Run.state == RunState.PENDING, Run.producer_id.not_in(active))
    )


def allowed(indexer: str) -> ColumnElement[bool]:
    """Of an asset: it can be read now, in a library that wants it to be looked at."""
    if indexer in PER_LIBRARY:
        return in_library(PER_LIBRARY[indexer].is_(True))
    readable = select(File.id).where(File.asset_id == Asset.id, File.state == FileState.PRESENT)
    return readable.exists()


def _add_missing(
    session: Session, producer_id: int, accepts: frozenset[Kind], readable: ColumnElement[bool]
) -> None:
    planned = (
        select(Run.id)
        .where(
            Run.asset_id == Asset.id,
            Run.revision == Asset.revision,
            Run.producer_id == producer_id,
        )
        .exists()
    )
    missing = select(
        Asset.id,
        Asset.revision,
        literal(producer_id),
        literal(RunState.PENDING.value),
        literal(0),
        literal(0),
        literal(now_us()),
    ).where(Asset.kind.in_([kind.value for kind in accepts]), readable, ~planned)
    columns = ["asset_id", "revision", "producer_id", "state", "attempts", "fence", "created_us"]
    session.execute(insert(Run).from_select(columns, missing))
