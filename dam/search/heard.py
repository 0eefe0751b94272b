"""What was heard and named, as an answer to a query, and together with what it sounds like.

An event answers when the words of its label are among those of the query: "Dog" answers "dog
barking", "Waves, surf" answers "sea waves". It needs no model, and says a time.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from dam.search.spaces import VectorHit
from dam.search.words import words_of
from dam.tables import SoundEventRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

MOST_EVENTS = 20_000  # of one query, the surest; more are hours of rain
ENDINGS = re.compile(r"(?:ings?|ers?|ies|es|ed|e|s|y)$")
STEM = 3  # letters that stay: "ring" is no "r"


@dataclass(frozen=True, slots=True)
class EventHit:
    asset_id: str
    label: str
    start_us: int
    end_us: int
    confidence: float  # in [0, 1]: the model's, less where the label says more or less than asked


def event_hits(
    session: Session, words: Sequence[str], *, within: Select[str] | None
) -> list[EventHit]:
    """The events that the words name, surest first."""
    labels = session.scalars(select(SoundEventRow.label).distinct()).all()
    shares = {label: share for label in labels if (share := answers(label, words)) > 0}
    if not shares:
        return []
    query = select(
        SoundEventRow.asset_id,
        SoundEventRow.label,
        SoundEventRow.start_us,
        SoundEventRow.end_us,
        SoundEventRow.score,
    ).where(SoundEventRow.label.in_(sorted(shares)))
    if within is not None:
        query = query.where(SoundEventRow.asset_id.in_(within))
    found = session.execute(query.order_by(SoundEventRow.score.desc()).limit(MOST_EVENTS))
    hits = [
        EventHit(asset_id, label, start_us, end_us, score * shares[label])
        for asset_id, label, start_us, end_us, score in found
    ]
    return sorted(hits, key=lambda hit: (-hit.confidence, hit.asset_id, hit.start_us))


def answers(label: str, words: Sequence[str]) -> float:
    """How well a label of AudioSet answers the words of a query, in [0, 1].

    Its names are parted by commas ("Chicken, rooster"). All words of one must be asked for to
    count fully, half of them count a quarter; of four words asked for, one that is answered counts
    half of a query that it answers alone.
    """
    asked = {stem(word) for word in words}
    best = 0.0
    for name in label.split(","):
        named = {stem(word) for word in words_of(name)}
        held = len(named & asked)
        if held:
            best = max(best, (held / len(named)) ** 2 * (held / len(asked)) ** 0.5)
    return best


def stem(word: str) -> str:
    """What "barking", "barks" and "bark" share; good enough to compare two short phrases."""
    shorter = ENDINGS.sub("", word)
    return shorter if len(shorter) >= STEM else word


def together(likenesses: Iterable[VectorHit], events: Sequence[EventHit]) -> list[VectorHit]:
    """Moments that sound like it or are named so; where both say it at one time, they are surer.

    An event that no likeness overlaps is a moment of its own.
    """
    by_asset: dict[str, list[EventHit]] = defaultdict(list)
    for event in events:
        by_asset[event.asset_id].append(event)
    backed: set[EventHit] = set()
    found = []
    for hit in likenesses:
        overlapping = [event for event in by_asset[hit.asset_id] if _overlap(hit, event)]
        backed.update(overlapping)
        named = max((event.confidence for event in overlapping), default=0.0)
        found.append(replace(hit, confidence=hit.confidence + (1 - hit.confidence) * named))
    found += [
        VectorHit(0, e.asset_id, e.confidence, e.start_us, e.start_us, e.end_us)
        for e in events
        if e not in backed
    ]
    return found


def _overlap(hit: VectorHit, event: EventHit) -> bool:
    if hit.start_us is None or hit.end_us is None:
        return False
    return hit.start_us < event.end_us and event.start_us < hit.end_us
