"""One open_clip network in memory: pictures and texts in, unit vectors out.

Loads only from a local folder and only safetensors; contacts no hub. Which runtime works out the
vectors is `indexers.runtimes`' affair.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import open_clip
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from dam.errors import OutOfMemory, UnreadableMedia, WeightsUnavailable
from indexers.loading import from_file_alone
from indexers.runtimes import choose_towers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dam.contracts import Pixels, Unit

    Tower = Callable[[torch.Tensor], torch.Tensor]

# Box-reduce a picture first, as long as it stays this much larger than the network's input: three
# times quicker than bicubic alone. Pillow's own `thumbnail` uses 2 too; below it vectors drift.
REDUCING_GAP = 2
# A longer strip is cut to its middle: resized by its short side it would take gigabytes.
MAX_ASPECT = 16
TEXTS_AT_ONCE = 256


class Clip:
    def __init__(
        self, folder: Path, *, cache: Path, digest: str, runtime: str, precision: str, threads: int
    ) -> None:
        torch.set_num_threads(threads)
        self._folder = folder
        self._location = f"local-dir:{folder}"  # open_clip's prefix for "load nothing else"
        self.towers = choose_towers(
            self._load, cache=cache / digest[:16], runtime=runtime, precision=precision
        )
        # Whatever the weights file was saved as, the configuration beside it says how to prepare.
        self._size = _edge(self.towers.image_size_px)
        self._transform = image_transform_v2(
            PreprocessCfg(**self.towers.preprocess), is_train=False
        )

    def _load(self) -> Any:
        """The reference: fp32, on the processor."""
        try:
            with from_file_alone():
                return open_clip.create_model(self._location).float().eval()
        except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
            raise WeightsUnavailable(
                f"open_clip cannot load the model in {self._folder}: {error}"
            ) from error

    @cached_property
    def _tokenizer(self) -> Any:
        return open_clip.get_tokenizer(self._location)

    def prepare(self, pixels: Pixels) -> torch.Tensor:
        """(3, size, size) float32, resized and normalised as the network's configuration says.

        Raises `UnreadableMedia` for an array that is no RGB picture.
        """
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
            raise UnreadableMedia(f"Not an RGB picture: {pixels.dtype} of shape {pixels.shape}.")
        height, width = pixels.shape[:2]
        longest = MAX_ASPECT * min(height, width)
        top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
        cut = pixels[top : top + longest, left : left + longest]
        factor = min(cut.shape[:2]) // (REDUCING_GAP * self._size)
        prepared: torch.Tensor = self._transform(_reduced(cut, factor))
        return prepared

    def encode_images(self, prepared: Sequence[torch.Tensor]) -> Unit:
        """(n, dim) float32 unit rows; a row that is not finite is left so for the caller to see.

        Raises `OutOfMemory` when not even one picture fits.
        """
        if not prepared:
            return np.empty((0, self.towers.dimension), dtype=np.float32)
        return _encode(self.towers.encode_image, torch.stack(list(prepared)))

    def encode_texts(self, texts: Sequence[str]) -> Unit:
        """(n, dim) float32 unit rows."""
        parts = [np.empty((0, self.towers.dimension), dtype=np.float32)]
        for at in range(0, len(texts), TEXTS_AT_ONCE):
            tokens = self._tokenizer(list(texts[at : at + TEXTS_AT_ONCE]))
            parts.append(_encode(self.towers.encode_text, tokens))
        return np.concatenate(parts)


def _reduced(pixels: Pixels, factor: int) -> Image.Image:
    """Averages boxes of factor × factor pixels."""
    height, width = pixels.shape[:2]
    if factor > 1 and height % factor == 0 and width % factor == 0:
        # The same numbers as Pillow's `reduce`, without its copy of the large picture.
        size = (width // factor, height // factor)
        return Image.fromarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    image = Image.fromarray(pixels)
    return image.reduce(factor) if factor > 1 else image


def _encode(tower: Tower, batch: torch.Tensor) -> Unit:
    try:
        with torch.inference_mode():
            values: Unit = tower(batch).float().cpu().numpy()
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        if len(batch) == 1:
            raise OutOfMemory("One picture does not fit into memory beside the model.") from error
        half = len(batch) // 2
        return np.concatenate([_encode(tower, batch[:half]), _encode(tower, batch[half:])])
    with np.errstate(invalid="ignore", divide="ignore"):
        unit: Unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    return unit


def _is_out_of_memory(error: BaseException) -> bool:
    """On the processor torch raises a plain RuntimeError of its allocator."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "alloc" in str(error)


def _edge(size_px: int | Sequence[int]) -> int:
    return size_px if isinstance(size_px, int) else min(size_px)
