"""What can be read in a photo or a video, as people see it. The findings are those of `text`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from dam.errors import NotFound
from dam.tables import Asset, TextBoxRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True)
class WrittenLine:
    text: str
    confidence: float  # in [0, 1]
    left: float  # of the box around it, like the other three in parts of the picture
    top: float
    width: float
    height: float
    at_s: float | None  # the frame that shows it best; nothing in photos
    start_s: float | None
    end_s: float | None


@dataclass(frozen=True, slots=True)
class Writing:
    lines: list[WrittenLine]  # in reading order; those of a video in the order in which they appear


def read_writing(session: Session, asset_id: str) -> Writing:
    """Raises `NotFound`."""
    if session.get(Asset, asset_id) is None:
        raise NotFound(f"There is no asset {asset_id}.")
    rows = session.scalars(
        select(TextBoxRow)
        .where(TextBoxRow.asset_id == asset_id)
        .order_by(TextBoxRow.start_us, TextBoxRow.id)
    )
    return Writing([_line(row) for row in rows])


def count_written_lines(session: Session, asset_id: str) -> int:
    query = select(func.count()).select_from(TextBoxRow)
    return session.scalar(query.where(TextBoxRow.asset_id == asset_id)) or 0


def _line(row: TextBoxRow) -> WrittenLine:
    return WrittenLine(
        text=row.text,
        confidence=row.confidence,
        left=row.left,
        top=row.top,
        width=row.width,
        height=row.height,
        at_s=_seconds(row.at_us),
        start_s=_seconds(row.start_us),
        end_s=_seconds(row.end_us),
    )


def _seconds(time_us: int | None) -> float | None:
    return None if time_us is None else time_us / US_PER_S
