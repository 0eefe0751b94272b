"""Tags as a person sees them: what the file says, what models suggest, what was decided.

A decision belongs to (asset, word) and outlives every re-run: a rejected word never matches and
never shows as a suggestion again, an approved one counts as certain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from dam.errors import BadRequest, NotFound
from dam.store import SUGGESTED
from dam.tables import Asset, TagDecision, TagRow, TagSource, Verdict, now_us

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MAX_WORD_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class TagView:
    """One word on one asset. `source` is file, model or person."""

    word: str
    vocabulary: str
    source: str
    score: float  # confidence in [0, 1]; 1 for what a file or a person says
    verdict: Verdict | None
    start_us: int | None = None  # where in a video it is seen best
    end_us: int | None = None


@dataclass(frozen=True, slots=True)
class WordCount:
    word: str
    assets: int


def tags_of(session: Session, asset_id: str, *, threshold: float = 0.0) -> list[TagView]:
    """Decided words first, then by confidence; suggestions below `threshold` are left out."""
    verdicts = {
        row.word: Verdict(row.verdict)
        for row in session.scalars(select(TagDecision).where(TagDecision.asset_id == asset_id))
    }
    views: dict[str, TagView] = {}
    for row in session.scalars(
        select(TagRow).where(TagRow.asset_id == asset_id).order_by(TagRow.score.desc())
    ):
        verdict = verdicts.get(row.word)
        if row.word in views or (verdict is None and row.score < threshold):
            continue
        views[row.word] = TagView(
            row.word, row.vocabulary, row.source, row.score, verdict, row.start_us, row.end_us
        )
    for word, verdict in verdicts.items():
        if word not in views and verdict is Verdict.APPROVED:
            views[word] = TagView(word, "own", "person", 1.0, verdict)
    return sorted(views.values(), key=lambda view: (view.verdict is None, -view.score, view.word))


def decide(session: Session, asset_id: str, word: str, verdict: Verdict | None) -> None:
    """Approves, rejects or (None) forgets what was decided; adds words that nobody suggested.

    Raises `NotFound` for an unknown asset and `BadRequest` for a word that cannot be one.
    """
    word = " ".join(word.split())
    if not word or len(word) > MAX_WORD_CHARACTERS:
        raise BadRequest(f"A tag has 1 to {MAX_WORD_CHARACTERS} characters, not {len(word)}.")
    if session.get(Asset, asset_id) is None:
        raise NotFound(f"There is no asset {asset_id}.")
    session.execute(
        delete(TagDecision).where(TagDecision.asset_id == asset_id, TagDecision.word == word)
    )
    if verdict is not None:
        session.add(TagDecision(asset_id=asset_id, word=word, verdict=verdict, decided_us=now_us()))


def count_words(session: Session, *, limit: int = 1000) -> list[WordCount]:
    """The words in use, commonest first: file keywords, confident suggestions and approvals."""
    rejected = (
        select(TagDecision.id)
        .where(
            TagDecision.asset_id == TagRow.asset_id,
            TagDecision.word == TagRow.word,
            TagDecision.verdict == Verdict.REJECTED,
        )
        .exists()
    )
    shown = (
        select(TagRow.word.label("word"), TagRow.asset_id.label("asset_id"))
        .where((TagRow.source == TagSource.FILE) | (TagRow.score >= SUGGESTED), ~rejected)
        .union(
            select(TagDecision.word, TagDecision.asset_id).where(
                TagDecision.verdict == Verdict.APPROVED
            )
        )
        .subquery()
    )
    number = func.count(shown.c.asset_id.distinct())
    rows = session.execute(
        select(shown.c.word, number)
        .group_by(shown.c.word)
        .order_by(number.desc(), shown.c.word)
        .limit(limit)
    )
    return [WordCount(word, assets) for word, assets in rows]
