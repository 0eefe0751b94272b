"""What is said or written at some time: lines that hold words of a query → moments.

A transcript is long, and any ten words are somewhere in it. So its lines count for a passage, one
or a few that follow each other, and never for the asset as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from dam.search.filters import MOST_ROWS, full_text, matching_texts
from dam.search.fuse import text_confidence
from dam.search.line_kinds import LINE_KINDS
from dam.search.moments import CLOSE, MOST, NEAR_US
from dam.search.query import Moment
from dam.search.words import fts_phrase
from dam.tables import TextField, TextRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from dam.search.matches import Match

IN_ORDER = 0.05  # that a line says more about its moment with the words in their own order


@dataclass(frozen=True, slots=True)
class Line:
    match: Match
    start_us: int | None  # None: of a photo
    end_us: int | None


@dataclass(slots=True)
class Passage:
    lines: list[Line]
    score: float = 0.0
    words: set[str] = field(default_factory=set)

    @property
    def matches(self) -> list[Match]:
        return [line.match for line in self.lines]


def timed_texts(
    session: Session, asset_ids: Sequence[str], words: Sequence[str], inside: Sequence[str] = ()
) -> Iterable[tuple[str, str, str, int | None, int | None]]:
    """(asset id, field, text, start, end in µs) of the lines that hold one of the words.

    `inside`: those that are looked for inside of written words as well, whose gaps a machine that
    reads may miss. What is said is heard word by word, and "cat" is not in "location".
    """
    parts = (full_text("texts_trigrams", fts_phrase(word)).limit(MOST_ROWS) for word in inside)
    written = [(TextRow.field == TextField.WRITING) & TextRow.id.in_(part) for part in parts]
    holding = or_(*(TextRow.id.in_(matching_texts(word)) for word in words), *written)
    rows = session.execute(
        select(TextRow.asset_id, TextRow.field, TextRow.body, TextRow.start_us, TextRow.end_us)
        .where(TextRow.asset_id.in_(asset_ids), TextRow.field.in_(sorted(LINE_KINDS)), holding)
        .order_by(TextRow.asset_id, TextRow.start_us, TextRow.id)
    )
    return ((row[0], row[1], row[2], row[3], row[4]) for row in rows)


def passages_of(lines: Sequence[Line], worth: Mapping[str, float]) -> list[Passage]:
    """Best first. A line joins the one before it when it adds a word that was asked for."""
    found: list[Passage] = []
    for line in lines:
        before = found[-1] if found else None
        if before is not None and _continues(before, line):
            before.lines.append(line)
            before.words |= line.match.words
        else:
            found.append(Passage([line], words=set(line.match.words)))
    for passage in found:
        passage.score = text_confidence(passage.matches, worth, with_model_tags=True)
    return sorted(found, key=lambda passage: (-passage.score, passage.lines[0].start_us or 0))


def _continues(before: Passage, line: Line) -> bool:
    last = before.lines[-1]
    if line.start_us is None or last.end_us is None or line.match.field != last.match.field:
        return False
    return line.start_us - last.end_us < NEAR_US and not line.match.words <= before.words


def passage_moments(passages: Sequence[Passage]) -> list[Moment]:
    """The moments of the best passages; none where their time is not known."""
    best = passages[0].score if passages else 0.0
    return [
        Moment(
            start_us / 1e6,
            end_us / 1e6,
            passage.score,
            passage.matches[0].channel,
            at_s=start_us / 1e6,
        )
        for passage in passages
        if passage.score >= CLOSE * best
        and (start_us := passage.lines[0].start_us) is not None
        and (end_us := passage.lines[-1].end_us) is not None
    ][:MOST]
