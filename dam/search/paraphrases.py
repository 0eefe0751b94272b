"""What was said or written in other words than the query's: moments and quotes from vectors.

A vector knows when something is said, not what: the lines at that time are read as people read
them, mended ones included. A line that holds words of the query has its moment already
(`dam.search.passages`); it is surer then, and not there twice.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select

from dam.search.line_kinds import LINE_KINDS
from dam.search.moments import CLOSE, MOST
from dam.search.query import Channel, Moment
from dam.tables import TextField, TextRow, VectorRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from dam.search.spaces import VectorHit

# Of the confidence: the very words are surer than their meaning, and of a thousand lines ten are
# near to a query that none of them answers.
WORTH = 0.8
AT_ONCE = 1_000  # passages asked for in one statement


@dataclass(frozen=True, slots=True)
class Meant:
    """A passage that means what is asked."""

    field: TextField
    text: str
    score: float
    start_us: int | None  # None: of a photo
    end_us: int | None

    @property
    def channel(self) -> Channel:
        return LINE_KINDS[self.field].channel


def quoted(session: Session, hits: Mapping[str, Sequence[VectorHit]]) -> dict[str, list[Meant]]:
    """The best passages of each asset, best first; `hits` are by asset, best first.

    None where a person has taken the lines away and their vector is not made anew yet.
    """
    wanted = [hit for found in hits.values() for hit in found[:MOST] if _is_close(hit, found[0])]
    passages: dict[str, list[Meant]] = defaultdict(list)
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        lines = _lines_at(session, some)
        for hit in some:
            if hit.vector_id in lines:
                passages[hit.asset_id].append(_meant(hit, lines[hit.vector_id]))
    return passages


def _is_close(hit: VectorHit, best: VectorHit) -> bool:
    return hit.confidence >= CLOSE * best.confidence


def _lines_at(session: Session, hits: Sequence[VectorHit]) -> dict[int, list[tuple[str, str]]]:
    """By vector id: (field, text) of the lines within its span, in order."""
    of_photo = and_(VectorRow.start_us.is_(None), TextRow.start_us.is_(None))
    within = and_(
        TextRow.start_us >= VectorRow.start_us,
        TextRow.end_us <= VectorRow.end_us,
        # What can be read has the span of what shows it; lines of speech are parts of a passage.
        or_(
            TextRow.field == TextField.SPEECH,
            and_(TextRow.start_us == VectorRow.start_us, TextRow.end_us == VectorRow.end_us),
        ),
    )
    rows = session.execute(
        select(VectorRow.id, TextRow.field, TextRow.body)
        .join(TextRow, and_(TextRow.asset_id == VectorRow.asset_id, or_(of_photo, within)))
        .where(
            VectorRow.id.in_([hit.vector_id for hit in hits]),
            TextRow.field.in_([TextField.SPEECH, TextField.WRITING]),
        )
        .order_by(TextRow.start_us, TextRow.id)
    )
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for vector_id, field, body in rows:
        found[vector_id].append((field, body))
    return found


def _meant(hit: VectorHit, lines: Sequence[tuple[str, str]]) -> Meant:
    # Speech hardly ever begins and ends with a shot, whose span what can be read in it has.
    written = [body for field, body in lines if field == TextField.WRITING]
    text = " ".join(written or [body for _, body in lines])
    field = TextField.WRITING if written else TextField.SPEECH
    return Meant(field, text, WORTH * hit.confidence, hit.start_us, hit.end_us)


def with_paraphrases(said: Sequence[Moment], meant: Sequence[Meant]) -> list[Moment]:
    """The moments of lines that hold the words, surer where they mean it too, and those of the
    best other lines."""
    moments = list(said)
    for one in meant:
        if one.start_us is None or one.end_us is None:
            continue
        moment = Moment(
            one.start_us / 1e6, one.end_us / 1e6, one.score, one.channel, at_s=one.start_us / 1e6
        )
        known = [at for at, other in enumerate(moments) if _is_same(other, moment)]
        for at in known:
            moments[at] = replace(moments[at], score=max(moments[at].score, one.score))
        if not known:
            moments.append(moment)
    return moments


def _is_same(one: Moment, other: Moment) -> bool:
    if one.start_s is None or one.end_s is None or other.start_s is None or other.end_s is None:
        return False
    overlap_s = min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
    return one.channel is other.channel and overlap_s > 0
