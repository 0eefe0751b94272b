"""What a grid of any size needs to be laid out exactly at once: ids, aspect ratios, days.

Reads only, and only what one index holds: a library of 100,000 assets answers within a fraction of
a second. The order is that of `dam.assets.list_assets`.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import func, select

from dam.assets import listed
from dam.tables import Asset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Row
    from sqlalchemy.orm import Session

ASPECT_UNIT = 1000  # stored aspects are thousandths of width / height
WIDEST = 65_535  # what 16 bits hold: a panorama wider than 65:1 is laid out as 65:1
DAY_CHARACTERS = len("2024-06-01")


@dataclass(frozen=True, slots=True)
class AssetLayout:
    """All assets of a list, newest capture first, those without a date last."""

    total: int
    version: str  # changes when anything else here does; the entity tag
    ids: str  # base64 of the ids, hex decoded, 10 bytes each
    aspects: str  # base64 of little-endian uint16, 1000 x width / height; 0: unknown or sound
    days: list[tuple[str | None, int]]  # runs of one day by the camera's clock: (date, assets)


def read_layout(
    session: Session, where: Sequence[ColumnElement[bool]] = (), *, trashed: bool = False
) -> AssetLayout:
    """Each stack once, as `list_assets` shows it."""
    chosen = select(
        Asset.id,
        func.substr(Asset.captured_local, 1, DAY_CHARACTERS),
        Asset.width_px,
        Asset.height_px,
    ).where(*listed(where, trashed=trashed))
    newest_first = (Asset.captured_us.desc(), Asset.id.desc())
    dated = chosen.where(Asset.captured_us.is_not(None)).order_by(*newest_first)
    undated = chosen.where(Asset.captured_us.is_(None)).order_by(Asset.id.desc())
    # Past the ORM, which would spend a fifth of the time on making entities of plain columns.
    connection = session.connection()
    rows = list(connection.execute(dated).all())
    runs = [(day, len(list(run))) for day, run in groupby([row[1] for row in rows])]
    without_date = connection.execute(undated).all()
    if without_date:
        runs.append((None, len(without_date)))
    return _packed(rows + list(without_date), runs)


def _packed(
    rows: Sequence[Row[str, str | None, int | None, int | None]], days: list[tuple[str | None, int]]
) -> AssetLayout:
    ids = bytes.fromhex("".join([row[0] for row in rows]))
    aspects = _aspects([row[2] or 0 for row in rows], [row[3] or 0 for row in rows])
    digest = hashlib.blake2b(ids, digest_size=12)
    digest.update(aspects)
    digest.update(repr(days).encode())
    return AssetLayout(
        total=len(rows),
        version=digest.hexdigest(),
        ids=base64.b64encode(ids).decode(),
        aspects=base64.b64encode(aspects).decode(),
        days=days,
    )


def _aspects(widths_px: list[int], heights_px: list[int]) -> bytes:
    widths = np.array(widths_px, np.float64)
    heights = np.array(heights_px, np.float64)
    known = (widths > 0) & (heights > 0)
    aspects = np.zeros(len(widths))
    np.divide(widths * ASPECT_UNIT, heights, out=aspects, where=known)
    # 0 means unknown, so the thinnest picture still has one thousandth.
    bounded = np.where(known, aspects.round().clip(1, WIDEST), 0)
    return bounded.astype("<u2").tobytes()
