"""Films that show the same: one after the other the same looks, at the same distances in time.

Hashes of frames propose, at which shift in time they agree; what moves decides. What is black or
flat has no hash, so it never matches; a shared opening or a single shot that looks alike is not
enough, for most of the shorter film must agree.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dam.duplicates import movement
from dam.duplicates.hamming import near

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from dam.duplicates.movement import Pictures

MOST_BITS = 10  # of a frame and a view of the other film's frame
# Where the same moves in both, and so more is known than the hashes: a mark over the picture costs
# 4 to 12 bits.
MOVING_BITS = 16
GRID_US = 250_000  # in steps of which two films are shifted and compared
# Part of the time in which both show the same: of copies .84 and more, of films without relation
# less than .1.
LEAST_SHARE = 0.6
LEAST_OVERLAP = 0.5  # of the shorter film; a shared beginning and end is less
SHORTEST_US = 3_000_000  # in less, what moves before one camera may agree by chance
LEAST_INSTANTS = 4  # from which on movement is known
# Of what moves. Measured: of copies .87 and more where more moves than somebody far away, of other
# takes of a camera that stands still up to .81 (bottles on a belt, one like the other) and .70
# (people in a hall), at the shift where they agree best.
LEAST_AGREEMENT = 0.85
# A film in which nothing moves is a picture, and compared as one: all of the shorter film.
STILL_OVERLAP = 0.9
STILL_AGREEMENT = 0.9
# Between two looks at a film things move. Longer: scenes next to each other are taken for one.
SOON_US = 1_000_000
SHIFTS = 32  # that are tried with those beside, those first that most pairs of frames speak for
FILMS_AT_HAND = 8  # whose pictures are in memory, each at most 4 MB


class Film(NamedTuple):
    starts_us: NDArray[np.int64]  # (n,) of its looks, ascending
    ends_us: NDArray[np.int64]
    hashes: NDArray[np.uint64]  # (n, views)
    duration_us: int


class FilmPair(NamedTuple):
    one: int
    other: int
    share: float  # of the time in which both show the same


def find_pairs(films: Sequence[Film], pictures: Callable[[int], Pictures]) -> list[FilmPair]:
    """Each pair once, `one` < `other`. `pictures`: of a film by its place, for candidates only."""
    seen = lru_cache(FILMS_AT_HAND)(pictures)
    found = []
    for one, other in sorted(_proposed(films)):
        share = _shared(films[one], films[other], seen(one), seen(other))
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


def _shared(one: Film, other: Film, mine: Pictures, theirs: Pictures) -> float:
    """The largest part of a common stretch of time in which both show the same."""
    bits = _bits(one, other)
    best = 0.0
    for shift in _likely_shifts(one, other, bits):
        overlap = _overlap_at(one, other, bits, shift)
        if overlap is None or overlap.share(MOVING_BITS) < max(best, LEAST_SHARE):
            continue
        best = max(best, _confirmed(overlap, mine, theirs))
        if best == 1:
            break
    return best


def _likely_shifts(one: Film, other: Film, bits: NDArray[np.uint8]) -> list[int]:
    """On the grid. Copies that were not cut start or end together."""
    at, meets = np.nonzero(bits <= MOST_BITS)
    shifts = np.round((other.starts_us[meets] - one.starts_us[at]) / GRID_US).astype(np.int64)
    values, votes = np.unique(shifts, return_counts=True)
    likely = values[np.argsort(-votes, kind="stable")[:SHIFTS]].tolist()
    ends = round((other.duration_us - one.duration_us) / GRID_US)
    beside = [shift + step for step in (-1, 1) for shift in likely]
    return list(dict.fromkeys([*likely, 0, ends, *beside]))


def _confirmed(overlap: _Overlap, one: Pictures, other: Pictures) -> float:
    """The part in which both show the same, 0 where what moves says that they are two films."""
    shift_us, share = overlap.shift_us, overlap.share(MOST_BITS)
    mine = one.between(overlap.start_us, overlap.end_us)
    theirs = other.between(overlap.start_us + shift_us, overlap.end_us + shift_us)
    moved = movement.compare(mine, theirs, shift_us)
    known = moved.instants >= LEAST_INSTANTS
    if known and moved.levels >= movement.MOVES:
        return overlap.share(MOVING_BITS) if moved.agreement >= LEAST_AGREEMENT else 0.0
    if known or (movement.is_still(mine) and movement.is_still(theirs)):
        same = overlap.part >= STILL_OVERLAP and _same_still(one, other, mine, theirs)
        return share if same else 0.0
    # Too few instants in common: what a moving camera shows is enough.
    still_camera = movement.stands_still(mine) or movement.stands_still(theirs)
    return 0.0 if still_camera else share


def _same_still(one: Pictures, other: Pictures, mine: Pictures, theirs: Pictures) -> bool:
    """Both show one picture, and it is no place in which something moves at another time."""
    if not len(mine.at_us) or not len(theirs.at_us):
        return False
    if movement.moves_before(one, movement.background(mine)):
        return False
    if movement.moves_before(other, movement.background(theirs)):
        return False
    return movement.agreement_of_stills(mine, theirs) >= STILL_AGREEMENT


def _bits(one: Film, other: Film) -> NDArray[np.uint8]:
    """(n, m): between looks, the best of all views of either."""
    bits = np.full((len(one.hashes), len(other.hashes)), 64, np.uint8)
    for view in range(one.hashes.shape[1]):
        for left, right in ((view, 0), (0, view)):
            differing = one.hashes[:, None, left] ^ other.hashes[None, :, right]
            np.minimum(bits, np.bitwise_count(differing), out=bits)
    return bits


class _Overlap(NamedTuple):
    """The time that two films have in common at some shift, in steps of the grid."""

    shift_us: int
    start_us: int  # in the one film
    end_us: int
    part: float  # of the shorter film
    bits: NDArray[np.uint8]  # where both show something
    steps: int  # in which one of them shows something

    def share(self, most_bits: int) -> float:
        return float((self.bits <= most_bits).sum() / max(1, self.steps))


def _overlap_at(one: Film, other: Film, bits: NDArray[np.uint8], shift: int) -> _Overlap | None:
    shift_us = shift * GRID_US
    start_us, end_us = max(0, -shift_us), min(one.duration_us, other.duration_us - shift_us)
    shorter_us = min(one.duration_us, other.duration_us)
    if end_us - start_us < max(LEAST_OVERLAP * shorter_us, min(SHORTEST_US, shorter_us)):
        return None
    times_us = np.arange(start_us, end_us, GRID_US)
    row, row_shown = _shown_at(one, times_us)
    column, column_shown = _shown_at(other, times_us + shift_us)
    least = np.full(len(times_us), 64, np.uint8)
    for later_row in _also_next(one, row, times_us):
        for later_column in _also_next(other, column, times_us + shift_us):
            np.minimum(least, bits[later_row, later_column], out=least)
    steps = int((row_shown | column_shown).sum())
    part = (end_us - start_us) / shorter_us
    return _Overlap(shift_us, start_us, end_us, part, least[row_shown & column_shown], steps)


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
