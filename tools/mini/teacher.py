"""What a teacher network sees in every picture, worked out once: the student learns from that.

Any open_clip folder can teach. Of one with a timm image tower the trunk is asked (it knows more
than its own projection lets through), of any other the projected vector. No weight of a teacher
reaches the student.

What a trunk sees is kept place by place, because a student that is shown a part of a picture must
be told about that part: told about the whole, it learns the pictures by heart (Beyer et al., 2022,
"Knowledge distillation: a good teacher is patient and consistent").
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import open_clip
import torch
from torch.nn.functional import adaptive_avg_pool2d

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tools.mini.pictures import Pictures

MAPS = "teacher.npy"
CELLS = 7  # across and down, whatever the shape of the picture
STRIDE_PX = 32  # of nearly every trunk: a picture of another size would lose its rim
BATCH = 32
AT_ONCE = 512


class Seen:
    """Standardised features of the photos `rows`, or of parts of them; written by `look`."""

    def __init__(self, cache: Path, rows: Sequence[int], device: str = "cpu") -> None:
        maps = torch.from_numpy(np.load(cache / MAPS, mmap_mode="c"))
        # A processor maps the file, which all processes share.
        self._maps = maps if device == "cpu" else maps.to(device)
        self._rows = torch.tensor(rows, device=device)
        self._mean, self._deviation = torch.tensor(0.0), torch.tensor(1.0)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def width(self) -> int:
        return self._maps.shape[-1]

    def standard(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and deviation of every feature over whole photos, each (width,)."""
        whole = self._whole()
        return whole.mean(dim=0), whole.std(dim=0, correction=0) + 1e-3

    def standardise(self, mean: torch.Tensor, deviation: torch.Tensor) -> Seen:
        """Gives itself; what `standard` found is remembered with the training."""
        self._mean, self._deviation = mean, deviation
        return self

    def whole(self) -> torch.Tensor:
        """(photos, width)"""
        return (self._whole() - self._mean) / self._deviation

    def within(self, photos: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
        """(n, width) of parts of photos, which are positions in `rows`.

        `boxes` (n, 4): top, bottom, left and right in parts of the photo.
        """
        down, across = _shares(boxes[:, 0], boxes[:, 1]), _shares(boxes[:, 2], boxes[:, 3])
        seen = torch.einsum("nyxc,ny,nx->nc", self._raw(photos), down, across)
        return (seen - self._mean) / self._deviation

    def _whole(self) -> torch.Tensor:
        every = torch.arange(len(self), device=self._rows.device)
        starts = range(0, len(self), AT_ONCE)
        return torch.cat([self._raw(every[at : at + AT_ONCE]).mean(dim=(1, 2)) for at in starts])

    def _raw(self, photos: torch.Tensor) -> torch.Tensor:
        return self._maps[self._rows[photos]].float()


def _shares(low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """(n, CELLS) how much of each cell lies between the two, summing to 1."""
    cells = torch.arange(CELLS, device=low.device)
    first = torch.maximum(CELLS * low[:, None], cells)
    last = torch.minimum(CELLS * high[:, None], cells + 1)
    shares = (last - first).clamp(min=1e-6)
    return shares / shares.sum(dim=1, keepdim=True)


def look(pictures: Pictures, teacher: Path, cache: Path, device: str = "cpu") -> None:
    """Writes (n, cells, cells, width) float16 features; their mean is the trunk's own answer.

    Pictures are seen whole and in their shape, the short side as the teacher's own size.
    """
    model, _, _ = open_clip.create_model_and_transforms(f"local-dir:{teacher}")
    tower = model.eval().visual.to(device, torch.bfloat16, memory_format=torch.channels_last)
    edge, mapped = tower.image_size[0], _gives_maps(tower)
    mean, std = (
        torch.tensor(each, device=device).view(3, 1, 1)
        for each in (tower.image_mean, tower.image_std)
    )
    alike: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for at in range(len(pictures)):
        alike[_size(pictures.size(at), edge) if mapped else (edge, edge)].append(at)
    partial = cache / f"partial-{MAPS}"
    maps: Any = None
    with torch.inference_mode():
        for (height, width), rows in alike.items():
            for at in range(0, len(rows), BATCH):
                photos = rows[at : at + BATCH]
                pixels = np.stack(
                    [
                        cv2.resize(pictures[row], (width, height), interpolation=cv2.INTER_CUBIC)
                        for row in photos
                    ]
                )
                images = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float() / 255
                images = ((images - mean) / std).to(
                    torch.bfloat16, memory_format=torch.channels_last
                )
                seen = _mapped(tower, images) if mapped else _vector(tower, images)
                if maps is None:
                    shape = (len(pictures), CELLS, CELLS, seen.shape[-1])
                    maps = np.lib.format.open_memmap(partial, "w+", np.float16, shape)
                maps[photos] = seen.cpu().numpy()
    maps.flush()
    partial.replace(cache / MAPS)


def _gives_maps(tower: Any) -> bool:
    """Whether its trunk keeps places apart and takes pictures of any shape, as convolutions do."""
    if not hasattr(tower, "trunk"):
        return False
    parameter = next(tower.parameters())
    with torch.inference_mode():
        empty = torch.zeros(1, 3, *tower.image_size, dtype=parameter.dtype, device=parameter.device)
        return bool(tower.trunk.forward_features(empty).ndim == 4)


def _mapped(tower: Any, images: torch.Tensor) -> torch.Tensor:
    """(n, CELLS, CELLS, width)"""
    seen = adaptive_avg_pool2d(tower.trunk.forward_features(images).float(), CELLS)
    return seen.permute(0, 2, 3, 1)


def _vector(tower: Any, images: torch.Tensor) -> torch.Tensor:
    """(n, CELLS, CELLS, width) where every place says the same: more is not told."""
    vectors: torch.Tensor = tower(images).float()
    return vectors[:, None, None].expand(-1, CELLS, CELLS, -1)


def _size(size: tuple[int, int], edge: int) -> tuple[int, int]:
    """Height and width to look at: the short side `edge`, both in whole strides."""
    short = min(size)
    height, width = (max(edge, round(edge * px / short / STRIDE_PX) * STRIDE_PX) for px in size)
    return height, width
