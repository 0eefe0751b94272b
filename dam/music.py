"""Tempo and key of an asset, as people read them. The findings are those of `music`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from dam.tables import MusicRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class AssetMusic:
    tempo_bpm: float | None  # None: it has no beat
    key: str | None  # "A minor"; None: it fits no key
    key_confidence: float  # in [0, 1]


def music_of(session: Session, asset_id: str) -> AssetMusic | None:
    """None: it is no music, or nobody listened yet."""
    newest = select(MusicRow).where(MusicRow.asset_id == asset_id).order_by(MusicRow.id.desc())
    row = session.scalars(newest.limit(1)).first()
    return AssetMusic(row.tempo_bpm, row.key, row.confidence) if row else None
