"""The views of a picture that are hashed beside the picture as it is.

A perceptual hash (ImageHash pHash) forgives compression, scale and light, but not that a border is
gone or that the picture was turned. So a few such changes are made in advance: the hash of a copy
then equals one of the original's views. `indexers.fingerprints` makes the hashes;
`dam.duplicates.overlay` lays two pictures over each other from the view that matched.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

GREY_PX = 128  # long side of the grey picture that all views are taken from
HASHED_PX = 64  # pHash looks at 32; less would lose what its own scaling averages
BLENDED_PX = 32  # side of the square that pictures are laid over each other as
FRAME_PX = 16  # the same of a film's frames, of which there are many


@dataclass(frozen=True, slots=True)
class View:
    """A part of a picture, or all of it turned. Edges in parts of width and height."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0
    turned_deg: int = 0  # counter-clockwise
    grown: bool = False  # the turned picture keeps its corners, on a larger canvas

    def of(self, grey: Image.Image) -> Image.Image:
        if self.turned_deg % 90 == 0 and self.turned_deg:
            return grey.transpose(_QUARTERS[self.turned_deg])
        if self.turned_deg:
            return grey.rotate(
                self.turned_deg, resample=Image.Resampling.BILINEAR, expand=self.grown
            )
        width, height = grey.size
        box = (self.left * width, self.top * height, self.right * width, self.bottom * height)
        return grey.resize((HASHED_PX, HASHED_PX), Image.Resampling.BILINEAR, box=box)

    def matrix(self, width: float, height: float) -> NDArray[np.float32]:
        """(2, 3): from a place in the view to the same place in the picture of that size.

        Places are measured from the middle, 1 being the edge."""
        if not self.turned_deg:
            across, down = self.right - self.left, self.bottom - self.top
            rows = [[across, 0, self.left + self.right - 1], [0, down, self.top + self.bottom - 1]]
            return np.array(rows, np.float32)
        angle = math.radians(self.turned_deg)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        canvas = np.array([width, height])
        if self.grown or self.turned_deg % 90 == 0:
            canvas = np.abs(turn) @ canvas
        linear = np.diag([1 / width, 1 / height]) @ turn @ np.diag(canvas)
        return np.hstack([linear, np.zeros((2, 1))]).astype(np.float32)


_QUARTERS = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}
_CROPS = (
    View(0.025, 0.025, 0.975, 0.975),
    View(0.05, 0.05, 0.95, 0.95),
    View(0.00, 0.00, 0.93, 0.93),
    View(0.07, 0.00, 1.00, 0.93),
    View(0.00, 0.07, 0.93, 1.00),
    View(0.07, 0.07, 1.00, 1.00),
)
# Of a photo. More make pairs easier to find and every comparison dearer.
PHOTO_VIEWS = (
    View(),
    *_CROPS,
    *(View(turned_deg=turned) for turned in _QUARTERS),
    *(View(turned_deg=turned, grown=grown) for grown in (False, True) for turned in (-6, -3, 3, 6)),
)
# Of a frame. A film has many, so that few must be found.
FRAME_VIEWS = (View(), *_CROPS[:2])
# What a film keeps of a frame beside its hashes, as it is stored.
FRAME_PICTURE = np.dtype([("at_ms", "<u4"), ("grey", "u1", (FRAME_PX, FRAME_PX))])


def grey_of(image: Image.Image) -> Image.Image:
    """The picture in grey, long side `GREY_PX`."""
    factor = GREY_PX / max(image.size)
    size = (max(8, round(image.width * factor)), max(8, round(image.height * factor)))
    scaling = Image.Resampling.BOX if factor < 1 else Image.Resampling.BICUBIC
    return image.resize(size, scaling, reducing_gap=2.0).convert("L")


def blended(grey: Image.Image, side_px: int = BLENDED_PX) -> NDArray[np.uint8]:
    """(side, side): coarse enough that compression, noise and small text vanish."""
    small = grey.resize((side_px, side_px), Image.Resampling.BOX)
    return np.asarray(small, np.uint8)
