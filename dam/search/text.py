"""Candidates from what is written: names, folders, titles, captions, camera, place, details, tags.

FTS5 finds, Python judges: the full-text tables answer with capped candidates, and how well an
asset fits is computed from all of its texts, so that words spread over name, folder and tags
count together. A word's worth is its rarity (idf), an asset's coverage the worth it covers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import aliased

from dam.search.filters import MOST_ROWS, full_text, in_present_file
from dam.search.line_kinds import LINE_KINDS
from dam.search.matches import Match
from dam.search.meanings import carriers, words_meant
from dam.search.passages import IN_ORDER, Line, Passage, passages_of, timed_texts
from dam.search.query import Channel
from dam.search.words import fold, fts_phrase, is_unspaced, like_pattern, words_of
from dam.tables import Asset, File, TagDecision, TagRow, TagSource, TextField, TextRow, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

CANDIDATES = 1_000  # text rows taken per look-up; more costs time, and nobody pages that far
LINES = 5  # text rows looked at for each asset that is taken
COMMON = 5_000  # rows; ranking all of a commoner word takes a quarter of a second (bm25)
SHORT = 3  # words; longer queries are sentences, whose words are not looked for inside of words
IN_VOCABULARY = 0.95  # worth of a tag that is meant by the word, but called otherwise
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
    TextField.DETAIL: 0.75,
    TextField.FOLDER: 0.65,
}
APPROVED = 1.0  # a person said so
KEYWORD = 0.97  # in the file, mostly by a person
MODEL_TAG = 0.6  # times its confidence; made from the same vectors as the visual channel


@dataclass(slots=True)
class TextHit:
    asset_id: str
    matches: list[Match] = field(default_factory=list)  # with those of the best passage
    passages: list[Passage] = field(default_factory=list)  # best first
    file_id: int | None = None  # the file whose name or folder matched best


@dataclass(frozen=True, slots=True)
class _Restriction:
    """Which assets may be candidates."""

    within: Set[str] | None  # None: all
    without: Set[str]

    @property
    def is_any(self) -> bool:
        return self.within is not None or bool(self.without)

    def allows(self, asset_id: str) -> bool:
        return (self.within is None or asset_id in self.within) and asset_id not in self.without


def text_hits(
    session: Session,
    words: Sequence[str],
    whole: str,
    *,
    within: Set[str] | None,
    without: Set[str] = frozenset(),
) -> tuple[dict[str, TextHit], dict[str, float]]:
    """Assets that hold some of the words, and the worth (idf > 0) of every word.

    `whole` is the query as typed, for exact names and titles; `within` and `without` restrict the
    assets before they are counted as candidates.
    """
    looked_up = list(words)[:WORDS]
    if not looked_up:
        return {}, {}
    frequencies = {word: _frequency(session, word) for word in looked_up}
    total = session.scalar(select(func.count()).select_from(Asset)) or 0
    worth = {word: _idf(frequencies[word], total) for word in looked_up}
    restriction = _Restriction(within, without)
    meant = words_meant(session, looked_up, whole)
    carrying = [id_ for id_ in carriers(session, meant, CANDIDATES) if restriction.allows(id_)]
    found = [*carrying, *_candidates(session, frequencies, restriction)]
    asset_ids = list(dict.fromkeys(found))
    hits: dict[str, TextHit] = {}
    judge = _Judge(looked_up, whole, meant)
    for asset_id, file_id, field_name, body, shown in _texts(session, asset_ids):
        match = judge.text(field_name, body, shown)
        if match is not None:
            hit = hits.setdefault(asset_id, TextHit(asset_id))
            if file_id is not None and not any(known.is_exact for known in hit.matches):
                hit.file_id = file_id
            hit.matches.append(match)
    for asset_id, match in _tag_matches(session, asset_ids, judge):
        hits.setdefault(asset_id, TextHit(asset_id)).matches.append(match)
    for asset_id, lines in _lines(session, asset_ids, judge).items():
        hit = hits.setdefault(asset_id, TextHit(asset_id))
        hit.passages = passages_of(lines, worth)
        hit.matches += hit.passages[0].matches
    return hits, worth


class _Judge:
    """Says which words of the query a text holds."""

    def __init__(
        self, words: Sequence[str], whole: str, meant: Mapping[str, frozenset[str]]
    ) -> None:
        self.words = words
        self._meant = meant
        self._whole = words_of(whole)
        self.inside = [
            word
            for word in words
            if is_unspaced(word) or (len(words) <= SHORT and len(word) >= PART)
        ]

    def text(self, field_name: str, body: str, shown: str) -> Match | None:
        """`body` is what was made searchable of the text as `shown`: names are taken apart."""
        return self._match(
            Channel.TEXT, field_name, body, WEIGHTS[TextField(field_name)], shown=shown
        )

    def line(self, field_name: str, body: str, at_us: int | None) -> Match | None:
        """Of what is said or written at some time."""
        kind = LINE_KINDS[TextField(field_name)]
        match = self._match(kind.channel, field_name, body, kind.weight)
        if match is None:
            return None
        in_order = f" {' '.join(self._whole)} " in f" {' '.join(words_of(body))} "
        return replace(match, at_us=at_us, weight=match.weight + IN_ORDER * in_order)

    def tag(
        self, asset_id: str, name: str, word: str, weight: float, confidence: float | None
    ) -> Iterator[tuple[str, Match]]:
        match = self._match(Channel.TAGS, name, word, weight, confidence)
        if match is not None:
            yield asset_id, match
        meant = self._meant.get(word.casefold())
        if meant and not (match is not None and meant <= match.words):
            weight *= IN_VOCABULARY
            yield asset_id, Match(Channel.TAGS, name, word, meant, weight, False, confidence)

    def _match(
        self,
        channel: Channel,
        name: str,
        body: str,
        weight: float,
        confidence: float | None = None,
        shown: str | None = None,
    ) -> Match | None:
        text = body if shown is None else shown
        held = words_of(text)
        present = {*held, *words_of(body)}
        whole_words = frozenset(word for word in self.words if word in present)
        folded = fold(body)
        inside = frozenset(word for word in self.inside if word not in present and word in folded)
        if not whole_words and not inside:
            return None
        if not whole_words:
            weight *= INSIDE
        is_exact = held == self._whole or (
            name == TextField.NAME and held[:-1] == self._whole and "." in text
        )
        return Match(channel, name, text, whole_words | inside, weight, is_exact, confidence)


def _idf(frequency: int, total: int) -> float:
    return math.log(1 + (total + 1) / (frequency + 0.5))


def _frequency(session: Session, word: str) -> int:
    """Rows that hold the word, counted up to a little over `COMMON`."""
    some = full_text("texts_words", fts_phrase(word)).limit(COMMON + 1).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _candidates(
    session: Session, frequencies: dict[str, int], restriction: _Restriction
) -> list[str]:
    """Assets worth judging: those with all words in one text first, then until there are enough."""
    found = dict.fromkeys(_approved(session, frequencies, restriction))
    for query in _look_ups(frequencies):
        found |= dict.fromkeys(_assets_of(session, query, restriction))
        if len(found) >= CANDIDATES:
            break
    return list(found)


def _look_ups(frequencies: dict[str, int]) -> Iterator[Select[int]]:
    known = [word for word, frequency in frequencies.items() if frequency]
    rare = [word for word in known if frequencies[word] <= COMMON]
    if known and (len(known) > 1 or not rare):
        expression = " AND ".join(fts_phrase(word) for word in known)
        yield full_text("texts_words", expression)
    if rare:
        expression = " OR ".join(fts_phrase(word) for word in rare)
        yield full_text("texts_words", expression).order_by(literal_column("rank"))
    for word, frequency in frequencies.items():
        looks_inside = is_unspaced(word) or not frequency or len(frequencies) <= SHORT
        if looks_inside and len(word) >= PART:
            yield full_text("texts_trigrams", fts_phrase(word))
        elif is_unspaced(word):
            pattern = like_pattern(word)
            yield select(TextRow.id).where(TextRow.body.like(pattern, escape="\\"))


def _assets_of(session: Session, texts: Select[int], restriction: _Restriction) -> Iterable[str]:
    """Assets of matching rows, in the order of the rows, until there are enough."""
    # Many rows may be the lines of one transcript.
    rows = texts.limit(MOST_ROWS if restriction.is_any else LINES * CANDIDATES).subquery()
    # An outer join keeps SQLite from turning the order of the two tables round.
    query = select(TextRow.asset_id).select_from(rows).outerjoin(TextRow, TextRow.id == rows.c[0])
    found: dict[str, None] = {}
    for asset_id in session.scalars(query.execution_options(yield_per=CANDIDATES)):
        if restriction.allows(asset_id):
            found[asset_id] = None
        if len(found) >= CANDIDATES:
            break
    return found


def _approved(session: Session, words: Iterable[str], restriction: _Restriction) -> Iterable[str]:
    """Assets with a decision about one of the words; decisions have no text rows."""
    query = select(TagDecision.asset_id, TagDecision.word).where(
        TagDecision.verdict == Verdict.APPROVED
    )
    wanted = set(words)
    for asset_id, word in session.execute(query):
        if restriction.allows(asset_id) and wanted & set(words_of(word)):
            yield asset_id


def _texts(
    session: Session, asset_ids: Sequence[str]
) -> Iterable[tuple[str, int | None, str, str, str]]:
    """(asset id, file id, field, what is searchable, what people see) of present files."""
    named = aliased(File)
    for some in _parts(asset_ids):
        for row in session.execute(
            select(TextRow.asset_id, TextRow.file_id, TextRow.field, TextRow.body, named.display)
            .outerjoin(named, named.id == TextRow.file_id)
            .where(
                TextRow.asset_id.in_(some),
                TextRow.field.in_(sorted(WEIGHTS)),
                in_present_file(),
            )
            .order_by(TextRow.id)
        ):
            is_name = row[2] == TextField.NAME and row[4] is not None
            shown = row[4].rpartition("/")[2] if is_name else row[3]
            yield row[0], row[1], row[2], row[3], shown


def _lines(session: Session, asset_ids: Sequence[str], judge: _Judge) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for some in _parts(asset_ids):
        for asset_id, name, body, start_us, end_us in timed_texts(
            session, some, judge.words, judge.inside
        ):
            match = judge.line(name, body, start_us)
            if match is not None:
                found.setdefault(asset_id, []).append(Line(match, start_us, end_us))
    return found


def _tag_matches(
    session: Session, asset_ids: Sequence[str], judge: _Judge
) -> Iterator[tuple[str, Match]]:
    for some in _parts(asset_ids):
        decided: set[tuple[str, str]] = set()
        for asset_id, word, verdict in session.execute(
            select(TagDecision.asset_id, TagDecision.word, TagDecision.verdict)
            .where(TagDecision.asset_id.in_(some))
            .order_by(TagDecision.id)
        ):
            decided.add((asset_id, word.lower()))
            if verdict == Verdict.APPROVED:
                yield from judge.tag(asset_id, "approved", word, APPROVED, None)
        best: dict[tuple[str, str], tuple[str, str, float]] = {}
        for asset_id, word, source, score in session.execute(
            select(TagRow.asset_id, TagRow.word, TagRow.source, TagRow.score)
            .where(TagRow.asset_id.in_(some))
            .order_by(TagRow.score, TagRow.id)
        ):
            best[asset_id, word.lower()] = (word, source, score)  # of a video's spans the surest
        for key, (word, source, score) in best.items():
            if key in decided:
                continue  # approved: seen above; rejected: never matches
            if source == TagSource.FILE:
                yield from judge.tag(key[0], "keyword", word, KEYWORD, None)
            else:
                yield from judge.tag(key[0], "tag", word, MODEL_TAG * score, score)


def _parts(asset_ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (asset_ids[at : at + CANDIDATES] for at in range(0, len(asset_ids), CANDIDATES))
