"""What people compare copies by, beside their pictures. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from dam.assets import US_PER_S
from dam.findings import Measure
from dam.tables import Asset, QualityRow, TagDecision, TagRow, TagSource, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """Of one asset in a group; None: not known."""

    asset_id: str
    size_bytes: int
    format: str
    codec: str | None
    width_px: int | None
    height_px: int | None
    duration_s: float | None
    frame_rate: str | None
    captured_local: str | None
    camera: str | None
    place: str | None
    title: str | None
    caption: str | None
    rating: int | None
    label: str | None
    tags: list[str]  # of the file or approved, in alphabetical order
    sharpness: float | None  # in [0, 1]


def facts_of(session: Session, asset_ids: Sequence[str]) -> dict[str, CopyFacts]:
    """By asset; at most a few thousand at once."""
    tags, sharpness = _tags(session, asset_ids), _sharpness(session, asset_ids)
    return {
        asset.id: CopyFacts(
            asset_id=asset.id,
            size_bytes=asset.size_bytes,
            format=asset.format,
            codec=asset.codec,
            width_px=asset.width_px,
            height_px=asset.height_px,
            duration_s=None if asset.duration_us is None else asset.duration_us / US_PER_S,
            frame_rate=asset.frame_rate,
            captured_local=asset.captured_local,
            camera=asset.camera,
            place=asset.place,
            title=asset.title,
            caption=asset.caption,
            rating=asset.rating,
            label=asset.label,
            tags=sorted(tags.get(asset.id, ())),
            sharpness=sharpness.get(asset.id),
        )
        for asset in session.scalars(select(Asset).where(Asset.id.in_(asset_ids)))
    }


def _tags(session: Session, asset_ids: Sequence[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    written = select(TagRow.asset_id, TagRow.word).where(
        TagRow.asset_id.in_(asset_ids), TagRow.source == TagSource.FILE
    )
    for asset_id, word in session.execute(written):
        found.setdefault(asset_id, set()).add(word)
    decided = select(TagDecision.asset_id, TagDecision.word, TagDecision.verdict)
    for asset_id, word, verdict in session.execute(
        decided.where(TagDecision.asset_id.in_(asset_ids))
    ):
        words = found.setdefault(asset_id, set())
        if verdict == Verdict.APPROVED:
            words.add(word)
        else:
            words.discard(word)
    return found


def _sharpness(session: Session, asset_ids: Sequence[str]) -> dict[str, float]:
    rows = session.execute(
        select(QualityRow.asset_id, QualityRow.value).where(
            QualityRow.asset_id.in_(asset_ids),
            QualityRow.measure == Measure.SHARPNESS,
            QualityRow.start_us.is_(None),
        )
    )
    return {asset_id: value for asset_id, value in rows}
