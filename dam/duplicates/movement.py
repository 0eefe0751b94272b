"""Whether what moves in one film moves in the other, by coarse pictures of the same instants.

What a hash sees of a camera that stands still is the background, which another hour before the
same camera shares. So the mean of the pictures is taken away, and what is left must agree: a copy
has the same change at the same time. A mark that stays in its place goes with the background.
Called by `dam.duplicates.films`; knows neither hashes nor assets.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dam.duplicates.overlay import agreements
from dam.media.views import BLENDED_PX, FRAME_PX, FRAME_VIEWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dam.media.views import View

    Floats = NDArray[np.float32]

# Two versions are not looked at in the same instants. Between two pictures that are as close as
# they come, both are blended; else the nearest one counts, if it is no further than half of that.
BLENDED_US = 620_000
NEAR_US = 300_000
MOST_INSTANTS = 512  # that are compared, evenly chosen; more say the same
# Levels of 255 by which pictures deviate from their mean. What codecs make of a still picture
# stays under .5, a person far away in a hall makes .5 to 10.
MOVES = 0.5
# Correlation with the background from which on a picture shows it; a person before it leaves .95.
SAME_PLACE = 0.9


class Pictures(NamedTuple):
    """Of a film, at most two a second; none of what is black or flat."""

    at_us: NDArray[np.int64]  # (n,) ascending
    grey: NDArray[np.uint8]  # (n, FRAME_PX, FRAME_PX) luminance

    def between(self, start_us: int, end_us: int) -> Pictures:
        first, last = np.searchsorted(self.at_us, [start_us, end_us])
        return Pictures(self.at_us[first:last], self.grey[first:last])


class Movement(NamedTuple):
    instants: int  # of which both films have a picture
    levels: float  # by which pictures deviate from their mean, of the film where it is more
    agreement: float  # in [-1, 1], of what is left without the mean


def compare(one: Pictures, other: Pictures, shift_us: int) -> Movement:
    """`shift_us`: what is at 0 in one film is there in the other."""
    moved = Pictures(other.at_us - shift_us, other.grey)
    fewer, more = (one, moved) if len(one.at_us) < len(moved.at_us) else (moved, one)
    known, before, part = _between(more.at_us, fewer.at_us)
    known = known[_evenly(len(known))]
    if len(known) < 2:
        return Movement(len(known), 0.0, 0.0)
    before, part = before[known], part[known, None]

    def moving(matrices: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
        mine = _seen(fewer.grey[known], matrices)
        first, second = (_seen(more.grey[before + step], matrices) for step in (0, 1))
        theirs = first * (1 - part) + second * part
        return mine - mine.mean(0), theirs - theirs.mean(0)

    plain, *cropped = (moving(matrices) for matrices in _VIEWS)
    pairs = [plain, *((mine, plain[1]) for mine, _ in cropped)]
    pairs += [(plain[0], theirs) for _, theirs in cropped]
    agreement = max(float((a * b).sum() / max(_length(a) * _length(b), 1e-6)) for a, b in pairs)
    return Movement(len(known), max(map(_levels, plain)), agreement)


def is_still(pictures: Pictures) -> bool:
    """Nothing moves."""
    seen = _seen(_chosen(pictures), _VIEWS[0])
    return not len(seen) or _levels(seen - seen.mean(0)) < MOVES


def stands_still(pictures: Pictures) -> bool:
    """The camera: whatever moves, the place remains. So does a single picture."""
    seen = _seen(_chosen(pictures), _VIEWS[0])
    return not len(seen) or float(np.median(_likeness(seen, seen.mean(0)))) >= SAME_PLACE


def moves_before(pictures: Pictures, background: Floats) -> bool:
    """Whether a film shows this picture and something that moves before it; light may change."""
    seen = _seen(_chosen(pictures), _VIEWS[0])
    likeness = _likeness(seen, background)
    there = likeness >= SAME_PLACE
    if not there.any():
        return False
    spread = seen[there].std(1)
    return float(np.sqrt((spread**2 * (1 - likeness[there] ** 2).clip(0)).mean())) >= MOVES


def background(pictures: Pictures) -> Floats:
    """(FRAME_PX²,)"""
    seen: Floats = _seen(_chosen(pictures), _VIEWS[0]).mean(0)
    return seen


def agreement_of_stills(first: Pictures, second: Pictures) -> float:
    """In [-1, 1], by the rule for photos; of films in which nothing moves."""
    stills = [_enlarged(_chosen(pictures).mean(0)) for pictures in (first, second)]
    placed = np.stack([view.matrix(1, 1) for view in FRAME_VIEWS])
    found = [
        agreements(np.stack([one] * len(placed)), np.stack([other] * len(placed)), placed)
        for one, other in (stills, stills[::-1])
    ]
    return float(np.max(found))


def _between(
    at_us: NDArray[np.int64], asked_us: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Which asked instants are known, for all: the picture before, and how much of the next one
    makes up what was seen in that instant. The two are never further apart than `BLENDED_US`."""
    if len(at_us) < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
    after = np.searchsorted(at_us, asked_us).clip(1, len(at_us) - 1)
    early, late = asked_us - at_us[after - 1], at_us[after] - asked_us
    blended = (early >= 0) & (late >= 0) & (early + late <= BLENDED_US)
    part = np.where(blended, early / (early + late), early > late)
    known = blended | (np.minimum(np.abs(early), np.abs(late)) <= NEAR_US)
    return np.flatnonzero(known), after - 1, part.astype(np.float32)


def _evenly(number: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, max(0, number - 1), min(number, MOST_INSTANTS), dtype=np.int64))


def _chosen(pictures: Pictures) -> NDArray[np.uint8]:
    return pictures.grey[_evenly(len(pictures.grey))]


def _seen(pictures: NDArray[np.uint8], matrices: tuple[Floats, Floats]) -> Floats:
    """(n, FRAME_PX²), as a view shows them."""
    down, across = matrices
    seen: Floats = down @ pictures.astype(np.float32) @ across.T
    return seen.reshape(len(pictures), -1)


def _levels(moving: Floats) -> float:
    return _length(moving) / math.sqrt(moving.size)


def _length(values: Floats) -> float:
    return float(np.sqrt((values.astype(np.float64) ** 2).sum()))


def _likeness(seen: Floats, picture: Floats) -> Floats:
    """(n,) correlation with the picture."""
    centred, wanted = seen - seen.mean(1, keepdims=True), picture - picture.mean()
    lengths = np.sqrt((centred**2).sum(1) * (wanted**2).sum()).clip(1e-6)
    likeness: Floats = (centred @ wanted) / lengths
    return likeness


def _enlarged(picture: Floats) -> NDArray[np.uint8]:
    factor = BLENDED_PX // FRAME_PX
    return picture.round().astype(np.uint8).repeat(factor, 0).repeat(factor, 1)


def _matrices(view: View) -> tuple[Floats, Floats]:
    return _along(view.top, view.bottom), _along(view.left, view.right)


def _along(start: float, end: float) -> Floats:
    """(FRAME_PX, FRAME_PX): takes a line of pixels to the part that a view shows, and blurs it, so
    that neither a fraction of a pixel nor a codec's blocks count."""
    places = (start + (np.arange(FRAME_PX) + 0.5) / FRAME_PX * (end - start)) * FRAME_PX - 0.5
    places = places.clip(0, FRAME_PX - 1)
    taken = (1 - np.abs(places[:, None] - np.arange(FRAME_PX))).clip(0)
    padded = np.concatenate([taken[:1], taken, taken[-1:]])
    return np.asarray((padded[:-2] + 2 * taken + padded[2:]) / 4, np.float32)


_VIEWS = [_matrices(view) for view in FRAME_VIEWS]  # the first one: as it is
