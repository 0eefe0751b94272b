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

CONSIDERED = 200  # values that are counted; one letter may begin thousands


@dataclass(frozen=True, slots=True)
class Suggestion:
    text: str
    kind: str  # the filter it belongs to: tag, place or camera
    assets: int


def suggest(session: Session, typed: str, *, limit: int) -> list[Suggestion]:
    """Values of which a word begins with what was typed, commonest first."""
    typed = typed.strip()
    if not typed:
        return []
    tags = select(TagRow.word, func.count(TagRow.asset_id.distinct())).where(
        TagRow.word.in_(_beginning(session, TagRow.word, typed)), TagRow.score >= SUGGESTED
    )
    found = [
        Suggestion(word, "tag", assets)
        for word, assets in session.execute(tags.group_by(TagRow.word))
    ]
    for kind, column in (("place", Asset.place), ("camera", Asset.camera)):
        counted = select(column, func.count()).where(column.in_(_beginning(session, column, typed)))
        rows = session.execute(counted.group_by(column))
        found += [Suggestion(value, kind, assets) for value, assets in rows if value]
    return sorted(found, key=lambda one: (-one.assets, one.text))[:limit]


def _beginning(
    session: Session,
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
    typed: str,
) -> list[str]:
    # Few values stand in many rows: comparing each value once is what makes this quick.
    values = select(column.label("value")).distinct().cte("listed").prefix_with("MATERIALIZED")
    start = escape_like(typed) + "%"
    begins = or_(
        values.c.value.ilike(start, escape="\\"), values.c.value.ilike(f"% {start}", escape="\\")
    )
    return list(session.scalars(select(values.c.value).where(begins).limit(CONSIDERED)))
