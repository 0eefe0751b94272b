"""Sound as people see it: the peaks of its waveform, in bounded memory however long it is.

Child side.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from av.audio.resampler import AudioResampler
from PIL import Image, ImageDraw

from dam.media import renditions
from dam.media.previews import THUMB, WAVEFORM

if TYPE_CHECKING:
    from pathlib import Path

    import av

_BUCKETS = 1000
_STRETCHES = 16 * _BUCKETS  # so many that buckets of unequal numbers of them look equal
_FULL_SCALE = 32768  # of 16-bit samples
_THUMB_SIZE = (renditions.THUMB_PX, renditions.THUMB_PX * 9 // 16)
_GROUND, _INK = "#f4f4f5", "#3f3f46"


class Peaks:
    """The loudest sample of each stretch. Stretches double when there are too many of them, since
    what a header says about the length is not to be relied on."""

    def __init__(self) -> None:
        self.samples = 0
        self._stretch = 1
        self._peaks = np.zeros(_STRETCHES, np.int32)

    def add(self, loudness: np.ndarray) -> None:
        """`loudness`: (n,) absolute values of consecutive samples."""
        while self.samples + len(loudness) > self._stretch * _STRETCHES:
            self._peaks[: _STRETCHES // 2] = self._peaks.reshape(-1, 2).max(axis=1)
            self._peaks[_STRETCHES // 2 :] = 0
            self._stretch *= 2
        places = (self.samples + np.arange(len(loudness))) // self._stretch
        starts = np.flatnonzero(np.diff(places, prepend=-1))
        loudest = np.maximum.reduceat(loudness, starts)
        np.maximum.at(self._peaks, places[starts], loudest)
        self.samples += len(loudness)

    def scaled(self) -> list[int]:
        """At most `_BUCKETS` values of 0 to 127."""
        used = -(-self.samples // self._stretch)
        buckets = min(used, _BUCKETS)
        loudest = np.maximum.reduceat(self._peaks, np.arange(buckets) * used // buckets)
        return [int(value) for value in np.rint(loudest * (127 / _FULL_SCALE))]


class Waveform:
    """The peaks of a stream's frames, whatever their formats."""

    def __init__(self, rate_hz: int) -> None:
        """`rate_hz` as the stream says: it tells how long the peaks last."""
        self._rate_hz = rate_hz
        self._peaks = Peaks()
        self._resampler = AudioResampler(format="s16p")
        self._format: tuple[str, str, int] | None = None

    def add(self, frame: av.AudioFrame) -> None:
        written = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._format not in (None, written):
            self._resampler = AudioResampler(format="s16p")  # a broadcast that changes midway
        self._format = written
        for plain in self._resampler.resample(frame):
            # The loudest channel of each sample.
            self._peaks.add(np.abs(plain.to_ndarray().astype(np.int32)).max(axis=0))

    def write(self, folder: Path) -> None:
        """Writes `waveform.json` and a thumbnail of it."""
        drawn = self._peaks.scaled()
        duration_us = round(self._peaks.samples * 1_000_000 / self._rate_hz)
        waveform = {"peaks": drawn, "duration_us": duration_us}
        (folder / WAVEFORM).write_text(json.dumps(waveform, separators=(",", ":")))
        renditions.write_webp(_picture(drawn), folder / THUMB)


def _picture(peaks: list[int]) -> Image.Image:
    width, height = _THUMB_SIZE
    image = Image.new("RGB", _THUMB_SIZE, _GROUND)
    draw = ImageDraw.Draw(image)
    for x in range(width):
        first = x * len(peaks) // width
        loudest = max(peaks[first : max(first + 1, (x + 1) * len(peaks) // width)])
        reach = round(loudest / 127 * (height / 2 - 4))
        draw.line(((x, height // 2 - reach), (x, height // 2 + reach)), fill=_INK)
    return image
