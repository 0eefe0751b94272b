"""What a half-typed word could become: tags, places and cameras that are really there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from dam.search.words import escape_like
from dam.store import SUGGESTED
from dam.tables import Asset, TagRow

if TYPE_CHECKING:
    from sqlalchemy.orm import InstrumentedAttribute, Session


@dataclass(frozen=True, slots=True)
class Suggestion:
    text: str
    kind: str  # the filter it belongs to: tag, place or camera
    assets: int


def suggest(session: Session, typed: str, *, limit: int) -> list[Suggestion]:
    """Values of which a word begins with what was typed, commonest first."""
    if not typed.strip():
        return []
    found = []
    columns = (("tag", TagRow.word), ("place", Asset.place), ("camera", Asset.camera))
    for kind, column in columns:
        found += _values(session, kind, column, typed.strip(), limit)
    return sorted(found, key=lambda one: (-one.assets, one.text))[:limit]


def _values(
    session: Session, kind: str, column: InstrumentedAttribute[str | None], typed: str, limit: int
) -> list[Suggestion]:
    start = escape_like(typed) + "%"
    begins = or_(column.ilike(start, escape="\\"), column.ilike(f"% {start}", escape="\\"))
    chosen = select(column, func.count()).where(begins)
    if kind == "tag":
        number = func.count(TagRow.asset_id.distinct())
        chosen = select(column, number).where(begins, TagRow.score >= SUGGESTED)
    rows = session.execute(chosen.group_by(column).order_by(func.count().desc()).limit(limit))
    return [Suggestion(text, kind, assets) for text, assets in rows if text]
