"""Lays two pictures over each other and says how well they agree.

Hashes propose, this decides: a hash forgives much, and among very many pictures some that have
nothing in common come close. Coarse pictures of 32 × 32 are moved, turned, scaled and sheared on
each other (Lucas and Kanade's registration; Baker and Matthews: Lucas-Kanade 20 Years On, 2004),
many pairs at once, and compared by their normalised correlation, which light does not change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dam.media.views import BLENDED_PX as SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

SURE = 0.97  # the agreement from which no better position is looked for
STEPS = 8  # of which the last ones hardly change anything
STEP = 0.15  # half pictures; longer ones overshoot
LEAST_SHARED = 0.6  # part of the picture; on a smaller one anything can be made to fit
FARTHEST = 0.3  # from the position that was proposed
AT_ONCE = 1_024  # pairs: 100 MB while they are compared
_PLACES = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE * 2 - 1
_X, _Y = (part.ravel() for part in np.meshgrid(_PLACES, _PLACES))


def agreements(pictures: NDArray[np.uint8], others: NDArray[np.uint8], placed: Floats) -> Floats:
    """(n,) in [-1, 1], 1 for the same picture.

    `pictures`, `others`: (n, SIDE, SIDE). `placed`: (n, 2, 3), where in the picture a place of the
    other one lies, as far as it is known (`View.matrix`).
    """
    parts = [
        _agreements(
            _blurred(pictures[at : at + AT_ONCE].astype(np.float32)),
            _blurred(others[at : at + AT_ONCE].astype(np.float32)).reshape(-1, SIDE * SIDE),
            placed[at : at + AT_ONCE],
        )
        for at in range(0, len(pictures), AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _agreements(pictures: Floats, others: Floats, placed: Floats) -> Floats:
    best = np.full(len(pictures), -1, np.float32)
    position = placed.copy()
    rest = np.arange(len(pictures))
    for _ in range(STEPS + 1):
        warped, shared = _warped(pictures[rest], position[rest])
        agreement = (_normalised(warped, shared) * _normalised(others[rest], shared)).sum(1)
        allowed = (shared.mean(1) >= LEAST_SHARED) & (
            np.abs(position[rest] - placed[rest]).max((1, 2)) <= FARTHEST
        )
        best[rest] = np.where(allowed, np.maximum(best[rest], agreement), best[rest])
        going_on = allowed & (agreement < SURE)
        if not going_on.any():
            break
        moved = _moved(warped[going_on], shared[going_on], others[rest][going_on])
        rest = rest[going_on]
        position[rest] = position[rest] @ moved
    return best


def _moved(warped: Floats, shared: Floats, others: Floats) -> Floats:
    """(n, 3, 3): the small move after which they agree better, by one Gauss-Newton step."""
    seen = warped.reshape(-1, SIDE, SIDE)
    down, across = (np.asarray(np.gradient(seen, axis=axis), np.float32) for axis in (1, 2))
    scale = shared * (SIDE / 2) / _spread(warped, shared)
    across, down = across.reshape(len(warped), -1) * scale, down.reshape(len(warped), -1) * scale
    slopes = np.stack([across * _X, across * _Y, across, down * _X, down * _Y, down], axis=2)
    errors = _normalised(others, shared) - _normalised(warped, shared)
    square = slopes.transpose(0, 2, 1) @ slopes
    damping = np.trace(square, axis1=1, axis2=2)[:, None, None] * 2e-4 + 1e-6
    square += damping * np.eye(6, dtype=np.float32)
    wanted = slopes.transpose(0, 2, 1) @ errors[:, :, None]
    step = np.linalg.solve(square, wanted).reshape(-1, 2, 3).clip(-STEP, STEP)
    moved = np.tile(np.eye(3, dtype=np.float32), (len(step), 1, 1))
    moved[:, :2] += step
    return moved


def _warped(pictures: Floats, position: Floats) -> tuple[Floats, Floats]:
    """(n, SIDE²) as seen from the other pictures, and where (1) there is something to see."""
    x, y = (_along(position[:, row]) for row in (0, 1))
    inside = (x > -0.5) & (x < SIDE - 0.5) & (y > -0.5) & (y < SIDE - 0.5)
    x, y = x.clip(0, SIDE - 1.001), y.clip(0, SIDE - 1.001)
    left, top = x.astype(np.int64), y.astype(np.int64)
    x, y = x - left, y - top
    flat, corner = pictures.reshape(len(pictures), -1), top * SIDE + left

    def at(step: int) -> Floats:
        return np.take_along_axis(flat, corner + step, axis=1)

    upper = at(0) * (1 - x) + at(1) * x
    lower = at(SIDE) * (1 - x) + at(SIDE + 1) * x
    return (upper * (1 - y) + lower * y).astype(np.float32), inside.astype(np.float32)


def _along(row: Floats) -> Floats:
    """(n, 3) of a position → (n, SIDE²) where its pixels lie, counted in pixels."""
    places = row[:, 0:1] * _X + row[:, 1:2] * _Y + row[:, 2:3]
    return np.asarray((places + 1) * (SIDE / 2) - 0.5, np.float32)


def _centred(values: Floats, shared: Floats) -> Floats:
    mean = (values * shared).sum(1, keepdims=True) / shared.sum(1, keepdims=True).clip(1)
    centred: Floats = (values - mean) * shared
    return centred


def _spread(values: Floats, shared: Floats) -> Floats:
    centred = _centred(values, shared)
    spread: Floats = np.sqrt((centred**2).sum(1, keepdims=True)).clip(1e-3)
    return spread


def _normalised(values: Floats, shared: Floats) -> Floats:
    """Mean 0 and length 1 over what is shared."""
    return _centred(values, shared) / _spread(values, shared)


def _blurred(pictures: Floats) -> Floats:
    for axis in (1, 2):
        size = pictures.shape[axis]
        padded = np.concatenate(
            [pictures.take([0], axis), pictures, pictures.take([size - 1], axis)], axis
        )
        before, after = (padded.take(range(at, at + size), axis) for at in (0, 2))
        pictures = (before + 2 * pictures + after) / 4
    return pictures
