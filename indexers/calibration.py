"""From cosines to confidence: how sure a zero-shot tag is, without a labelled picture.

A cosine alone says little: its level depends on the model and on the picture. So each picture's
cosines are measured against its own cosines with several hundred neutral texts (the built-in
names of objects and scenes), and a word has to stand out from those as well as beat them.

The constants of `independent` are a logistic regression on 5,000 labelled photographs with a
small stand-in model, raised a little because captions leave things out; `ABSTAIN` and
`SHARPNESS` were read off the same photographs. docs/indexers/tags.md publishes what came out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from dam.contracts import Unit

Scores = NDArray[np.floating[Any]]

SHARPNESS = 2.0  # of the softmax over standardised cosines
COMPETITION = 1.57  # how much the best neutral texts hold a word down
# In an exclusive group, the standardised cosine at which a word is as likely as none of them.
# Smaller: mood and topic are guessed for every picture; larger: even sunsets go unnamed.
ABSTAIN = 2.5


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
        # The level of the strongest neutral texts, as a soft maximum.
        self._crowd = (top + np.log(np.exp(scaled - top).sum(axis=1, keepdims=True))) / SHARPNESS

    def independent(self, words: Unit) -> Scores:
        """(n, words) confidence in [0, 1], each word for itself."""
        logit = SHARPNESS * self._standing(words) - COMPETITION * self._crowd
        return np.asarray(1 / (1 + np.exp(-logit)))

    def exclusive(self, words: Unit, *, complete: bool) -> Scores:
        """(n, words) confidence in [0, 1] of words that shut each other out.

        Rows sum to 1 when the group is `complete`, else the rest is "none of these".
        """
        standing = self._standing(words)
        none = np.full((len(standing), 0 if complete else 1), ABSTAIN)
        scaled = SHARPNESS * np.hstack([standing, none])
        weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        shares = weights / weights.sum(axis=1, keepdims=True)
        return np.asarray(shares[:, : standing.shape[1]])

    def _standing(self, words: Unit) -> Scores:
        """How many deviations a word lies over the neutral texts."""
        return np.asarray((self._pictures @ words.T - self._mean) / self._deviation)
