"""From cosines to confidence: how sure a zero-shot tag is, without a labelled picture.

A cosine alone says little: its level depends on the model and on the picture. So each picture's
cosines are measured against its own cosines with several hundred neutral texts (the built-in
names of objects and scenes), and a word has to stand out from those as well as beat them.

How much it has to stand out is a matter of the model: one that was measured says so in its
manifest (`Calibration`). The constants for all others are a logistic regression on 5,000 labelled
photographs with a small stand-in model, raised a little because captions leave things out;
`ABSTAIN` and `SHARPNESS` were read off the same photographs. docs/indexers/tags.md publishes what
came out.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dam.contracts import Unit

Scores = NDArray[np.floating[Any]]

SHARPNESS = 2.0  # of the softmax over standardised cosines
# In an exclusive group, the standardised cosine at which a word is as likely as none of them.
# Smaller: mood and topic are guessed for every picture; larger: even sunsets go unnamed.
ABSTAIN = 2.5


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the standing of a word becomes a confidence, for one model."""

    sharpness: float = SHARPNESS  # of a word for itself: per deviation over the neutral texts
    competition: float = 1.57  # how much the best neutral texts hold a word down
    # A word less likely right than wrong helps nobody; the published precision is for this one.
    least_confidence: float = 0.5

    @classmethod
    def of(cls, measured: Mapping[str, float]) -> Self:
        """From a model's manifest; what is not measured there is as for all models."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in measured.items() if name in known})


class Standard:
    """What the cosines of some pictures with neutral texts look like."""

    def __init__(self, pictures: Unit, neutral: Unit) -> None:
        """`pictures` (n, dim) and `neutral` (k, dim), unit rows."""
        self._pictures = pictures
        cosines = pictures @ neutral.T
        self._mean = cosines.mean(axis=1, keepdims=True)
        self._deviation = cosines.std(axis=1, keepdims=True) + 1e-9
        scaled = SHARPNESS * (cosines - self._mean) / self._deviation
        top = scaled.max(axis=1, keepdims=True)
        # (n, 1): the level of the strongest neutral texts, as a soft maximum.
        self.crowd: Scores = (
            top + np.log(np.exp(scaled - top).sum(axis=1, keepdims=True))
        ) / SHARPNESS

    def independent(self, words: Unit, calibration: Calibration) -> Scores:
        """(n, words) confidence in [0, 1], each word for itself."""
        logit = calibration.sharpness * self.standing(words) - calibration.competition * self.crowd
        return np.asarray(1 / (1 + np.exp(-logit)))

    def exclusive(self, words: Unit, *, complete: bool) -> Scores:
        """(n, words) confidence in [0, 1] of words that shut each other out.

        Rows sum to 1 when the group is `complete`, else the rest is "none of these".
        """
        standing = self.standing(words)
        none = np.full((len(standing), 0 if complete else 1), ABSTAIN)
        scaled = SHARPNESS * np.hstack([standing, none])
        weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        shares = weights / weights.sum(axis=1, keepdims=True)
        return np.asarray(shares[:, : standing.shape[1]])

    def standing(self, words: Unit) -> Scores:
        """(n, words): how many deviations a word lies over the neutral texts."""
        return np.asarray((self._pictures @ words.T - self._mean) / self._deviation)
