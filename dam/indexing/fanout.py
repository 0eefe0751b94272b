"""One decode, many readers: hands items, frames and sound to indexers that run side by side.

Every indexer reads at its own pace in its own thread. Items wait in an unbounded queue (a claim
bounds them); frames and sound go through a short one per indexer, so that a slow model holds the
decoder back instead of filling the memory.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

from dam.contracts import Frame, Sound
from dam.errors import DamError, UpstreamFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dam.contracts import Finding, Item, Outcome

# Frames waiting for one indexer. Larger: up to 1 MB of memory each; smaller: more switching.
FRAMES_AHEAD = 64
# Pieces of sound, likewise: 4 s and up to 2 MB each.
SOUND_AHEAD = 8
_T = TypeVar("_T", Frame, Sound)


class Stopped(DamError):
    """The work was stopped or paused; what is unfinished goes back to the run table."""


class Tap(Generic[_T]):
    """One indexer's view of an asset's frames or sound: iterable once, bounded, closable from
    either end."""

    def __init__(self, ahead: int, before: Tap[Frame] | None = None) -> None:
        """`ahead`: how many may wait to be read. Reading this one gives up what is left of the
        one `before` it, which would else hold back the decoder that both wait for."""
        self._queue: queue.Queue[_T | DamError | None] = queue.Queue(ahead)
        self._before = before
        self._closed = threading.Event()
        self.error: DamError | None = None

    def __iter__(self) -> Iterator[_T]:
        if self._before is not None:
            self._before.close()
        while not self._closed.is_set():
            try:
                entry = self._queue.get(timeout=0.2)
            except queue.Empty:
                continue
            if entry is None:
                return
            if isinstance(entry, Exception):
                self.error = entry
                raise entry
            yield entry

    def put(self, entry: _T | DamError | None) -> None:
        """Waits for room; returns at once when the reader has left. None is the end."""
        while not self._closed.is_set():
            try:
                self._queue.put(entry, timeout=0.2)
            except queue.Full:
                continue
            return

    def close(self) -> None:
        self._closed.set()

    def cut(self, error: DamError) -> None:
        """Ends it at once, with all that waits; `error` says why."""
        self.error = error
        self._closed.set()


def frame_tap() -> Tap[Frame]:
    return Tap(FRAMES_AHEAD)


def sound_tap(before: Tap[Frame] | None = None) -> Tap[Sound]:
    return Tap(SOUND_AHEAD, before)


def taps_of(item: Item) -> list[Tap[Frame] | Tap[Sound]]:
    return [stream for stream in (item.frames, item.sound) if isinstance(stream, Tap)]


class ItemFeed:
    """The items of one indexer, arriving as they are decoded."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._ended = False

    def put(self, item: Item) -> None:
        self._queue.put(item)

    def end(self) -> None:
        self._queue.put(None)

    def __iter__(self) -> Iterator[Item]:
        """Goes on where an earlier iteration was left."""
        while not self._ended:
            item = self._queue.get()
            if item is None:
                self._ended = True
                return
            yield item
            # Asking for the next item ends the last one's frames and sound; an indexer that
            # wants them later would wait for what nobody can deliver any more.
            for tap in taps_of(item):
                tap.close()


class Upstream:
    """What the indexers of one batch found, for those that need it in the same pass."""

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._outcomes: dict[tuple[str, str], Outcome] = {}

    def publish(self, asset_id: str, indexer: str, outcome: Outcome) -> None:
        with self._ready:
            self._outcomes[asset_id, indexer] = outcome
            self._ready.notify_all()

    def wait_for(self, asset_id: str, indexer: str) -> Sequence[Finding]:
        """Blocks until the indexer is through. Raises `UpstreamFailed`, or `Stopped` with it."""
        with self._ready:
            self._ready.wait_for(lambda: (asset_id, indexer) in self._outcomes)
            outcome = self._outcomes[asset_id, indexer]
        if isinstance(outcome.error, Stopped):
            raise outcome.error
        if outcome.error is not None:
            raise UpstreamFailed(f"{indexer} failed: {outcome.error}")
        return outcome.findings
