"""Words as points in the space of a network, and how sure each is of what lies in that space."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexers.calibration import Standard

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dam.contracts import Unit
    from indexers.calibration import Calibration, Scores
    from indexers.vocabulary import Vocabulary

    VectorsOf = Callable[[Sequence[str]], Unit]

# Of two words one always has half: an exclusive group speaks only when it prefers one.
LEAST_SHARE = 0.6


class ZeroShot:
    """All words of some vocabularies in one space."""

    def __init__(
        self, vocabularies: Sequence[Vocabulary], neutral: Sequence[str], vectors_of: VectorsOf
    ) -> None:
        """`neutral`: texts that a word has to stand out from, see `calibration`."""
        self.names = [(each.name, word) for each in vocabularies for word in each.words]
        self._neutral = vectors_of(neutral)
        asked = [text for each in vocabularies for texts in each.words.values() for text in texts]
        vectors_of(asked)  # in one call; below they come from the cache
        self._groups = [
            (each, np.stack([_centre(vectors_of(texts)) for texts in each.words.values()]))
            for each in vocabularies
            if each.words
        ]

    def scores(self, vectors: Unit, calibration: Calibration) -> Scores:
        """(n, words) confidence; in an exclusive group all words but a clear winner are 0."""
        standard = Standard(vectors, self._neutral)
        columns: list[Scores] = [np.empty((len(vectors), 0))]
        for vocabulary, words in self._groups:
            if vocabulary.exclusive:
                shares = standard.exclusive(words, complete=vocabulary.complete)
                least = np.maximum(shares.max(axis=1, keepdims=True), LEAST_SHARE)
                columns.append(np.where(shares >= least, shares, 0))
            else:
                columns.append(standard.independent(words, calibration))
        return np.hstack(columns)


def _centre(vectors: Unit) -> Unit:
    """(dim,) unit: the middle of several ways to say one thing."""
    middle = vectors.mean(axis=0)
    unit: Unit = middle / np.linalg.norm(middle)
    return unit
