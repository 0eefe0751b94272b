"""Silence, clipping, dropouts and loudness of sound that arrives in pieces.

Loudness is FFmpeg's own `ebur128` filter (EBU R128, ITU-R BS.1770), run on samples that are
decoded already.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import av
import numpy as np

from dam.contracts import WIDE_HZ, Span
from dam.findings import Measure, Quality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dam.contracts import Samples, Sound

BLOCK = WIDE_HZ // 20  # 50 ms
SILENT = 10 ** (-60 / 20)  # -60 dBFS, the default of FFmpeg's silencedetect
SILENCE_S = 2.0  # as there: shorter is a pause
LONG_SILENCE_S = 10.0  # worth a look even in speech
FULL_SCALE = 0.999
CLIPPED_RUN = 3  # samples in a row; fewer are a peak that just fits
CLIPPING_GAP_S = 0.5  # clipping closer than this is one place
# A hole in running sound: nothing at all between two loud ends.
NOTHING, LOUD = 1e-5, 10 ** (-40 / 20)
DROPOUT_S = (0.005, 1.0)
QUIETEST_LUFS = -70.0  # the gate of EBU R128: below it there is no loudness to speak of


class SoundFaults:
    """Takes the pieces in time order; memory does not grow with them."""

    def __init__(self) -> None:
        self._silence = _Runs(SILENCE_S)
        self._clipping = _Clipping()
        self._dropouts = _Dropouts()
        self._loudness: _Loudness | None = None
        self._at = 0  # samples so far

    def add(self, piece: Sound) -> list[Quality]:
        loudest = np.abs(piece.wide).max(axis=0)
        found = self._clipping.add(self._at, piece.wide) + self._dropouts.add(self._at, loudest)
        found += [self._silent(*run) for run in self._silence.add(self._at, loudest < SILENT)]
        if self._loudness is None:
            self._loudness = _Loudness(channels=len(piece.wide))
        self._loudness.add(piece.wide)
        self._at += piece.wide.shape[1]
        return found

    def end(self) -> list[Quality]:
        found = [self._silent(*run) for run in self._silence.end(self._at)]
        found += self._clipping.end()
        return found + (self._loudness.measured() if self._loudness is not None else [])

    def _silent(self, start: int, end: int) -> Quality:
        lasts_s = (end - start) / WIDE_HZ
        is_fault = lasts_s >= LONG_SILENCE_S
        return Quality(Measure.SILENCE, lasts_s, is_fault=is_fault, span=_span(start, end))


class _Runs:
    """Stretches of samples of which something is true, across pieces."""

    def __init__(self, least_s: float) -> None:
        self._least = int(least_s * WIDE_HZ)
        self._began: int | None = None

    def add(self, at: int, true: NDArray[np.bool_]) -> list[tuple[int, int]]:
        """`true` (n,) of the samples from `at` on; gives the runs that ended, half-open."""
        found = []
        edges = np.flatnonzero(np.diff(true.view(np.int8), prepend=int(self._began is not None)))
        for edge in edges.tolist():
            if self._began is None:
                self._began = at + edge
            else:
                found += self.end(at + edge)
        return found

    def end(self, at: int) -> list[tuple[int, int]]:
        began, self._began = self._began, None
        return [] if began is None or at - began < self._least else [(began, at)]


class _Clipping:
    """Runs at full scale in any channel; those that lie close together are one place."""

    def __init__(self) -> None:
        self._runs: list[_Runs] = []
        self._place: tuple[int, int, int] | None = None  # start, end, clipped samples

    def add(self, at: int, wide: Samples) -> list[Quality]:
        self._runs = self._runs or [_Runs(CLIPPED_RUN / WIDE_HZ) for _ in wide]
        clipped = [
            run
            for runs, samples in zip(self._runs, wide, strict=True)
            for run in runs.add(at, np.abs(samples) >= FULL_SCALE)
        ]
        found = []
        for start, end in sorted(clipped):
            if self._place is not None and start - self._place[1] <= CLIPPING_GAP_S * WIDE_HZ:
                first, last, count = self._place
                self._place = (first, max(last, end), count + end - start)
            else:
                found += self.end()
                self._place = (start, end, end - start)
        return found

    def end(self) -> list[Quality]:
        place, self._place = self._place, None
        if place is None:
            return []
        span = _span(place[0], place[1])
        return [Quality(Measure.AUDIO_CLIPPING, float(place[2]), is_fault=True, span=span)]


class _Dropouts:
    """Short nothing between two loud ends: a lost buffer, a bad edit, a broken cable."""

    def __init__(self) -> None:
        self._runs = _Runs(DROPOUT_S[0])
        self._tail: Samples = np.zeros(0, np.float32)  # before the piece, to look at its end

    def add(self, at: int, loudest: Samples) -> list[Quality]:
        known = np.concatenate([self._tail, loudest])
        first = at - len(self._tail)
        found = []
        for start, end in self._runs.add(at, loudest < NOTHING):
            before = known[max(0, start - first - BLOCK) : max(0, start - first)]
            after = known[end - first : end - first + BLOCK]
            ends_loud = min(before.max(initial=0), after.max(initial=0)) > LOUD
            if ends_loud and end - start <= DROPOUT_S[1] * WIDE_HZ:
                lasts_s = (end - start) / WIDE_HZ
                span = _span(start, end)
                found.append(Quality(Measure.DROPOUT, lasts_s, is_fault=True, span=span))
        self._tail = known[-int((DROPOUT_S[1] + 0.1) * WIDE_HZ) :]
        return found


class _Loudness:
    """FFmpeg's meter; its last word holds for all that it was given."""

    def __init__(self, channels: int) -> None:
        self._graph = av.filter.Graph()
        self._layout = "mono" if channels == 1 else "stereo"
        self._source = self._graph.add_abuffer(
            sample_rate=WIDE_HZ, format="fltp", layout=self._layout
        )
        meter = self._graph.add("ebur128", "metadata=1:peak=true")
        self._sink = self._graph.add("abuffersink")
        self._source.link_to(meter)
        meter.link_to(self._sink)
        self._graph.configure()
        self._said: dict[str, str] = {}
        self._at = 0

    def add(self, wide: Samples) -> None:
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(wide), format="fltp", layout=self._layout
        )
        frame.sample_rate, frame.pts = WIDE_HZ, self._at
        self._at += wide.shape[1]
        self._source.push(frame)
        while True:
            try:
                self._said = dict(self._sink.pull().metadata)
            except (av.error.BlockingIOError, av.error.EOFError):
                return

    def measured(self) -> list[Quality]:
        said = self._said
        loudness = float(said.get("lavfi.r128.I", QUIETEST_LUFS))
        if not self._at or not math.isfinite(loudness) or loudness <= QUIETEST_LUFS:
            return []
        found = [
            Quality(Measure.LOUDNESS, loudness, is_fault=False),
            Quality(Measure.LOUDNESS_RANGE, float(said.get("lavfi.r128.LRA", 0.0)), is_fault=False),
        ]
        peak = float(said.get("lavfi.r128.true_peak", 0.0))
        if peak > 0:
            peak_db = 20 * math.log10(peak)
            found.append(Quality(Measure.TRUE_PEAK, peak_db, is_fault=peak_db > 0))
        return found


def _span(start: int, end: int) -> Span:
    return Span(start * 1_000_000 // WIDE_HZ, max(1, end * 1_000_000 // WIDE_HZ))
