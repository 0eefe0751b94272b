"""The memory through which pixels and samples pass from a decoder process to its parent.

An unlinked file that both map: nothing to clean up after a kill, and no resource tracker (that of
`multiprocessing.shared_memory` warns about, and unlinks, what another process still uses).
"""

from __future__ import annotations

import mmap
import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from dam.contracts import Pixels, Samples

# Eight places for a video frame with a picture of 640 × 640, or for 4 s of stereo; together they
# hold two previews of 1600 × 1600. The pages of a memory file exist only once they are written.
PLACES, PLACE_BYTES = 8, 2 << 20
SIZE_BYTES = PLACES * PLACE_BYTES


@dataclass(frozen=True, slots=True)
class Patch:
    """Where one picture lies."""

    offset: int
    height: int
    width: int

    @property
    def end(self) -> int:
        return self.offset + self.height * self.width * 3

    def as_message(self) -> list[int]:
        return [self.offset, self.height, self.width]


def create() -> int:
    """A file descriptor of the right size, to be inherited by the decoder process."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("dam-media")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, SIZE_BYTES)
    return descriptor


class SharedMedia:
    def __init__(self, descriptor: int) -> None:
        self._map = mmap.mmap(descriptor, SIZE_BYTES)

    def write(self, pixels: Pixels, offset: int = 0) -> Patch:
        patch = Patch(offset, pixels.shape[0], pixels.shape[1])
        view = np.frombuffer(self._map, np.uint8, patch.end - offset, offset)
        np.copyto(view.reshape(pixels.shape), pixels)
        return patch

    def read(self, message: Any) -> Pixels:
        """A copy of what a decoder wrote. Its numbers are not trusted: raises ValueError."""
        offset, height, width = (int(number) for number in message)
        if min(offset, height, width) < 0:
            raise ValueError(f"not a patch: {message}")
        view = np.frombuffer(self._map, np.uint8, height * width * 3, offset)
        return view.reshape(height, width, 3).copy()

    def write_samples(self, samples: Samples, offset: int) -> list[int]:
        """`samples` (channels, n), at a multiple of 4; gives what `read_samples` takes."""
        view = np.frombuffer(self._map, np.float32, samples.size, offset)
        np.copyto(view.reshape(samples.shape), samples)
        return [offset, *samples.shape]

    def read_samples(self, message: Any) -> Samples:
        """A copy, (channels, n). Its numbers are not trusted: raises ValueError."""
        offset, channels, count = (int(number) for number in message)
        if min(offset, channels, count) < 0:
            raise ValueError(f"not samples: {message}")
        view = np.frombuffer(self._map, np.float32, channels * count, offset)
        return view.reshape(channels, count).copy()
