"""Where a sound begins while another one goes on: what is heard changes within two seconds.

The novelty of a step is how far the levels of some bands lie apart in the second before it and in
the second after it (J. Foote, Automatic audio segmentation using a measure of audio novelty, 2000,
with a plain distance in the place of his kernel). Where it is highest, something begins.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Levels = NDArray[np.float64]  # (steps, BANDS) in dB

BANDS, LOWEST_HZ, HIGHEST_HZ = 8, 100.0, 7_500.0  # telephones to microphones have these
AROUND = 20  # steps on either side that are compared: a second
APART = 15  # steps; of what changes within less the strongest change counts
# Mean change of a band. Of 90 ESC-10 sounds set against each other 7 dB finds 73 beginnings, 4 dB
# finds 76 and parts more of what goes on, 10 dB finds 68.
CHANGE_DB = 7.0
RISE, RISES_DB = 4, 6.0  # steps, and by how much the bands are louder after than before
LOUD, LOUD_CHANGE_DB = 5, 4.0  # steps of a second that are its loudest, and how much they change
QUIETEST_DB = -90.0  # a band below it is silent
KNOWN_AFTER = AROUND + APART  # steps after which it is decided whether something began


class Onsets:
    """Takes steps in order; holds a few seconds of levels, whatever the length."""

    def __init__(self, rate_hz: int, step: int) -> None:
        """`step`: samples."""
        hz = np.fft.rfftfreq(step, 1 / rate_hz)
        edges = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 1)
        self._of_band = [np.flatnonzero((hz >= low) & (hz < high)) for low, high in pairwise(edges)]
        self._window = np.hanning(step)
        self._levels: Levels = np.zeros((0, BANDS))
        self._from = 0  # the step of the first level
        self._decided = 0
        self.steps: list[int] = []

    def add(self, samples: NDArray[np.float32]) -> None:
        """(n, step)."""
        if not len(samples):
            return
        power = np.abs(np.fft.rfft(samples * self._window, axis=1)) ** 2
        power /= (self._window**2).sum() * samples.shape[1]
        bands = np.stack([power[:, at].sum(axis=1) for at in self._of_band], axis=1)
        levels = 10 * np.log10(np.maximum(bands, 10 ** (QUIETEST_DB / 10)))
        self._levels = np.concatenate([self._levels, levels])
        self._decide(self._from + len(self._levels) - KNOWN_AFTER)
        gone = self._decided - KNOWN_AFTER - self._from
        if gone > 0:
            self._levels, self._from = self._levels[gone:], self._from + gone

    def end(self) -> None:
        self._decide(self._from + len(self._levels))

    def _decide(self, before: int) -> None:
        if before <= self._decided:
            return
        first = max(self._from, self._decided - APART)
        end = min(before + APART, self._from + len(self._levels))
        novelty = self._novelty(first - self._from, end - self._from)
        for step in range(self._decided, before):
            at = step - first
            highest = novelty[max(0, at - APART) : at + APART + 1].max()
            if novelty[at] == highest >= CHANGE_DB and self._changes(step - self._from):
                self.steps.append(self._risen(step - self._from) + self._from)
        self._decided = before

    def _novelty(self, first: int, end: int) -> NDArray[np.float64]:
        """Of the levels in [first, end)."""
        sums = np.concatenate([np.zeros((1, BANDS)), np.cumsum(self._levels, axis=0)])
        at = np.arange(first, end)
        early, late = np.maximum(at - AROUND, 0), np.minimum(at + AROUND, len(self._levels))
        before = (sums[at] - sums[early]) / np.maximum(at - early, 1)[:, None]
        after = (sums[late] - sums[at]) / np.maximum(late - at, 1)[:, None]
        novelty: NDArray[np.float64] = np.abs(after - before).mean(axis=1)
        novelty[(at - early < APART) | (late - at < APART)] = 0  # too little to compare with
        return novelty

    def _changes(self, at: int) -> bool:
        """Whether what is loud changes: barks with pauses between them are one sound."""
        before = np.sort(self._levels[max(0, at - AROUND) : at], axis=0)[-LOUD:]
        after = np.sort(self._levels[at : at + AROUND], axis=0)[-LOUD:]
        return bool(np.abs(before.mean(axis=0) - after.mean(axis=0)).mean() >= LOUD_CHANGE_DB)

    def _risen(self, at: int) -> int:
        """Where it gets loud soon after: a moment of quiet between two sounds is of neither."""
        part = self._levels[max(0, at - RISE) : at + APART + RISE]
        loudness = 10 * np.log10((10 ** (part / 10)).sum(axis=1))
        rises = [
            float(loudness[one : one + RISE].mean() - loudness[one - RISE : one].mean())
            for one in range(RISE, len(loudness) - RISE + 1)
        ]
        best = int(np.argmax(rises)) if rises else 0
        return at + best if rises and rises[best] >= RISES_DB else at
