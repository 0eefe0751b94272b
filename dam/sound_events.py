"""What is heard in an asset and when, as people read it. The findings are those of `sounds`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from dam.errors import NotFound
from dam.tables import Asset, SoundEventRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True)
class HeardEvent:
    label: str  # as AudioSet names it
    start_s: float
    end_s: float
    confidence: float  # in [0, 1]


@dataclass(frozen=True, slots=True)
class HeardEvents:
    events: list[HeardEvent]  # in the order in which they begin


def read_sound_events(session: Session, asset_id: str) -> HeardEvents:
    """Raises `NotFound`."""
    if session.get(Asset, asset_id) is None:
        raise NotFound(f"There is no asset {asset_id}.")
    rows = session.scalars(
        select(SoundEventRow)
        .where(SoundEventRow.asset_id == asset_id)
        .order_by(SoundEventRow.start_us, SoundEventRow.label, SoundEventRow.id)
    )
    return HeardEvents(
        [
            HeardEvent(row.label, row.start_us / US_PER_S, row.end_us / US_PER_S, row.score)
            for row in rows
        ]
    )


def count_sound_events(session: Session, asset_id: str) -> int:
    query = select(func.count()).select_from(SoundEventRow)
    return session.scalar(query.where(SoundEventRow.asset_id == asset_id)) or 0
