"""The words on assets, each with what is said of it, and the assets of one word to look through.

Reads only; `dam.tag_changes` changes. What is in the trash does not count. A word is *suggested*
where a model says it with enough confidence and no person has said anything of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from sqlalchemy import func, select

from dam.assets import has_file
from dam.store import SUGGESTED
from dam.tables import Asset, ProducerRow, Run, TagDecision, TagRow, TagSource, Verdict
from dam.tagging import is_decided, is_rejected, maker
from dam.trash import not_in_trash

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Row
    from sqlalchemy.orm import Session

AT_ONCE = 5_000  # assets in one statement; SQLite takes 32,766 parameters


class WordState(StrEnum):
    """What is said of a word on an asset."""

    SUGGESTED = "suggested"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(slots=True)
class WordSummary:
    """How many assets carry a word, by what is said of it there."""

    word: str
    suggested: int  # by a model, undecided
    approved: int
    rejected: int
    in_files: int  # as a keyword of the file; may be approved as well

    @classmethod
    def of(cls, word: str) -> Self:
        return cls(word, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One asset of a word that is looked through."""

    asset_id: str
    score: float | None  # confidence of the surest suggestion; None where no model says it
    producer: str | None  # who suggests it
    start_us: int | None  # where in a video it is seen best
    decided_us: int | None


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Those assets on which a word is suggested, with confidences in [least, below)."""

    word: str
    least: float = SUGGESTED
    below: float | None = None


@dataclass(slots=True)
class _Counts:
    by_word: dict[str, WordSummary] = field(default_factory=dict)

    def add(self, rows: Iterable[Row[str, int]], name: str) -> None:
        for word, assets in rows:
            one = self.by_word.setdefault(word, WordSummary.of(word))
            setattr(one, name, getattr(one, name) + assets)


def summarise_words(
    session: Session, *, among: Sequence[str] | None = None
) -> dict[str, WordSummary]:
    """Every word that anything is said of, on all assets or among some."""
    counts = _Counts()
    if among is None:
        _count(session, counts, not_in_trash())
    else:
        for start in range(0, len(among), AT_ONCE):
            _count(session, counts, Asset.id.in_(list(among[start : start + AT_ONCE])))
    return counts.by_word


def _count(session: Session, counts: _Counts, chosen: ColumnElement[bool]) -> None:
    number = func.count(TagRow.asset_id.distinct())
    carried = (
        select(TagRow.word, number).join(Asset, Asset.id == TagRow.asset_id).where(chosen)
    ).group_by(TagRow.word)
    suggested = carried.where(
        TagRow.source != TagSource.FILE, TagRow.score >= SUGGESTED, ~is_decided()
    )
    in_files = carried.where(TagRow.source == TagSource.FILE, ~is_rejected())
    counts.add(session.execute(suggested), "suggested")
    counts.add(session.execute(in_files), "in_files")
    for verdict in Verdict:
        decided = (
            select(TagDecision.word, func.count())
            .join(Asset, Asset.id == TagDecision.asset_id)
            .where(chosen, TagDecision.verdict == verdict)
            .group_by(TagDecision.word)
        )
        counts.add(session.execute(decided), verdict)


def is_known(session: Session, word: str) -> bool:
    """Something is said of the word somewhere."""
    carried = select(TagRow.id).where(TagRow.word == word).limit(1)
    decided = select(TagDecision.id).where(TagDecision.word == word).limit(1)
    return session.scalar(carried) is not None or session.scalar(decided) is not None


def suggested_on(session: Session, wanted: Suggestions) -> dict[str, Reviewed]:
    """By asset, surest first. Of several suggestions of the word on one asset the surest counts."""
    found: dict[str, Reviewed] = {}
    for row in session.execute(
        select(
            TagRow.asset_id,
            TagRow.score,
            TagRow.source,
            TagRow.start_us,
            ProducerRow.indexer,
            ProducerRow.model,
        )
        .join(Asset, Asset.id == TagRow.asset_id)
        .outerjoin(Run, Run.id == TagRow.run_id)
        .outerjoin(ProducerRow, ProducerRow.id == Run.producer_id)
        .where(
            TagRow.word == wanted.word,
            TagRow.source != TagSource.FILE,
            TagRow.score >= max(wanted.least, SUGGESTED),
            ~is_decided(),
            not_in_trash(),
            has_file(Asset.id),
        )
        .order_by(TagRow.score.desc(), TagRow.asset_id)
    ):
        if row.asset_id not in found:
            made_by = maker(row.source, row.indexer, row.model)
            found[row.asset_id] = Reviewed(row.asset_id, row.score, made_by, row.start_us, None)
    if wanted.below is None:
        return found
    return {id_: one for id_, one in found.items() if (one.score or 0.0) < wanted.below}


def decided_on(session: Session, word: str, verdict: Verdict) -> list[Reviewed]:
    """Assets of which a person said so, newest decision first."""
    best = (
        select(TagRow.asset_id, func.max(TagRow.score).label("score"))
        .where(TagRow.word == word, TagRow.source != TagSource.FILE)
        .group_by(TagRow.asset_id)
        .subquery()
    )
    rows = session.execute(
        select(TagDecision.asset_id, best.c.score, TagDecision.decided_us)
        .join(Asset, Asset.id == TagDecision.asset_id)
        .outerjoin(best, best.c.asset_id == TagDecision.asset_id)
        .where(
            TagDecision.word == word,
            TagDecision.verdict == verdict,
            not_in_trash(),
            has_file(Asset.id),
        )
        .order_by(TagDecision.decided_us.desc(), TagDecision.asset_id)
    )
    return [Reviewed(row.asset_id, row.score, None, None, row.decided_us) for row in rows]
