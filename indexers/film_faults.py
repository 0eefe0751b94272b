"""Black, frozen and flash frames of a video, from the small frames of one pass.

Where keyframes arrive alone (fast tier) a black or frozen stretch is as long as the samples that
show it, and a flash is seen only inside stretches that are decoded through.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dam.contracts import Span
from dam.findings import Measure, Quality
from indexers.picture_quality import luminance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dam.contracts import Frame

# FFmpeg's blackdetect: a pixel under .10 is dark, a picture with 98 % of them black.
DARK, DARK_PART = 0.10, 0.98
# FFmpeg's freezedetect: mean difference under -60 dB, for two seconds.
SAME, FROZEN_US = 0.001, 2_000_000
BLACK_US = 100_000  # shorter: the frame or two between a cut and the next picture
# A jump of the mean luminance that is taken back within so long: a photographer's flash, a frame
# that went wrong. A cut to a brighter shot stays bright.
FLASH, FLASH_US = 0.2, 200_000


@dataclass(slots=True)
class _Stretch:
    """A state that holds from one frame to a later one."""

    measure: Measure
    least_us: int
    began_us: int | None = None

    def step(self, at_us: int, *, holds: bool, since_us: int) -> list[Quality]:
        """`since_us`: from when on it holds, if it begins now."""
        if holds and self.began_us is None:
            self.began_us = since_us
        elif not holds:
            return self.end(at_us)
        return []

    def end(self, at_us: int) -> list[Quality]:
        began_us, self.began_us = self.began_us, None
        if began_us is None or at_us - began_us < self.least_us:
            return []
        lasts_s = (at_us - began_us) / 1e6
        return [Quality(self.measure, lasts_s, is_fault=True, span=Span(began_us, at_us))]


class FilmFaults:
    """Takes the frames in time order; memory does not grow with them."""

    def __init__(self) -> None:
        self._black = _Stretch(Measure.BLACK, BLACK_US)
        self._frozen = _Stretch(Measure.FROZEN, FROZEN_US)
        self._before: NDArray[np.float32] | None = None
        self._before_us = 0
        self._levels: deque[tuple[int, float]] = deque()  # of the last `FLASH_US`
        self._quiet_from_us = 0  # a flash is told once

    def add(self, frame: Frame) -> list[Quality]:
        """What ended with this frame."""
        grey = luminance(frame.small)
        is_black = float((grey < DARK).mean()) >= DARK_PART
        found = self._black.step(frame.at_us, holds=is_black, since_us=frame.at_us)
        if self._before is not None:
            same = not is_black and float(np.abs(grey - self._before).mean()) < SAME
            found += self._frozen.step(frame.at_us, holds=same, since_us=self._before_us)
        found += self._flash(frame.at_us, float(grey.mean()))
        self._before, self._before_us = grey, frame.at_us
        return found

    def end(self, end_us: int) -> list[Quality]:
        """`end_us`: of the video."""
        end_us = max(end_us, self._before_us + 1)
        return self._black.end(end_us) + self._frozen.end(end_us)

    def _flash(self, at_us: int, level: float) -> list[Quality]:
        """A level that stands out from one before it and from this one, which are alike."""
        while self._levels and at_us - self._levels[0][0] > FLASH_US:
            self._levels.popleft()
        found: list[Quality] = []
        if self._levels and at_us >= self._quiet_from_us:
            base = self._levels[0][1]
            away = [(seen_us, abs(seen - base)) for seen_us, seen in self._levels]
            outside = [(seen_us, by) for seen_us, by in away if by >= FLASH]
            if outside and abs(level - base) <= FLASH / 2:
                span = Span(outside[0][0], at_us)
                most = max(by for _, by in outside)
                found = [Quality(Measure.FLASH, most, is_fault=True, span=span)]
                self._quiet_from_us = at_us + FLASH_US
        self._levels.append((at_us, level))
        return found
