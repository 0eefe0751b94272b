"""The memory through which pixels pass from a decoder process to its parent.

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
    from dam.contracts import Pixels

# Two previews of 1600 × 1600, or eight video frames with a 640 × 640 picture each. The pages of a
# memory file exist only once they are written.
SIZE_BYTES = 16 << 20


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
        descriptor = os.memfd_create("dam-pixels")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, SIZE_BYTES)
    return descriptor


class SharedPixels:
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
