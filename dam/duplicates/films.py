"""Films that show the same: one after the other the same looks, at the same distances in time.

Works on hashes of frames. What is black or flat has none, so it never matches; a shared opening or
a single shot that looks alike is not enough, for most of the shorter film must agree.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dam.duplicates.hamming import near

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_BITS = 10  # of a frame and a view of the other film's frame
GRID_US = 250_000  # in steps of which two films are shifted and compared
# Part of the time in which both show the same. Measured: of copies .84 and more, of films without
# relation less than .1.
LEAST_SHARE = 0.6
LEAST_OVERLAP = 0.5  # of the shorter film; a shared beginning and end is less
SHORTEST_US = 1_000_000
# A camera that stands still shows much the same whenever: then the frames must agree better than
# those of another take do.
STILL_BITS = 3.0
# Between two looks at a film things move. Longer: scenes next to each other are taken for one.
SOON_US = 1_000_000
SHIFTS = 64  # that are tried, those first that most pairs of frames speak for


class Film(NamedTuple):
    starts_us: NDArray[np.int64]  # (n,) of its looks, ascending
    ends_us: NDArray[np.int64]
    hashes: NDArray[np.uint64]  # (n, views)
    duration_us: int


class FilmPair(NamedTuple):
    one: int
    other: int
    share: float  # of the time in which both show the same


def find_pairs(films: Sequence[Film]) -> list[FilmPair]:
    """Each pair once, `one` < `other`."""
    found = []
    for one, other in sorted(_proposed(films)):
        share = _shared(films[one], films[other])
        if share >= LEAST_SHARE:
            found.append(FilmPair(one, other, share))
    return found


def _proposed(films: Sequence[Film]) -> set[tuple[int, int]]:
    """Films of which a few frames are alike. A still picture that lasts counts once."""
    distinct = [np.unique(film.hashes, axis=0) for film in films if len(film.hashes)]
    if not distinct:
        return set()
    numbers = [number for number, film in enumerate(films) if len(film.hashes)]
    owner = np.repeat(numbers, [len(hashes) for hashes in distinct])
    hashes = np.concatenate(distinct)
    met = near(hashes.T.ravel(), np.ascontiguousarray(hashes[:, 0]), MOST_BITS)
    row = met.queries % len(hashes)
    one, other = np.sort(np.stack([owner[row], owner[met.stored]]), axis=0)
    looks = np.bincount(owner, minlength=len(films))
    times = Counter(zip(one[one != other].tolist(), other[one != other].tolist(), strict=True))
    return {
        pair
        for pair, meetings in times.items()
        if meetings >= min(3, int(looks[pair[0]]), int(looks[pair[1]]))
    }


def _shared(one: Film, other: Film) -> float:
    """The largest part of a common stretch of time in which both show the same."""
    bits = _bits(one, other)
    at, meets = np.nonzero(bits <= MOST_BITS)
    shifts = np.round((other.starts_us[meets] - one.starts_us[at]) / GRID_US).astype(np.int64)
    values, votes = np.unique(shifts, return_counts=True)
    likely = values[np.argsort(-votes, kind="stable")[:SHIFTS]]
    best = max((_share_at(one, other, bits, int(shift)) for shift in likely), default=0.0)
    return best


def _bits(one: Film, other: Film) -> NDArray[np.uint8]:
    """(n, m): between looks, the best of all views of either."""
    bits = np.full((len(one.hashes), len(other.hashes)), 64, np.uint8)
    for view in range(one.hashes.shape[1]):
        for left, right in ((view, 0), (0, view)):
            differing = one.hashes[:, None, left] ^ other.hashes[None, :, right]
            np.minimum(bits, np.bitwise_count(differing), out=bits)
    return bits


def _share_at(one: Film, other: Film, bits: NDArray[np.uint8], shift: int) -> float:
    shift_us = shift * GRID_US
    start_us, end_us = max(0, -shift_us), min(one.duration_us, other.duration_us - shift_us)
    shorter_us = min(one.duration_us, other.duration_us)
    if end_us - start_us < max(LEAST_OVERLAP * shorter_us, min(SHORTEST_US, shorter_us)):
        return 0.0
    times_us = np.arange(start_us, end_us, GRID_US)
    row, row_shown = _shown_at(one, times_us)
    column, column_shown = _shown_at(other, times_us + shift_us)
    both, any_ = row_shown & column_shown, row_shown | column_shown
    if not both.any():
        return 0.0
    least = np.full(len(times_us), 64, np.uint8)
    for later_row in _also_next(one, row, times_us):
        for later_column in _also_next(other, column, times_us + shift_us):
            np.minimum(least, bits[later_row, later_column], out=least)
    alike = both & (least <= MOST_BITS)
    if _stands_still(one.hashes[np.unique(row[alike]), 0]) and least[alike].mean() > STILL_BITS:
        return 0.0
    return float(alike.sum() / any_.sum())


def _shown_at(
    film: Film, times_us: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Which look is shown at each time, and whether one is."""
    look = np.searchsorted(film.starts_us, times_us, side="right") - 1
    return look.clip(0), (look >= 0) & (times_us < film.ends_us[look.clip(0)])


def _also_next(
    film: Film, look: NDArray[np.int64], times_us: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each look and the one that comes soon: two films were not looked at in the same instants."""
    following = (look + 1).clip(0, len(film.starts_us) - 1)
    soon = film.starts_us[following] - times_us <= SOON_US
    return look, np.where(soon, following, look)


def _stands_still(hashes: NDArray[np.uint64]) -> bool:
    return not len(hashes) or bool((np.bitwise_count(hashes ^ hashes[0]) <= MOST_BITS).all())
