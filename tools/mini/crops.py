"""Training crops, a batch at a time, on whatever device the training runs.

All photos are kept squeezed into squares, so that a batch is one block of memory; a crop is one
affine map out of the square that also takes the squeezing back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample, interpolate

from tools.mini.student import PREPROCESS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tools.mini.pictures import Pictures

SQUARES = "squares.u8"
SIDE_PX = 128
FINE_PX = 96  # from this edge on a crop shows all that a square holds
STRETCH = 0.3  # of the aspect, as a logarithm
OFF_CENTRE = 0.25  # deviation, in parts of the free way: searches look at the middle
LIGHT, CONTRAST, COLOUR, TINT = 0.35, 0.35, 0.4, 0.07  # most change of each
PLAIN, GREY, SOFT = 0.3, 0.06, 0.1  # how often: light as it was, without colour, blurred


class Crops:
    def __init__(self, pictures: Pictures, rows: Sequence[int], cache: Path, device: str) -> None:
        """Of the photos `rows`; `cache` holds what `squeeze` made of all photos."""
        shape = (len(pictures), SIDE_PX, SIDE_PX, 3)
        squares = np.memmap(cache / SQUARES, dtype=np.uint8, mode="c", shape=shape)
        self._squares = torch.from_numpy(squares)
        if device != "cpu":  # a processor maps the file, which all processes share
            self._squares = self._squares.to(device)
        self._rows = torch.tensor(rows, device=device)
        sizes = torch.tensor([pictures.size(at) for at in rows], dtype=torch.float32, device=device)
        self._sizes = sizes / sizes.amin(dim=1, keepdim=True)  # (n, 2) height, width; short side 1
        self._device = device
        mean, std = (torch.tensor(PREPROCESS[name], device=device) for name in ("mean", "std"))
        self._mean, self._std = mean.view(3, 1, 1), std.view(3, 1, 1)

    def draw(
        self, photos: torch.Tensor, edge: int, least_area: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, 3, edge, edge) fp32, normalised: mirrored, moved, stretched, in other light.

        And (n, 4) what they show: top, bottom, left and right in parts of the photo. `photos`
        are positions in `rows`, `least_area` is part of the largest square that fits: below a
        third captions are no longer true.
        """
        squares = self._squares[self._rows[photos]].permute(0, 3, 1, 2).float() / 255
        maps = self._maps(self._sizes[photos], least_area)
        # A small one is drawn twice as fine, then averaged: photos hold finer things than it shows.
        finer = 2 if edge < FINE_PX else 1
        grid = affine_grid(maps, [len(photos), 3, finer * edge, finer * edge], align_corners=False)
        fine = grid_sample(squares, grid, padding_mode="reflection", align_corners=False)
        crops = self._softened(avg_pool2d(fine, finer))
        return (self._in_other_light(crops) - self._mean) / self._std, _boxes(maps)

    def _maps(self, sizes: torch.Tensor, least_area: float) -> torch.Tensor:
        """(n, 2, 3) from the crop's coordinates to the square's, both from -1 to 1."""
        count = len(sizes)
        area = self._between(least_area, 1.0, count)
        aspect = self._between(-STRETCH, STRETCH, count).exp()
        spans = torch.stack([(area / aspect).sqrt(), (area * aspect).sqrt()], dim=1)
        shares = (spans / sizes).clamp(max=1)  # of the height, of the width
        centres = (OFF_CENTRE * torch.randn(count, 2, device=self._device)).clamp(-0.5, 0.5)
        centres = 2 * centres * (1 - shares)
        mirror = torch.where(self._happens(0.5, count), -1.0, 1.0)
        nothing = torch.zeros(count, device=self._device)
        return torch.stack(
            [
                torch.stack([mirror * shares[:, 1], nothing, centres[:, 1]], dim=1),
                torch.stack([nothing, shares[:, 0], centres[:, 0]], dim=1),
            ],
            dim=1,
        )

    def _softened(self, crops: torch.Tensor) -> torch.Tensor:
        edge = crops.shape[-1]
        soft = interpolate(avg_pool2d(crops, 2), size=(edge, edge), mode="bilinear")
        return torch.where(self._each(self._happens(SOFT, len(crops))), soft, crops)

    def _in_other_light(self, crops: torch.Tensor) -> torch.Tensor:
        count = len(crops)
        colour = self._between(1 - COLOUR, 1 + COLOUR, count)
        colour = torch.where(self._happens(GREY, count), 0.0, colour)
        grey = crops.mean(dim=1, keepdim=True)
        changed = grey + self._each(colour) * (crops - grey)
        level = changed.mean(dim=(1, 2, 3), keepdim=True)
        contrast = self._each(self._between(1 - CONTRAST, 1 + CONTRAST, count))
        changed = level + contrast * (changed - level)
        tint = self._between(1 - TINT, 1 + TINT, 3 * count).view(count, 3, 1, 1)
        light = self._each(self._between(1 - LIGHT, 1 + LIGHT, count))
        plain = self._each(self._happens(PLAIN, count))
        return torch.where(plain, crops, (changed * light * tint).clamp(0, 1))

    def _between(self, low: float, high: float, count: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(count, device=self._device)

    def _happens(self, often: float, count: int) -> torch.Tensor:
        return torch.rand(count, device=self._device) < often

    @staticmethod
    def _each(values: torch.Tensor) -> torch.Tensor:
        return values.view(-1, 1, 1, 1)


def _boxes(maps: torch.Tensor) -> torch.Tensor:
    """(n, 4) top, bottom, left and right of what each map shows, in parts of the photo."""
    down, across = maps[:, 1, 1].abs(), maps[:, 0, 0].abs()
    y, x = maps[:, 1, 2], maps[:, 0, 2]
    return (torch.stack([y - down, y + down, x - across, x + across], dim=1) + 1) / 2


def squeeze(pictures: Pictures, cache: Path) -> None:
    """Makes the squares of all photos in `cache`, unless they are there."""
    path = cache / SQUARES
    if path.is_file():
        return
    partial = path.with_suffix(".partial")
    with partial.open("wb") as out:
        for at in range(len(pictures)):
            small = cv2.resize(pictures[at], (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
            out.write(np.ascontiguousarray(small).tobytes())
    partial.replace(path)
