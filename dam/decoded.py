"""What decoders hand over: pixels, the frames of a video, the sound of a recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # (height, width, 3) RGB, upright
Samples = NDArray[np.float32]  # (channels, n) or (n,), full scale is 1

WIDE_HZ, VOICE_HZ = 48_000, 16_000


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded video frame. Every frame carries `small`; only samples carry `image`."""

    at_us: int
    number: int | None  # counted from 0 when every frame was decoded, else unknown
    small: Pixels  # every frame of one video has the same small size (long side ≤ 256 px)
    image: Pixels | None = None  # long side ≤ 640 px, present on frames meant for models


@dataclass(frozen=True, slots=True)
class Sound:
    """A few seconds of sound. Those of one asset follow each other without gap or overlap."""

    at_us: int  # where the first sample lies
    wide: Samples  # (channels, n) at `WIDE_HZ`, one channel or two
    voice: Samples  # (m,) the same, mixed to one channel, at `VOICE_HZ`
