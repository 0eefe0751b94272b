"""What a vector store promises to the search above it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from dam.contracts import Unit

Ids = NDArray[np.int64]


class Neighbour(NamedTuple):
    vector_id: int
    score: float  # cosine, from the stored vector


class VectorIndex(Protocol):
    """One space. Safe to share between threads; searching never waits for a refresh."""

    def refresh(self) -> None:
        """Catches up with the database; cheap when nothing changed."""

    def search(self, query: Unit, limit: int, *, allowed: Ids | None = None) -> list[Neighbour]:
        """The nearest stored vectors, best first, ties by id.

        `query` is (dim,) float32 of unit norm. `allowed` restricts the answer to these vector
        ids; ids that the space does not hold are ignored.
        """

    def sample(self, limit: int) -> Unit:
        """(n, dim) float32, unit rows, n ≤ limit, spread evenly over the space."""

    @property
    def count(self) -> int:
        """Vectors that can be found, as of the last refresh."""

    def ids(self) -> Ids:
        """Every vector id that can be found, ascending."""
