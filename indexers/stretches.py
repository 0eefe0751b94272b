"""Where there is sound in a recording, and the windows in which models listen to it.

Silence is found once and then left out: a model has nothing to say about it, takes as long over
it as over anything else, and CLAP divides by zero where there is nothing. Windows begin where a
sound begins, as the clips that such models learn from do, and end where it pauses or another one
begins: so one holds one sound, not the end of one and the beginning of another.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dam.contracts import Span
from indexers.onsets import KNOWN_AFTER, Onsets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dam.contracts import Samples

    Place = tuple[int, int]  # the first step of a window, and the one after its last

# Silence is looked for in steps of this length. Longer: beginnings are placed late.
STEP_US = 50_000
# Full scale is 1; -60 dB. Lower: the noise of a good microphone counts as sound.
AUDIBLE_RMS = 0.001
STEPS_A_SECOND = 1_000_000 // STEP_US
PAUSE = 1 * STEPS_A_SECOND  # of silence; what comes after it may be another sound
SHORTEST = 5 * STEPS_A_SECOND // 4  # of less than this networks know little


class Audible:
    """Which steps of a recording can be heard: a byte for each, 72 kB an hour."""

    def __init__(self, rate_hz: int) -> None:
        self.step = rate_hz * STEP_US // 1_000_000  # samples
        self.steps = bytearray()
        self._onsets = Onsets(rate_hz, self.step)
        self._rest: Samples = np.zeros(0, np.float32)

    def add(self, samples: Samples) -> None:
        """(n,), following what was added before."""
        waiting = np.concatenate([self._rest, samples])
        whole = len(waiting) // self.step * self.step
        steps = waiting[:whole].reshape(-1, self.step)
        self._onsets.add(steps)
        squares = np.square(steps, dtype=np.float32)
        self.steps += (squares.mean(axis=1) > AUDIBLE_RMS**2).astype(np.uint8).tobytes()
        self._rest = waiting[whole:]

    def end(self) -> None:
        """The last step is seldom whole."""
        if len(self._rest):
            self.steps.append(int(np.square(self._rest).mean() > AUDIBLE_RMS**2))
            self._rest = self._rest[:0]
        self._onsets.end()

    def first(self, start: int, end: int | None = None) -> int:
        """The first audible step in [start, end), or -1."""
        return self.steps.find(1, start, len(self.steps) if end is None else end)

    def last(self, start: int, end: int) -> int:
        """The last one, or -1."""
        return self.steps.rfind(1, start, end)

    def end_of_stretch(self, first: int, limit: int) -> int:
        """Where the first pause or another sound begins, at `limit` at the latest."""
        silence = self.steps.find(bytes(PAUSE), first, limit + PAUSE)
        onsets = self._onsets.steps
        after = bisect_left(onsets, first + SHORTEST)
        other = onsets[after] if after < len(onsets) else limit
        return min(limit if silence < 0 else silence, other, limit, len(self.steps))

    def trimmed(self, start_us: int, end_us: int, *, within_us: int | None) -> Span | None:
        """From the first to the last that can be heard in it; None: nothing can.

        `within_us`: the duration, where it is known; a container may promise less than it holds.
        """
        if within_us is not None:
            end_us = min(end_us, within_us)
        start, end = start_us // STEP_US, -(-end_us // STEP_US)
        first, last = self.first(start, max(start, end)), self.last(start, max(start, end))
        if first < 0:
            return None
        return Span(max(start_us, first * STEP_US), min(end_us, (last + 1) * STEP_US))


@dataclass(frozen=True, slots=True)
class Windows:
    """How long a model listens at once, in steps."""

    length: int  # of a window of sound that goes on; the next one begins in the middle of it
    longest: int  # a rest up to this length is one window

    def cut(self, pieces: Iterable[Samples], audible: Audible) -> Iterator[tuple[Place, Samples]]:
        """Every window in which something is heard, with its samples. `pieces` are (n,) each.

        Holds `longest` and two pieces of sound at most.
        """
        held = _Held(audible.step)
        start = 0
        for piece in pieces:
            audible.add(piece)
            held.add(piece)
            # Decided only where the longest window and what comes after it are known.
            decided = len(audible.steps) - self.longest - max(PAUSE, KNOWN_AFTER)
            while (found := self._next(audible, start, decided)) is not None:
                place, start = found
                yield place, held.taken(place)
            start = max(start, decided)  # in between it is silent
            held.forget(start)
        audible.end()
        while (found := self._next(audible, start, len(audible.steps))) is not None:
            place, start = found
            yield place, held.taken(place)

    def _next(self, audible: Audible, start: int, before: int) -> tuple[Place, int] | None:
        """The next window that begins in [start, before), and where to go on after it."""
        first = audible.first(start, max(before, start))
        if first < 0:
            return None
        end = audible.end_of_stretch(first, first + self.longest)
        if end - first >= self.longest and audible.first(end, end + PAUSE) >= 0:
            return (first, first + self.length), first + self.length // 2  # it goes on
        again = audible.first(end)
        quiet_until = len(audible.steps) if again < 0 else again
        return (first, max(end, min(first + self.length, quiet_until))), end


class _Held:
    """The samples that a window may still need."""

    def __init__(self, step: int) -> None:
        self._step = step
        self._samples: Samples = np.zeros(0, np.float32)
        self._from = 0  # the step with which they begin

    def add(self, samples: Samples) -> None:
        self._samples = np.concatenate([self._samples, samples])

    def taken(self, place: Place) -> Samples:
        first, end = place
        start = (first - self._from) * self._step
        return self._samples[start : (end - self._from) * self._step].copy()

    def forget(self, before: int) -> None:
        gone = min((before - self._from) * self._step, len(self._samples)) // self._step
        if gone > 0:
            self._samples = self._samples[gone * self._step :]
            self._from += gone
