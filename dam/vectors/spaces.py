"""Which space answers for an indexer, and when a new one takes over.

A change of model builds a second space beside the first. The first one serves until the second
holds every asset that the first one holds, then they change places; the old one is kept for a
rollback until the next change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select, update

from dam.errors import NotFound
from dam.tables import (
    Asset,
    ProducerRow,
    Run,
    RunState,
    SpaceRow,
    SpaceState,
    VectorRow,
    VectorTombstone,
)

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from dam.db import Database

OPEN = (RunState.PENDING, RunState.LEASED)
DROPPED_AT_ONCE = 500  # runs in one transaction, so that other writers wait for milliseconds


@dataclass(frozen=True, slots=True)
class Space:
    """A vector space as others see it; `fingerprint` is that of its producer."""

    id: int
    fingerprint: str
    indexer: str
    dim: int


def serving_space(session: Session, indexer: str) -> Space | None:
    found = session.execute(_spaces().where(*_serves(indexer)).order_by(SpaceRow.id)).first()
    return Space(*found) if found else None


def space_of(session: Session, fingerprint: str) -> Space | None:
    found = session.execute(_spaces().where(ProducerRow.fingerprint == fingerprint)).first()
    return Space(*found) if found else None


def every_space(session: Session) -> list[Space]:
    return [Space(*found) for found in session.execute(_spaces().order_by(SpaceRow.id))]


def switch_complete_spaces(session: Session) -> list[Space]:
    """Puts every complete space of an active producer into service; returns those."""
    switched = []
    candidates = session.execute(
        select(SpaceRow.id, SpaceRow.indexer, SpaceRow.producer_id)
        .join(ProducerRow)
        .where(ProducerRow.active, SpaceRow.state.in_((SpaceState.BUILDING, SpaceState.RETIRED)))
        .order_by(SpaceRow.id)
    ).all()
    for space_id, indexer, producer_id in candidates:
        if _is_complete(session, indexer, producer_id):
            _serve(session, indexer, space_id)
            found = session.execute(_spaces().where(SpaceRow.id == space_id)).one()
            switched.append(Space(*found))
    return switched


def rollback(session: Session, indexer: str) -> Space:
    """Puts the space that served before back into service, and its producer to work.

    Raises `NotFound` when there is none.
    """
    retired = session.execute(
        select(SpaceRow.id, SpaceRow.producer_id)
        .where(SpaceRow.indexer == indexer, SpaceRow.state == SpaceState.RETIRED)
        .order_by(SpaceRow.id.desc())
    ).first()
    if retired is None:
        raise NotFound(f"There is no earlier vector space of {indexer} to return to.")
    space_id, producer_id = retired
    _serve(session, indexer, space_id)
    session.execute(
        update(ProducerRow)
        .where(ProducerRow.indexer == indexer)
        .values(active=ProducerRow.id == producer_id)
    )
    return Space(*session.execute(_spaces().where(SpaceRow.id == space_id)).one())


def drop_retired(database: Database) -> list[str]:
    """Forgets spaces that nobody can return to any more; their fingerprints.

    Their runs go with them: a run that is done but has lost its vectors would never be made again.
    """
    dropped = []
    with database.read() as session:
        spaces = session.execute(
            select(SpaceRow.id, SpaceRow.producer_id, ProducerRow.fingerprint)
            .join(ProducerRow)
            .where(SpaceRow.state == SpaceState.DROPPED)
        ).all()
    for space_id, producer_id, fingerprint in spaces:
        while not _dropped(database, space_id, producer_id):
            pass
        dropped.append(fingerprint)
    return dropped


def _dropped(database: Database, space_id: int, producer_id: int) -> bool:
    """Deletes some runs, or with the last of them the space itself; True when it is gone."""
    with database.write() as session:
        some = session.scalars(
            select(Run.id).where(Run.producer_id == producer_id).limit(DROPPED_AT_ONCE)
        ).all()
        session.execute(delete(Run).where(Run.id.in_(some)))
        if len(some) == DROPPED_AT_ONCE:
            return False
        session.execute(delete(SpaceRow).where(SpaceRow.id == space_id))
        session.execute(delete(VectorTombstone).where(VectorTombstone.space_id == space_id))
        return True


def _serve(session: Session, indexer: str, space_id: int) -> None:
    """One space serves, the one before it can be returned to, older ones go."""
    others = (SpaceRow.indexer == indexer, SpaceRow.id != space_id)
    for old, new in (
        (SpaceState.RETIRED, SpaceState.DROPPED),
        (SpaceState.SERVING, SpaceState.RETIRED),
    ):
        session.execute(update(SpaceRow).where(*others, SpaceRow.state == old).values(state=new))
    session.execute(
        update(SpaceRow).where(SpaceRow.id == space_id).values(state=SpaceState.SERVING)
    )


def _serves(indexer: str) -> tuple[ColumnElement[bool], ...]:
    return SpaceRow.indexer == indexer, SpaceRow.state == SpaceState.SERVING


def _spaces() -> Select[int, str, str, int]:
    return select(SpaceRow.id, ProducerRow.fingerprint, SpaceRow.indexer, SpaceRow.dim).join(
        ProducerRow
    )


def _is_complete(session: Session, indexer: str, producer_id: int) -> bool:
    """No run is open, and every asset in the serving space has been seen by the new producer."""
    open_run = session.scalar(
        select(Run.id).where(Run.producer_id == producer_id, Run.state.in_(OPEN)).limit(1)
    )
    if open_run is not None:
        return False
    seen = exists().where(
        Run.asset_id == Asset.id,
        Run.revision == Asset.revision,
        Run.producer_id == producer_id,
    )
    unseen = session.scalar(
        select(VectorRow.asset_id)
        .join(SpaceRow)
        .join(Asset, Asset.id == VectorRow.asset_id)
        .where(*_serves(indexer), ~seen)
        .limit(1)
    )
    return unseen is None
