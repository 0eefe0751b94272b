"""What a result shows of an asset, joined from SQL: no asset without a present file gets out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from dam.contracts import Kind
from dam.search.filters import Condition, has_file
from dam.tables import Asset, File, FileState, Library, LibraryState, ShotRow
from dam.trash import not_in_trash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from dam.search.dates import Period

PARAMETERS = 10_000


@dataclass(frozen=True, slots=True)
class Facts:
    asset_id: str
    kind: Kind
    width_px: int | None
    height_px: int | None
    duration_us: int | None
    captured_local: str | None
    captured_us: int | None
    thumbhash: bytes | None
    path: str
    offline: bool


def facts_of(
    session: Session,
    asset_ids: Sequence[str],
    *,
    file_conditions: Sequence[Condition] = (),
    preferred: dict[str, int] | None = None,
) -> dict[str, Facts]:
    """Of those assets that have a present file and are not in the trash.

    `file_conditions` choose among an asset's files, `preferred` names one by asset.
    """
    found: dict[str, Facts] = {}
    for start in range(0, len(asset_ids), PARAMETERS):
        some = asset_ids[start : start + PARAMETERS]
        paths = _paths(session, some, file_conditions, preferred or {})
        rows = session.execute(
            select(
                Asset.id,
                Asset.kind,
                Asset.width_px,
                Asset.height_px,
                Asset.duration_us,
                Asset.captured_local,
                Asset.captured_us,
                Asset.thumbhash,
            ).where(Asset.id.in_(some), not_in_trash())
        )
        for row in rows:
            if row[0] in paths:
                found[row[0]] = Facts(row[0], Kind(row[1]), *row[2:], *paths[row[0]])
    return found


def _paths(
    session: Session,
    asset_ids: Sequence[str],
    conditions: Sequence[Condition],
    preferred: dict[str, int],
) -> dict[str, tuple[str, bool]]:
    """Absolute path and whether its library is away, by asset."""
    rows = session.execute(
        select(
            File.asset_id,
            File.id,
            File.display,
            Library.root,
            Library.state,
            File.trashed_us.is_not(None),
        )
        .join(Library)
        .where(File.asset_id.in_(asset_ids), File.state == FileState.PRESENT, *conditions)
        .order_by(File.id)
    )
    best: dict[str, tuple[tuple[bool, bool, bool, int], str, bytes, bool]] = {}
    for asset_id, file_id, display, root, state, put_away in rows:
        if asset_id is None:
            continue
        offline = state == LibraryState.OFFLINE
        rank = (put_away, preferred.get(asset_id) != file_id, offline, file_id)
        if asset_id not in best or rank < best[asset_id][0]:
            best[asset_id] = (rank, display, root, offline)
    return {
        asset_id: (os.path.join(root.decode(errors="replace"), display), offline)  # noqa: PTH118
        for asset_id, (_, display, root, offline) in best.items()
    }


def newest(
    session: Session, limit: int, *, conditions: Sequence[Condition], period: Period | None = None
) -> list[str]:
    """Assets by capture time, the newest first, those without one last."""
    taken = (
        (Asset.captured_local >= period.start, Asset.captured_local < period.end) if period else ()
    )
    return list(
        session.scalars(
            select(Asset.id)
            .where(has_file(), not_in_trash(), *conditions, *taken)
            .order_by(Asset.captured_us.desc().nulls_last(), Asset.id)
            .limit(limit)
        )
    )


def shots_of(session: Session, asset_ids: Sequence[str]) -> dict[str, list[tuple[int, int]]]:
    """Spans of shots in µs, by asset."""
    found: dict[str, list[tuple[int, int]]] = {}
    rows = session.execute(
        select(ShotRow.asset_id, ShotRow.start_us, ShotRow.end_us).where(
            ShotRow.asset_id.in_(asset_ids)
        )
    )
    for asset_id, start_us, end_us in rows:
        found.setdefault(asset_id, []).append((start_us, end_us))
    return found
