"""What was measured of assets, as people read it. The findings are those of `quality`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from dam.findings import Measure
from dam.tables import QualityRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

# Of the values as they are stored; without a unit: a part, or a number from 0 to 1.
UNITS = {
    Measure.BLACK: "s",
    Measure.FROZEN: "s",
    Measure.SILENCE: "s",
    Measure.DROPOUT: "s",
    Measure.AUDIO_CLIPPING: "samples",
    Measure.LOUDNESS: "LUFS",
    Measure.LOUDNESS_RANGE: "LU",
    Measure.TRUE_PEAK: "dBTP",
}
_PART = 500  # assets asked for at once: SQLite's limit on variables is far, plans are short


@dataclass(frozen=True, slots=True)
class AssetQuality:
    measure: str
    value: float
    unit: str | None
    is_fault: bool
    start_s: float | None  # None: of the whole asset
    end_s: float | None


def quality_of(session: Session, asset_ids: Sequence[str]) -> dict[str, list[AssetQuality]]:
    """By asset: values of the whole first, then in the order of time."""
    found: dict[str, list[AssetQuality]] = {asset_id: [] for asset_id in asset_ids}
    for start in range(0, len(asset_ids), _PART):
        rows = session.scalars(
            select(QualityRow)
            .where(QualityRow.asset_id.in_(asset_ids[start : start + _PART]))
            .order_by(QualityRow.start_us, QualityRow.id)
        )
        for row in rows:
            found[row.asset_id].append(_quality(row))
    return found


def _quality(row: QualityRow) -> AssetQuality:
    return AssetQuality(
        measure=row.measure,
        value=row.value,
        unit=UNITS.get(Measure(row.measure)),
        is_fault=row.is_fault,
        start_s=None if row.start_us is None else row.start_us / 1e6,
        end_s=None if row.end_us is None else row.end_us / 1e6,
    )
