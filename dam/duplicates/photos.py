"""Photos that show the same: pairs of which one was made from the other, and bursts.

Hashes propose pairs, the coarse pictures laid over each other decide, and a pair that a picture
model finds unlike is dropped. Works on arrays; `dam.duplicates.prints` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dam.duplicates.hamming import near
from dam.duplicates.overlay import agreements
from dam.media.views import PHOTO_VIEWS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

# Bits between a picture and a view of the other one. Measured on the corpus of the tests: of
# edited copies 97 % lie within 10, pictures that have nothing in common begin at 14.
MOST_BITS = 10
# Of the same picture after an edit 99 % agree more, of pictures without relation none does.
LEAST_AGREEMENT = 0.9
BURST_US = 3_000_000  # between one exposure and the next; cameras take several a second
BURST_BITS = 20  # people move between the exposures
BURST_AGREEMENT = 0.7
SAME_EXPOSURE = 0.99  # agreement of two that were taken within the clock's precision


@dataclass(frozen=True, slots=True)
class Photos:
    """What is compared of photos; one row each, in any order."""

    hashes: NDArray[np.uint64]  # (n, views)
    sizes: NDArray[np.float64]  # (n, 2) width and height
    taken_us: NDArray[np.int64]  # (n,), -1: unknown
    cameras: Sequence[str | None]
    greys: Callable[[NDArray[np.int64]], NDArray[np.uint8]]  # of some rows: (m, 32, 32)
    # Of pairs of rows: True where a picture model sees nothing in common.
    unlike: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]


class PhotoPairs(NamedTuple):
    one: NDArray[np.int64]
    other: NDArray[np.int64]
    agreement: NDArray[np.float32]
    is_burst: NDArray[np.bool_]


class _Candidates(NamedTuple):
    """`other` looks like a view of `one`."""

    one: NDArray[np.int64]
    other: NDArray[np.int64]
    view: NDArray[np.int64]
    bits: NDArray[np.uint8]


def find_pairs(photos: Photos) -> PhotoPairs:
    """Each pair once, `one` < `other`."""
    copies, bursts = _proposed(photos), _consecutive(photos)
    found = [
        _confirmed(photos, candidates, least)
        for candidates, least in ((copies, LEAST_AGREEMENT), (bursts, BURST_AGREEMENT))
    ]
    one = np.concatenate([pairs.one for pairs in found])
    other = np.concatenate([pairs.other for pairs in found])
    agreement = np.concatenate([pairs.agreement for pairs in found])
    is_burst = np.concatenate([pairs.is_burst for pairs in found])
    _, once = np.unique(one * max(1, len(photos.hashes)) + other, return_index=True)
    return PhotoPairs(one[once], other[once], agreement[once], is_burst[once])


def _proposed(photos: Photos) -> _Candidates:
    count, views = photos.hashes.shape
    found = near(photos.hashes.T.ravel(), np.ascontiguousarray(photos.hashes[:, 0]), MOST_BITS)
    one, view = found.queries % max(1, count), found.queries // max(1, count)
    return _best(_Candidates(one, found.stored, view, found.bits), count, views)


def _consecutive(photos: Photos) -> _Candidates:
    """Exposures of one camera right after each other."""
    known = np.flatnonzero(photos.taken_us >= 0)
    order = known[np.argsort(photos.taken_us[known], kind="stable")]
    one, other = order[:-1], order[1:]
    apart_us = photos.taken_us[other] - photos.taken_us[one]
    same_camera = [
        photos.cameras[first] is not None and photos.cameras[first] == photos.cameras[second]
        for first, second in zip(one, other, strict=True)
    ]
    bits = np.bitwise_count(photos.hashes[one, 0] ^ photos.hashes[other, 0])
    close = (apart_us <= BURST_US) & np.array(same_camera, bool) & (bits <= BURST_BITS)
    one, other, bits = one[close], other[close], bits[close]
    return _Candidates(one, other, np.zeros(len(one), np.int64), bits)


def _best(found: _Candidates, count: int, views: int) -> _Candidates:
    """Of each pair the view that fits best, whichever of the two it belongs to."""
    apart = found.one != found.other
    one, other, view, bits = (part[apart] for part in found)
    pair = np.minimum(one, other) * max(1, count) + np.maximum(one, other)
    order = np.lexsort((view, bits, pair))
    first = np.ones(len(order), bool)
    first[1:] = pair[order][1:] != pair[order][:-1]
    chosen = order[first]
    return _Candidates(one[chosen], other[chosen], view[chosen], bits[chosen])


def _confirmed(photos: Photos, candidates: _Candidates, least: float) -> PhotoPairs:
    one, other, view, _ = candidates
    seen = np.unique(np.concatenate([one, other]))
    greys = photos.greys(seen)
    placed = np.zeros((len(one), 2, 3), np.float32)
    for at, (photo, number) in enumerate(zip(one, view, strict=True)):
        placed[at] = PHOTO_VIEWS[number].matrix(*photos.sizes[photo])
    agreement = agreements(
        greys[np.searchsorted(seen, one)], greys[np.searchsorted(seen, other)], placed
    )
    kept = np.flatnonzero(agreement >= least)
    kept = kept[~photos.unlike(one[kept], other[kept])]
    one, other, agreement = one[kept], other[kept], agreement[kept]
    low, high = np.minimum(one, other), np.maximum(one, other)
    return PhotoPairs(low, high, agreement, _are_burst(photos, low, high, agreement))


def _are_burst(
    photos: Photos,
    one: NDArray[np.int64],
    other: NDArray[np.int64],
    agreement: NDArray[np.float32],
) -> NDArray[np.bool_]:
    """Two exposures, not two versions of one: of one size, and taken at two times, or within one
    second of the clock and not quite the same."""
    taken, sizes = photos.taken_us, photos.sizes
    apart_us = np.abs(taken[one] - taken[other])
    in_time = (taken[one] >= 0) & (taken[other] >= 0) & (apart_us <= BURST_US)
    same_camera = [
        photos.cameras[first] is not None and photos.cameras[first] == photos.cameras[second]
        for first, second in zip(one, other, strict=True)
    ]
    same_size = (sizes[one] == sizes[other]).all(1)
    two_exposures = (apart_us > 0) | (agreement < SAME_EXPOSURE)
    burst: NDArray[np.bool_] = in_time & same_size & two_exposures & np.array(same_camera, bool)
    return burst
