"""How sharp and how well exposed a picture is. Numbers of one picture; knows no media, no model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from cv2.typing import MatLike
    from numpy.typing import NDArray

    from dam.contracts import Pixels

LONG_SIDE_PX = 768  # sharpness is judged at this size; larger costs more than it tells
TILES = 6  # each way: a sharp face before a soft background is a sharp picture
KERNEL_PX = 11
SMALLEST_PX = 2 * KERNEL_PX
TEXTURED = 0.01  # mean gradient below which a tile is sky or wall and says nothing
SHARPEST = 90  # percentile of the tiles
WHITE, BLACK = 253, 2


def luminance(pixels: Pixels) -> NDArray[np.float32]:
    """(height, width) in [0, 1]."""
    return _scaled(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))


def exposure(pixels: Pixels) -> float:
    """Mean luminance in [0, 1]."""
    return cv2.mean(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))[0] / 255


def sharpness(pixels: Pixels) -> float:
    """In [0, 1]: how much of its detail a picture loses when it is blurred.

    0 where nothing has any texture, and for a picture too small to judge. After F. Crete et al.,
    "The blur effect" (SPIE 6492, 2007). Photographs lie at .73 to .88 (5th to 95th
    percentile of 40 COCO photos); after a Gaussian blur of 1.5 px at .45 to .67, of 3 px at .26
    to .41.
    """
    if min(pixels.shape[:2]) < SMALLEST_PX:
        return 0.0
    written = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    scale = LONG_SIDE_PX / max(written.shape)
    if scale < 1:
        width, height = (max(TILES + 1, round(scale * side)) for side in written.shape[::-1])
        written = cv2.resize(written, (width, height), interpolation=cv2.INTER_AREA)
    grey = _scaled(written)
    lost = np.minimum(_kept(grey, axis=0), _kept(grey, axis=1))
    textured = ~np.isnan(lost)
    return float(np.percentile(lost[textured], SHARPEST)) if textured.any() else 0.0


def _scaled(grey: MatLike) -> NDArray[np.float32]:
    return np.multiply(grey, 1 / 255, dtype=np.float32)


def _kept(grey: NDArray[np.float32], *, axis: int) -> NDArray[np.float64]:
    """Of each tile, the part of the gradients that a blur takes away; NaN without texture."""
    soft = np.asarray(cv2.blur(grey, (KERNEL_PX, 1) if axis else (1, KERNEL_PX)), np.float32)
    gradients = _gradients(grey, axis=axis)
    # Not under zero: where a blur adds gradients it has not taken any away.
    lost = np.maximum(gradients - _gradients(soft, axis=axis), 0)
    of_tiles, lost_of_tiles = _tiled(gradients), _tiled(lost)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(of_tiles > TEXTURED / 2, lost_of_tiles / of_tiles, np.nan)


def _gradients(grey: NDArray[np.float32], *, axis: int) -> NDArray[np.float32]:
    first, second = (grey[:, :-1], grey[:, 1:]) if axis else (grey[:-1], grey[1:])
    return np.asarray(cv2.absdiff(first, second), np.float32)


def _tiled(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """(tiles, tiles) means."""
    means = cv2.resize(values, (TILES, TILES), interpolation=cv2.INTER_AREA)
    return np.asarray(means, np.float64)


def clipped_highlights(pixels: Pixels) -> float:
    """The part of the pixels that are white in every channel."""
    white = cv2.inRange(pixels, (WHITE,) * 3, (255,) * 3)
    return cv2.countNonZero(white) / white.size


def crushed_shadows(pixels: Pixels) -> float:
    """The part of the pixels that are black in every channel."""
    black = cv2.inRange(pixels, (0,) * 3, (BLACK,) * 3)
    return cv2.countNonZero(black) / black.size
