"""One decode, many readers: hands items and frames to indexers that run side by side.

Every indexer reads at its own pace in its own thread. Items wait in an unbounded queue (a claim
bounds them); frames go through a short one per indexer, so that a slow model holds the decoder
back instead of filling the memory.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from dam.errors import DamError, UpstreamFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dam.contracts import Finding, Frame, Item, Outcome

# Frames waiting for one indexer. Larger: up to 1 MB of memory each; smaller: more switching.
FRAMES_AHEAD = 64


class Stopped(DamError):
    """The work was stopped or paused; what is unfinished goes back to the run table."""


class FrameTap:
    """One indexer's view of a video's frames: iterable once, bounded, closable from either end."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Frame | DamError | None] = queue.Queue(FRAMES_AHEAD)
        self._closed = threading.Event()
        self.error: DamError | None = None

    def __iter__(self) -> Iterator[Frame]:
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

    def put(self, entry: Frame | DamError | None) -> None:
        """Waits for room; returns at once when the reader has left. None ends the frames."""
        while not self._closed.is_set():
            try:
                self._queue.put(entry, timeout=0.2)
            except queue.Full:
                continue
            return

    def close(self) -> None:
        self._closed.set()

    def cut(self, error: DamError) -> None:
        """Ends the frames at once, those that wait included; `error` says why."""
        self.error = error
        self._closed.set()


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
            # Asking for the next item ends the last one's frames; an indexer that wants them
            # later would wait for frames that nobody can deliver any more.
            if isinstance(item.frames, FrameTap):
                item.frames.close()


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
