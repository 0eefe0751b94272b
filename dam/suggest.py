"""What a half-typed word could become: tags, places, cameras and folders that are really there.

Nothing typed gives the commonest values, for menus of filters. What is in the trash does not count.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select, union_all

from dam.search.words import escape_like
from dam.store import SUGGESTED
from dam.tables import Asset, File, FileState, TagDecision, TagRow, Verdict
from dam.tagging import is_rejected
from dam.trash import in_trash, not_in_trash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import CompoundSelect, Select
    from sqlalchemy.orm import InstrumentedAttribute, Session

CONSIDERED = 200  # values that are counted; one letter may begin thousands


class SuggestionKind(StrEnum):
    """The filter that a suggestion belongs to."""

    TAG = "tag"
    PLACE = "place"
    CAMERA = "camera"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Suggestion:
    text: str
    kind: str  # tag, place, camera or folder
    assets: int


def suggest(
    session: Session, typed: str, *, limit: int, kind: SuggestionKind | None = None
) -> list[Suggestion]:
    """Values of which a word begins with what was typed, commonest first.

    Nothing typed: the commonest values of `kind`, or nothing without one.
    """
    typed = typed.strip()
    if not typed and kind is None:
        return []
    kinds = SuggestionKind if kind is None else (kind,)
    found = [
        Suggestion(value, one, assets)
        for one in kinds
        for value, assets in _counted(session, one, typed).items()
    ]
    return sorted(found, key=lambda one: (-one.assets, one.text))[:limit]


def _counted(session: Session, kind: SuggestionKind, typed: str) -> dict[str, int]:
    match kind:
        case SuggestionKind.TAG:
            return _tags(session, typed)
        case SuggestionKind.PLACE:
            return _values(session, Asset.place, typed)
        case SuggestionKind.CAMERA:
            return _values(session, Asset.camera, typed)
        case SuggestionKind.FOLDER:
            return _folders(session, typed)


def _values(
    session: Session, column: InstrumentedAttribute[str | None], typed: str
) -> dict[str, int]:
    counted = select(column, func.count()).where(column.is_not(None), not_in_trash())
    if typed:
        counted = counted.where(
            column.in_(_beginning(session, select(column.label("value")).distinct(), typed))
        )
    return {value: assets for value, assets in session.execute(counted.group_by(column)) if value}


def _tags(session: Session, typed: str) -> dict[str, int]:
    """As `dam.tagging.count_words` counts: without rejected words, with those that people added."""
    trashed = select(Asset.id).where(in_trash())
    suggested = (
        select(TagRow.word, func.count(TagRow.asset_id.distinct()))
        .where(TagRow.score >= SUGGESTED, TagRow.asset_id.not_in(trashed), ~is_rejected())
        .group_by(TagRow.word)
    )
    # Apart from those that are suggested there too, which are counted already.
    counted = (
        select(TagRow.id)
        .where(
            TagRow.word == TagDecision.word,
            TagRow.asset_id == TagDecision.asset_id,
            TagRow.score >= SUGGESTED,
        )
        .exists()
    )
    added = (
        select(TagDecision.word, func.count())
        .where(
            TagDecision.verdict == Verdict.APPROVED,
            TagDecision.asset_id.not_in(trashed),
            ~counted,
        )
        .group_by(TagDecision.word)
    )
    if typed:
        # Distinct on either side, not across: that each can be answered by its own index alone.
        listed = union_all(
            select(TagRow.word.label("value")).distinct(), select(TagDecision.word).distinct()
        )
        words = _beginning(session, listed, typed)
        suggested = suggested.where(TagRow.word.in_(words))
        added = added.where(TagDecision.word.in_(words))
    total: Counter[str] = Counter()
    for query in (suggested, added):
        total.update({word: assets for word, assets in session.execute(query)})
    return dict(total)


def _folders(session: Session, typed: str) -> dict[str, int]:
    """Paths from the roots of the libraries, with all that lies in and below them.

    A file counts wherever it lies, so an asset with two files in a folder counts twice there.
    """
    # What is left of the last slash; the trimmed set is every character but the slash.
    folder = func.rtrim(File.display, func.replace(File.display, "/", ""))
    rows = session.execute(
        select(folder, func.count())
        .where(
            File.state == FileState.PRESENT,
            File.trashed_us.is_(None),
            File.asset_id.not_in(select(Asset.id).where(in_trash())),
        )
        .group_by(folder)
    )
    total: Counter[str] = Counter()
    for path, files in rows:
        for above in _with_parents(path.rstrip("/")):
            total[above] += files
    start = typed.casefold()
    return {path: files for path, files in total.items() if _word_begins(path, start)}


def _with_parents(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]


def _word_begins(path: str, start: str) -> bool:
    name = path.rpartition("/")[2].casefold()
    return name.startswith(start) or f" {start}" in name


def _beginning(
    session: Session, values: Select[Any] | CompoundSelect[Any], typed: str
) -> list[str]:
    """Those of some distinct values of which a word begins with what was typed."""
    # Few values stand in many rows: comparing each value once is what makes this quick.
    listed = values.cte("listed").prefix_with("MATERIALIZED")
    start = escape_like(typed) + "%"
    begins = or_(
        listed.c.value.ilike(start, escape="\\"), listed.c.value.ilike(f"% {start}", escape="\\")
    )
    return list(session.scalars(select(listed.c.value).where(begins).limit(CONSIDERED)))
