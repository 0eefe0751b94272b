"""Candidates from what is written: names, folders, titles, captions, camera, place, tags.

FTS5 finds, Python judges: the full-text tables answer with capped candidates, and how well an
asset fits is computed from all of its texts, so that words spread over name, folder and tags
count together. A word's worth is its rarity (idf), an asset's coverage the worth it covers.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import column, func, literal_column, select, table

from dam.search.filters import in_present_file
from dam.search.query import Channel
from dam.search.words import fold, fts_phrase, is_unspaced, like_pattern, words_of
from dam.store import TextField
from dam.tables import Asset, TagDecision, TagRow, TagSource, TextRow, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

CANDIDATES = 1_000  # text rows taken per look-up; more costs time, and nobody pages that far
COMMON = 5_000  # rows; ranking all of a commoner word takes a quarter of a second (bm25)
SHORT = 3  # words; longer queries are sentences, whose words are not looked for inside of words
INSIDE = 0.6  # worth of a word found inside of another one
PART = 3  # letters; shorter parts are everywhere, and the trigram table cannot find them
WORDS = 24  # of a query that are looked up

# How much a field says about what a picture is.
WEIGHTS = {
    TextField.NAME: 0.9,
    TextField.TITLE: 0.95,
    TextField.CAPTION: 0.9,
    TextField.PLACE: 0.85,
    TextField.CAMERA: 0.75,
    TextField.FOLDER: 0.65,
}
APPROVED = 1.0  # a person said so
KEYWORD = 0.97  # in the file, mostly by a person
MODEL_TAG = 0.6  # times its confidence; made from the same vectors as the visual channel


@dataclass(frozen=True, slots=True)
class Match:
    """One reason: which field, what it says, and which words of the query it holds."""

    channel: Channel
    field: str  # a TextField, or "approved", "keyword", "tag"
    body: str
    words: frozenset[str]
    weight: float
    is_exact: bool  # the query is all of it
    confidence: float | None = None  # of a model's tag


@dataclass(slots=True)
class TextHit:
    asset_id: str
    matches: list[Match] = field(default_factory=list)
    file_id: int | None = None  # the file whose name or folder matched best


def text_hits(
    session: Session, words: Sequence[str], whole: str, *, within: Select[str] | None
) -> tuple[dict[str, TextHit], dict[str, float]]:
    """Assets that hold some of the words, and the worth (idf > 0) of every word.

    `whole` is the query as typed, for exact names and titles; `within` restricts the assets.
    """
    looked_up = list(words)[:WORDS]
    if not looked_up:
        return {}, {}
    frequencies = {word: _frequency(session, word) for word in looked_up}
    total = session.scalar(select(func.count()).select_from(Asset)) or 0
    worth = {word: _idf(frequencies[word], total) for word in looked_up}
    asset_ids = _candidates(session, frequencies, within)
    hits: dict[str, TextHit] = {}
    judge = _Judge(looked_up, whole)
    for text in _texts(session, asset_ids):
        match = judge.text(text.field, text.body)
        if match is not None:
            hit = hits.setdefault(text.asset_id, TextHit(text.asset_id))
            if text.file_id is not None and not any(known.is_exact for known in hit.matches):
                hit.file_id = text.file_id
            hit.matches.append(match)
    for asset_id, match in _tag_matches(session, asset_ids, judge):
        hits.setdefault(asset_id, TextHit(asset_id)).matches.append(match)
    return hits, worth


class _Judge:
    """Says which words of the query a text holds."""

    def __init__(self, words: Sequence[str], whole: str) -> None:
        self._words = words
        self._whole = words_of(whole)
        self._inside = [
            word
            for word in words
            if is_unspaced(word) or (len(words) <= SHORT and len(word) >= PART)
        ]

    def text(self, field_name: str, body: str) -> Match | None:
        weight = WEIGHTS.get(TextField(field_name))
        if weight is None:
            return None  # tags and keywords are judged one by one
        return self._match(Channel.TEXT, field_name, body, weight)

    def tag(self, name: str, word: str, weight: float, confidence: float | None) -> Match | None:
        return self._match(Channel.TAGS, name, word, weight, confidence)

    def _match(
        self,
        channel: Channel,
        name: str,
        body: str,
        weight: float,
        confidence: float | None = None,
    ) -> Match | None:
        held = words_of(body)
        present = set(held)
        whole_words = frozenset(word for word in self._words if word in present)
        folded = fold(body)
        inside = frozenset(word for word in self._inside if word not in present and word in folded)
        if not whole_words and not inside:
            return None
        if not whole_words:
            weight *= INSIDE
        is_exact = held == self._whole or (
            name == TextField.NAME and held[:-1] == self._whole and "." in body
        )
        return Match(channel, name, body, whole_words | inside, weight, is_exact, confidence)


def _idf(frequency: int, total: int) -> float:
    return math.log(1 + (total + 1) / (frequency + 0.5))


def _full_text(name: str, expression: str) -> Select[int]:
    rowid = table(name, column("rowid")).c.rowid
    return select(rowid).where(literal_column(name).op("MATCH")(expression))


def _frequency(session: Session, word: str) -> int:
    """Rows that hold the word, counted up to a little over `COMMON`."""
    some = _full_text("texts_words", fts_phrase(word)).limit(COMMON + 1).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _candidates(
    session: Session, frequencies: dict[str, int], within: Select[str] | None
) -> list[str]:
    known = [word for word, frequency in frequencies.items() if frequency]
    rare = [word for word in known if frequencies[word] <= COMMON]
    queries = []
    if rare:
        expression = " OR ".join(fts_phrase(word) for word in rare)
        queries.append(_full_text("texts_words", expression).order_by(literal_column("rank")))
    if known and (len(known) > 1 or not rare):
        expression = " AND ".join(fts_phrase(word) for word in known)
        queries.append(_full_text("texts_words", expression))
    for word, frequency in frequencies.items():
        looks_inside = is_unspaced(word) or not frequency or len(frequencies) <= SHORT
        if looks_inside and len(word) >= PART:
            queries.append(_full_text("texts_trigrams", fts_phrase(word)))
        elif is_unspaced(word):
            pattern = like_pattern(word)
            queries.append(select(TextRow.id).where(TextRow.body.like(pattern, escape="\\")))
    found: dict[str, None] = {}
    for query in queries:
        found |= dict.fromkeys(_assets_of(session, query, within))
    found |= dict.fromkeys(_approved(session, frequencies, within))
    return list(found)


def _assets_of(session: Session, texts: Select[int], within: Select[str] | None) -> Iterable[str]:
    if within is None:
        rows = texts.limit(CANDIDATES).subquery()
        query = select(TextRow.asset_id).where(TextRow.id.in_(select(rows)))
    else:
        query = (
            select(TextRow.asset_id)
            .where(TextRow.id.in_(texts.order_by(None)), TextRow.asset_id.in_(within))
            .limit(CANDIDATES)
        )
    return session.scalars(query.distinct())


def _approved(session: Session, words: Iterable[str], within: Select[str] | None) -> Iterable[str]:
    """Assets with a decision about one of the words; decisions have no text rows."""
    query = select(TagDecision.asset_id, TagDecision.word).where(
        TagDecision.verdict == Verdict.APPROVED
    )
    if within is not None:
        query = query.where(TagDecision.asset_id.in_(within))
    wanted = set(words)
    return [asset_id for asset_id, word in session.execute(query) if wanted & set(words_of(word))]


def _texts(session: Session, asset_ids: Sequence[str]) -> Iterable[TextRow]:
    for some in _parts(asset_ids):
        yield from session.scalars(
            select(TextRow)
            .where(TextRow.asset_id.in_(some), in_present_file())
            .order_by(TextRow.id)
        )


def _tag_matches(
    session: Session, asset_ids: Sequence[str], judge: _Judge
) -> Iterable[tuple[str, Match]]:
    for some in _parts(asset_ids):
        verdicts: dict[tuple[str, str], str] = {}
        for decision in session.scalars(
            select(TagDecision).where(TagDecision.asset_id.in_(some)).order_by(TagDecision.id)
        ):
            verdicts[decision.asset_id, decision.word.lower()] = decision.verdict
            if decision.verdict == Verdict.APPROVED:
                match = judge.tag("approved", decision.word, APPROVED, None)
                if match:
                    yield decision.asset_id, match
        best: dict[tuple[str, str], TagRow] = {}
        for tag in session.scalars(
            select(TagRow).where(TagRow.asset_id.in_(some)).order_by(TagRow.score, TagRow.id)
        ):
            best[tag.asset_id, tag.word.lower()] = tag  # spans of a video: the surest one
        for key, tag in best.items():
            if key in verdicts:
                continue  # approved: seen above; rejected: never matches
            is_keyword = tag.source == TagSource.FILE
            weight = KEYWORD if is_keyword else MODEL_TAG * tag.score
            confidence = None if is_keyword else tag.score
            match = judge.tag("keyword" if is_keyword else "tag", tag.word, weight, confidence)
            if match:
                yield tag.asset_id, match


def _parts(asset_ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (asset_ids[at : at + CANDIDATES] for at in range(0, len(asset_ids), CANDIDATES))


def best_weights(matches: Iterable[Match]) -> dict[str, float]:
    """The best weight with which each word was found."""
    best: dict[str, float] = defaultdict(float)
    for match in matches:
        for word in match.words:
            best[word] = max(best[word], match.weight)
    return dict(best)
