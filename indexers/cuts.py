"""Where the shots of a video are, from the small frames of one pass. OpenCV and PySceneDetect.

Where every frame arrives (quality tier) PySceneDetect's detectors find cuts and fades to the
frame; where keyframes arrive (fast tier) two sparse frames are compared in a way that movement
between them does not upset. Called by `indexers.shots`, which stays light to import.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scenedetect import ContentDetector, FrameTimecode, ThresholdDetector

from dam.contracts import Shot, Span
from dam.errors import UnreadableMedia

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cv2.typing import MatLike

    from dam.contracts import Frame, Item, Pixels

# Two frames closer than this are neighbours; further apart, things have moved in between.
NEIGHBOURS_US = 200_000
# Bhattacharyya distance of HSV histograms from which sparse frames show different shots. Measured
# on PySceneDetect's and Intel's clips and on pans over photographs, 0.5 to 4 s apart: one shot
# stays under .44 (99 %), two shots lie over .39 (95 %), and both tests must agree.
SPARSE_DISTANCE = 0.40
# PySceneDetect's own 15 frames at 25 frames/s. Smaller: a flash becomes a shot of its own.
SHORTEST_SHOT_US = 600_000
SHORTEST_SHOT_FRAMES = 15  # its default
# Mean brightness (0 to 255) under which a frame shows nothing; ThresholdDetector's default.
BLACK = 12
_ANY_RATE = 30.0  # detectors here compare frame numbers only, and want a rate all the same


def find_shots(item: Item) -> list[Shot]:
    cuts: _DenseCuts | _SparseCuts | None = None
    seen = _Seen()
    for frame in item.frames:
        if cuts is None:
            cuts = _SparseCuts() if frame.number is None else _DenseCuts()
        seen.add(frame)
        cuts.add(frame, cv2.cvtColor(frame.small, cv2.COLOR_RGB2BGR))
    if cuts is None:
        raise UnreadableMedia("No frame of this video could be decoded.")
    return seen.shots(cuts.found(), item.duration_us, numbered=isinstance(cuts, _DenseCuts))


class _DenseCuts:
    """Every frame arrives: PySceneDetect's ContentDetector, and ThresholdDetector for fades."""

    def __init__(self) -> None:
        self._content = ContentDetector()
        self._fades = ThresholdDetector(threshold=BLACK)
        self._count = 0
        self._cuts: list[int] = []
        self._black: list[tuple[int, int, int]] = []  # (out, middle, in) of each fade

    def add(self, _frame: Frame, bgr: MatLike) -> None:
        at = FrameTimecode(self._count, fps=_ANY_RATE)
        self._count += 1
        self._cuts += [cut.frame_num for cut in self._content.process_frame(at, bgr)]
        for middle in self._fades.process_frame(at, bgr):
            half = at.frame_num - middle.frame_num
            self._black.append((middle.frame_num - half, middle.frame_num, at.frame_num))

    def found(self) -> list[int]:
        """Which of the frames seen begin a shot. A cut into or out of black is one, not two."""
        end = FrameTimecode(self._count, fps=_ANY_RATE)
        cuts = self._cuts + [cut.frame_num for cut in self._content.post_process(end)]
        near = SHORTEST_SHOT_FRAMES
        fades = [
            middle
            for out, middle, back in self._black
            if not any(out - near <= cut <= back + near for cut in cuts)
        ]
        return sorted(cuts + fades)


class _SparseCuts:
    """Keyframes and samples arrive: a cut lies somewhere before the frame that looks different.

    That frame is taken for the cut itself, since encoders put a keyframe on a cut. Frames that
    are neighbours are judged by ContentDetector alone; sparse ones must also differ in their
    colours as a whole, which panning, zooming and moving people change little.
    """

    def __init__(self) -> None:
        self._content = ContentDetector(min_scene_len=0)
        self._count = 0
        self._before: tuple[int, MatLike] | None = None
        self._last_cut_us = 0
        self._cuts: list[int] = []

    def add(self, frame: Frame, bgr: MatLike) -> None:
        changed = self._content.process_frame(FrameTimecode(self._count, fps=_ANY_RATE), bgr)
        histogram = _histogram(bgr)
        if changed and self._before is not None:
            before_us, before = self._before
            sparse = frame.at_us - before_us > NEIGHBOURS_US
            distance = cv2.compareHist(before, histogram, cv2.HISTCMP_BHATTACHARYYA)
            long_enough = frame.at_us - self._last_cut_us >= SHORTEST_SHOT_US
            if long_enough and (not sparse or distance >= SPARSE_DISTANCE):
                self._cuts.append(self._count)
                self._last_cut_us = frame.at_us
        self._before = frame.at_us, histogram
        self._count += 1

    def found(self) -> list[int]:
        return self._cuts


def _histogram(bgr: MatLike) -> MatLike:
    hsv = cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)
    return cv2.calcHist([hsv], [0, 1, 2], None, [12, 6, 6], [0, 180, 0, 256, 0, 256])


@dataclass(slots=True)
class _Seen:
    """Times of all frames, and how well each sampled one would show its shot."""

    times_us: array[int] = field(default_factory=lambda: array("q"))
    numbers: array[int] = field(default_factory=lambda: array("q"))
    samples: list[tuple[int, float]] = field(default_factory=list)  # (time, worth)

    def add(self, frame: Frame) -> None:
        self.times_us.append(frame.at_us)
        self.numbers.append(frame.number or 0)
        if frame.image is not None:
            self.samples.append((frame.at_us, _worth(frame.small)))

    def shots(self, cuts: Sequence[int], duration_us: int | None, *, numbered: bool) -> list[Shot]:
        """Without holes from 0 to the end; `cuts` are positions in the order of frames."""
        times_us = self.times_us
        end_us = duration_us or max(2 * times_us[-1] - times_us[max(0, len(times_us) - 2)], 1)
        starts = [0]
        for cut in cuts:
            previous_us = times_us[starts[-1]] if len(starts) > 1 else 0
            if previous_us < times_us[cut] < end_us:
                starts.append(cut)
        edges_us = [0, *(times_us[start] for start in starts[1:]), end_us]
        edges = [*starts, len(times_us)]
        return [
            Shot(
                span=Span(start_us, stop_us),
                best_us=self._best(start_us, stop_us),
                first_frame=self.numbers[first] if numbered else None,
                end_frame=self.numbers[last - 1] + 1 if numbered else None,
            )
            for (start_us, stop_us), (first, last) in zip(
                pairwise(edges_us), pairwise(edges), strict=True
            )
        ]

    def _best(self, start_us: int, end_us: int) -> int:
        """The sharpest sample that is not black, rather from the middle than from an edge."""
        first = bisect_left(self.samples, (start_us, -np.inf))
        last = bisect_left(self.samples, (end_us, -np.inf))
        middle_us, half_us = (start_us + end_us) / 2, (end_us - start_us) / 2
        if first < last:
            # At the very edge a frame must be twice as sharp to win.
            return max(
                self.samples[first:last],
                key=lambda s: s[1] - abs(s[0] - middle_us) / half_us,
            )[0]
        nearest = min(bisect_left(self.times_us, int(middle_us)), len(self.times_us) - 1)
        return min(max(self.times_us[nearest], start_us), end_us - 1)


def _worth(small: Pixels) -> float:
    """log2 of the sharpness (variance of the Laplacian); black frames come last."""
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    if grey.mean() < BLACK:
        return -np.inf
    return float(np.log2(1 + cv2.Laplacian(grey, cv2.CV_32F).var()))
