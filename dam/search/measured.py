"""Filters by what was measured of pictures and sound: `quality:sharp`, `loudness:-24..-14`.

What nobody measured yet fulfils none of them. The findings are those of `quality`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select

from dam.errors import BadRequest
from dam.findings import Measure
from dam.tables import Asset, QualityRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement

    from dam.search.query import Filters

MIDDLE = 0.5  # of luminance: a fault of exposure is too bright above it, too dark below


class Trait(StrEnum):
    """What can be asked of an asset's quality."""

    SHARP = "sharp"
    BLURRED = "blurred"
    OVEREXPOSED = "overexposed"  # too bright, or much of it without any detail
    UNDEREXPOSED = "underexposed"
    CLIPPING = "clipping"  # of sound
    DROPOUTS = "dropouts"
    SILENCE = "silence"
    BLACK = "black"
    FROZEN = "frozen"
    FLASH = "flash"
    FAULTS = "faults"  # of whatever kind


SAID = {
    "soft": Trait.BLURRED,
    "unsharp": Trait.BLURRED,
    "blurry": Trait.BLURRED,
    "overexposure": Trait.OVEREXPOSED,
    "underexposure": Trait.UNDEREXPOSED,
    "clipped": Trait.CLIPPING,
    "dropout": Trait.DROPOUTS,
    "silent": Trait.SILENCE,
    "flashes": Trait.FLASH,
    "fault": Trait.FAULTS,
}
ALWAYS_A_FAULT = {
    Trait.CLIPPING: Measure.AUDIO_CLIPPING,
    Trait.DROPOUTS: Measure.DROPOUT,
    Trait.SILENCE: Measure.SILENCE,
    Trait.BLACK: Measure.BLACK,
    Trait.FROZEN: Measure.FROZEN,
    Trait.FLASH: Measure.FLASH,
}


def traits_of(text: str) -> tuple[Trait, ...]:
    """`sharp`, `blurred,clipping`, `black frames`. Raises `BadRequest`."""
    found = []
    for part in text.lower().split(","):
        word = part.replace("-", " ").strip().removesuffix(" frames").replace(" ", "")
        try:
            found.append(SAID.get(word) or Trait(word))
        except ValueError as error:
            known = ", ".join(Trait)
            raise BadRequest(f"There is no quality “{part.strip()}”; known are {known}.") from error
    return tuple(found)


def measured_conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """Conditions on `Asset`, all of which must hold."""
    found = [_has(_of_trait(trait)) for trait in filters.quality]
    loudness: list[ColumnElement[bool]] = []
    if filters.min_loudness_lufs is not None:
        loudness.append(QualityRow.value >= filters.min_loudness_lufs)
    if filters.max_loudness_lufs is not None:
        loudness.append(QualityRow.value <= filters.max_loudness_lufs)
    if loudness:
        found.append(_has([QualityRow.measure == Measure.LOUDNESS, *loudness]))
    return found


def _has(wanted: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    return Asset.id.in_(select(QualityRow.asset_id).where(*wanted))


def _of_trait(trait: Trait) -> list[ColumnElement[bool]]:
    measure, fault, value = QualityRow.measure, QualityRow.is_fault, QualityRow.value
    if trait is Trait.FAULTS:
        return [fault.is_(True)]
    if trait in ALWAYS_A_FAULT:
        return [measure == ALWAYS_A_FAULT[trait]]
    if trait in (Trait.SHARP, Trait.BLURRED):
        return [measure == Measure.SHARPNESS, fault.is_(trait is Trait.BLURRED)]
    bright = trait is Trait.OVEREXPOSED
    exposed = and_(measure == Measure.EXPOSURE, value > MIDDLE if bright else value < MIDDLE)
    burnt = measure == (Measure.CLIPPED_HIGHLIGHTS if bright else Measure.CRUSHED_SHADOWS)
    return [fault.is_(True), or_(exposed, burnt)]
