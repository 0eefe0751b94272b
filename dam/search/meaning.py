"""What was said or written in other words than the query's: moments and quotes from vectors.

A vector knows when something is said, not what: the lines at that time are read as people read
them, mended ones included. A line that holds words of the query has its moment already
(`dam.search.passages`); it is surer then, and not there twice.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from dam.search.line_kinds import LINE_KINDS
from dam.search.moments import CLOSE, MOST
from dam.search.query import Channel, Moment
from dam.tables import TextField, TextRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from dam.search.spaces import VectorHit

# Of the confidence: the very words are surer than their meaning, and of a thousand lines ten are
# near to a query that none of them answers.
WORTH = 0.8


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


@dataclass(frozen=True, slots=True)
class _Row:
    field: TextField
    body: str
    start_us: int | None
    end_us: int | None


def quoted(session: Session, hits: Mapping[str, Sequence[VectorHit]]) -> dict[str, list[Meant]]:
    """By asset, best first. `hits` are those of few assets, by asset."""
    lines: dict[str, list[_Row]] = defaultdict(list)
    for asset_id, field, body, start_us, end_us in session.execute(
        select(TextRow.asset_id, TextRow.field, TextRow.body, TextRow.start_us, TextRow.end_us)
        .where(TextRow.asset_id.in_(list(hits)), TextRow.field.in_(sorted(LINE_KINDS)))
        .order_by(TextRow.start_us, TextRow.id)
    ):
        lines[asset_id].append(_Row(TextField(field), body, start_us, end_us))
    return {
        asset_id: [meant for hit in found[:MOST] if (meant := _meant(hit, lines[asset_id]))]
        for asset_id, found in hits.items()
    }


def _meant(hit: VectorHit, lines: Sequence[_Row]) -> Meant | None:
    """None where a person has taken the lines away and their vector is not made anew yet."""
    written = [
        line
        for line in lines
        if line.field is TextField.WRITING
        and (line.start_us, line.end_us) == (hit.start_us, hit.end_us)
    ]
    spoken = [line for line in lines if line.field is TextField.SPEECH and _lies_in(line, hit)]
    # What can be read for as long as a shot lasts has the shot's own span; speech begins and ends
    # elsewhere.
    found = written or spoken
    if not found:
        return None
    text = " ".join(line.body for line in found)
    return Meant(found[0].field, text, WORTH * hit.confidence, hit.start_us, hit.end_us)


def _lies_in(line: _Row, hit: VectorHit) -> bool:
    if None in (line.start_us, line.end_us, hit.start_us, hit.end_us):
        return False
    return hit.start_us <= line.start_us and line.end_us <= hit.end_us  # type: ignore[operator]


def with_meaning(said: Sequence[Moment], meant: Sequence[Meant]) -> list[Moment]:
    """The moments of lines that hold the words, surer where they mean it too, and those of the
    best other lines."""
    moments = list(said)
    best = max((one.score for one in meant), default=0.0)
    for one in meant:
        if one.start_us is None or one.end_us is None or one.score < CLOSE * best:
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
