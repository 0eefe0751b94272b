"""Tags as a person sees them: what the file says, what models suggest, what was decided.

A decision belongs to (asset, word) and outlives every re-run: a rejected word never matches and
never shows as a suggestion again, an approved one counts as certain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select

from dam.errors import BadRequest, NotFound
from dam.store import SUGGESTED
from dam.tables import (
    Asset,
    ProducerRow,
    Run,
    TagDecision,
    TagRow,
    TagSource,
    Verdict,
    now_us,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement
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
    producer: str | None = None  # who suggests it: indexer and model


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person said of one word on one asset."""

    verdict: Verdict
    decided_us: int


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
    for row, indexer, model in session.execute(
        select(TagRow, ProducerRow.indexer, ProducerRow.model)
        .outerjoin(Run, Run.id == TagRow.run_id)
        .outerjoin(ProducerRow, ProducerRow.id == Run.producer_id)
        .where(TagRow.asset_id == asset_id)
        .order_by(TagRow.score.desc())
    ):
        verdict = verdicts.get(row.word)
        if row.word in views or (verdict is None and row.score < threshold):
            continue
        views[row.word] = TagView(
            row.word,
            row.vocabulary,
            row.source,
            row.score,
            verdict,
            row.start_us,
            row.end_us,
            maker(row.source, indexer, model),
        )
    for word, verdict in verdicts.items():
        if word not in views and verdict is Verdict.APPROVED:
            views[word] = TagView(word, "own", "person", 1.0, verdict)
    return sorted(views.values(), key=lambda view: (view.verdict is None, -view.score, view.word))


def maker(source: str, indexer: str | None, model: str | None) -> str | None:
    """Who suggests a word, for people; None for what files and people say."""
    if source == TagSource.FILE:
        return None
    if source == TagSource.TAUGHT:
        return "your examples"
    return " · ".join(part for part in (indexer or source, model) if part)


def decide(session: Session, asset_id: str, word: str, verdict: Verdict | None) -> None:
    """Approves, rejects or (None) forgets what was decided; adds words that nobody suggested.

    Raises `NotFound` for an unknown asset and `BadRequest` for a word that cannot be one.
    """
    word = cleaned_word(word)
    if session.get(Asset, asset_id) is None:
        raise NotFound(f"There is no asset {asset_id}.")
    wish = None if verdict is None else Decided(verdict, now_us())
    write_verdicts(session, word, {asset_id: wish})


def cleaned_word(word: str) -> str:
    """A tag as it is stored. Raises `BadRequest` when it cannot be one."""
    word = " ".join(word.replace("\0", " ").split())
    if not word or len(word) > MAX_WORD_CHARACTERS:
        raise BadRequest(f"A tag has 1 to {MAX_WORD_CHARACTERS} characters, not {len(word)}.")
    return word


def write_verdicts(
    session: Session, word: str, wanted: Mapping[str, Decided | None]
) -> dict[str, Decided | None]:
    """Gives assets (at most a few thousand) what a person says of a word, or (None) forgets it.

    Returns what those that changed had before; unknown assets are passed over.
    """
    session.flush()
    said = (TagDecision.asset_id == Asset.id) & (TagDecision.word == word)
    rows = session.execute(
        select(Asset.id, TagDecision.verdict, TagDecision.decided_us)
        .outerjoin(TagDecision, said)
        .where(Asset.id.in_(list(wanted)))
    ).all()
    before: dict[str, Decided | None] = {}
    for asset_id, verdict, decided_us in rows:
        wish = wanted[asset_id]
        if verdict != (wish and wish.verdict):
            before[asset_id] = Decided(Verdict(verdict), decided_us) if verdict else None
    connection = session.connection()
    connection.execute(
        delete(TagDecision).where(TagDecision.word == word, TagDecision.asset_id.in_(list(before)))
    )
    new = [
        {
            "asset_id": asset_id,
            "word": word,
            "verdict": wish.verdict,
            "decided_us": wish.decided_us,
        }
        for asset_id in before
        if (wish := wanted[asset_id]) is not None
    ]
    if new:
        connection.execute(insert(TagDecision), new)
    session.expire_all()  # the statements went past the objects of the session
    return before


def is_rejected() -> ColumnElement[bool]:
    """A person said no to the word of a `TagRow`."""
    return (
        select(TagDecision.id)
        .where(
            TagDecision.asset_id == TagRow.asset_id,
            TagDecision.word == TagRow.word,
            TagDecision.verdict == Verdict.REJECTED,
        )
        .exists()
    )


def is_decided() -> ColumnElement[bool]:
    """A person said something of the word of a `TagRow`."""
    return (
        select(TagDecision.id)
        .where(TagDecision.asset_id == TagRow.asset_id, TagDecision.word == TagRow.word)
        .exists()
    )


def count_words(session: Session, *, limit: int = 1000) -> list[WordCount]:
    """The words in use, commonest first: file keywords, confident suggestions and approvals.

    What is in the trash does not count.
    """
    shown = (
        select(TagRow.word.label("word"), TagRow.asset_id.label("asset_id"))
        .where((TagRow.source == TagSource.FILE) | (TagRow.score >= SUGGESTED), ~is_rejected())
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
        .join(Asset, Asset.id == shown.c.asset_id)
        .where(Asset.trashed_us.is_(None))
        .group_by(shown.c.word)
        .order_by(number.desc(), shown.c.word)
        .limit(limit)
    )
    return [WordCount(word, assets) for word, assets in rows]
