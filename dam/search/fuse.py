"""How sure each channel is, in [0, 1], and how their answers become one score.

Visual. A cosine means nothing by itself: it depends on the model and on the words. What tells is
how far it stands out from how the same query fits pictures in general: with m and s the mean and
deviation of the query's cosines over a sample of the space (the best few left out, for they may
be what was asked for), z = (cosine - m) / s and

    visual = 0.95 / (1 + exp(-1.6 (z - 3)))

which rises with the cosine, so that the model's own order is kept. One picture in a hundred that
has nothing to do with the query reaches z = 2.3 (.23); what was asked for stands at 4 to 6
(.8 to .95).

Text. With the worth (idf) of every word of the query, c the share that an asset covers and w the
mean weight of the fields where it was found, n words:

    text = w c^min(n, 5);   at least .985 for an exact name or title, .97 for an exact keyword

so that two words out of a ten-word sentence, found in a file name by chance, weigh nothing, while
a word searched for alone weighs everything.

Sound. As visual, of vectors of what is heard; there are few of them, so what is expected of cosines
in general counts as some of them. An event that the query names (`dam.search.heard`) and that
overlaps adds to it as independent evidence does: 1 - (1 - a)(1 - b).

Words. As sound, of vectors of what is said and written; what is expected comes from sentences
about nothing in particular, for cosines of sentences lie at .05 with one model and at .8 with
another. What is less than even is left out: of ten thousand lines some are near to anything. The
same line may hold the query's words too: the larger of the two counts, never both
(`dam.search.paraphrases`).

Together. Visual and sound make what is perceived: with a the larger and b the smaller of the two,

    perceived = a + (1 - a) b r,   r from 0 to 1 as b goes from .3 to .8

and of what is perceived and the text, again with a the larger and b the smaller:

    score = a + (1 - a) b r,   r from 0 to 1 as text goes from .3 to .8

A weak text match thus never reorders what the model ranked. Where the query names a date and
some asset was taken then, all others are halved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dam.search.matches import best_weights
from dam.search.query import Channel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from dam.contracts import Unit
    from dam.search.matches import Match

TOP = 0.95
STEEPNESS = 1.6
MIDDLE = 3.0
LEFT_OUT = 0.03  # of a sample, at its top: what the query asks for is no background
LEAST_DEVIATION = 0.02  # cosine; the few pictures of a new library may look all alike
FEW = 3  # vectors below which nothing can be said about a background

EXACT_TEXT = 0.985
EXACT_TAG = 0.97
STEEPEST = 5
SENTENCE = 3  # words from which on a model's tags are left to the visual channel, their source
OTHER_DATE = 0.5


@dataclass(frozen=True, slots=True)
class Background:
    """How a query fits pictures in general."""

    mean: float
    deviation: float

    @classmethod
    def of(
        cls, query: Unit, sample: Unit, *, expected: Background | None = None, worth: int = 0
    ) -> Background:
        """`query` (dim,), `sample` (n, dim), both of unit norm. What is `expected` before any
        cosine is seen counts as much as `worth` of them."""
        cosines = np.sort(sample @ query)
        if expected is not None:
            return _updated(expected, worth, cosines[: len(cosines) - _left_out(len(cosines))])
        if len(cosines) < FEW:
            mean = float(cosines.mean()) if len(cosines) else 0.0
            return cls(mean - MIDDLE * LEAST_DEVIATION, LEAST_DEVIATION)
        kept = cosines[: len(cosines) - _left_out(len(cosines))]
        return cls(float(kept.mean()), max(float(kept.std()), LEAST_DEVIATION))

    @classmethod
    def of_all(cls, cosines: NDArray[np.float32]) -> Background:
        """Of cosines none of which can be what was asked for."""
        return cls(float(cosines.mean()), max(float(cosines.std()), LEAST_DEVIATION))

    def confidence(self, cosines: NDArray[np.float64]) -> NDArray[np.float64]:
        z = (cosines - self.mean) / self.deviation
        return np.asarray(TOP / (1 + np.exp(-STEEPNESS * (z - MIDDLE))), np.float64)


def _left_out(count: int) -> int:
    return max(1, round(LEFT_OUT * count))


def _updated(expected: Background, worth: int, cosines: NDArray[np.float32]) -> Background:
    """Mean and deviation of the cosines and of `worth` expected ones together."""
    count = len(cosines)
    total = worth + count
    mean = (worth * expected.mean + float(cosines.sum())) / total
    squares = worth * (expected.deviation**2 + expected.mean**2) + float(np.square(cosines).sum())
    return Background(mean, max(squares / total - mean**2, LEAST_DEVIATION**2) ** 0.5)


def text_confidence(
    matches: Iterable[Match], worth: Mapping[str, float], *, with_model_tags: bool
) -> float:
    counted = [match for match in matches if with_model_tags or match.confidence is None]
    weights = best_weights(counted)
    covered = sum(worth[word] for word in weights)
    whole = sum(worth.values())
    if not covered or not whole:
        return 0.0
    weight = sum(worth[word] * weights[word] for word in weights) / covered
    score = weight * (covered / whole) ** min(len(worth), STEEPEST)
    for match in counted:
        if match.is_exact and match.confidence is None:
            score = max(score, EXACT_TEXT if match.channel is Channel.TEXT else EXACT_TAG)
    return score


def fused(sensed: float, text: float) -> float:
    larger, smaller = max(sensed, text), min(sensed, text)
    return larger + (1 - larger) * smaller * _ramp(text, 0.3, 0.8)


def perceived(visual: float, sound: float) -> float:
    """Seen and heard at once is surer than either; what is faint does not reorder the other."""
    larger, smaller = max(visual, sound), min(visual, sound)
    return larger + (1 - larger) * smaller * _ramp(smaller, 0.3, 0.8)


def _ramp(value: float, low: float, high: float) -> float:
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    return share * share * (3 - 2 * share)


def rounded(score: float) -> float:
    """Scores nearer than this are equal: sums in another order must not change a ranking."""
    return math.floor(score * 1e9 + 0.5) / 1e9
