"""What indexers find: plain facts about an asset or a span of it.

A finding knows neither its asset nor its producer; `dam.store` adds both. A new kind of finding
is a class here, a table in `dam.tables.findings` and its rows in `dam.store`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Unit = NDArray[np.float32]  # (dim,) or (n, dim), rows of unit norm


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open `[start_us, end_us)` in microseconds from the asset's first timestamp."""

    start_us: int
    end_us: int

    def __post_init__(self) -> None:
        if not 0 <= self.start_us < self.end_us:
            raise ValueError(f"not a span: [{self.start_us}, {self.end_us})")


@dataclass(frozen=True, slots=True)
class Tag:
    vocabulary: str
    word: str
    score: float  # calibrated confidence in [0, 1]
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Vector:
    values: Unit  # (dim,) float32
    at_us: int | None = None  # the frame it was made from; None for a photo
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Shot:
    span: Span
    best_us: int  # time of the sampled frame that shows the shot best
    first_frame: int | None = None  # frame numbers, known only when every frame was decoded
    end_frame: int | None = None  # half-open, like the span


Finding = Tag | Vector | Shot
