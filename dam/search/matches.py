"""One reason why a text matches, and how well a set of them covers the words of a query."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dam.search.query import Channel


@dataclass(frozen=True, slots=True)
class Match:
    """Which field, what it says, and which words of the query it holds."""

    channel: Channel
    field: str  # a TextField, or "approved", "keyword", "tag"
    body: str
    words: frozenset[str]
    weight: float
    is_exact: bool  # the query is all of it
    confidence: float | None = None  # of a model's tag
    at_us: int | None = None  # when it is said or seen


def best_weights(matches: Iterable[Match]) -> dict[str, float]:
    """The best weight with which each word was found."""
    best: dict[str, float] = defaultdict(float)
    for match in matches:
        for word in match.words:
            best[word] = max(best[word], match.weight)
    return dict(best)
