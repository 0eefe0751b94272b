"""What the operating system says about changes in one library: hints, never the truth.

Events may be late, doubled, dropped or refused; what they name is looked at, and the periodic scan
finds the rest. Watches nothing on network file systems, where events of other machines never come.
"""

from __future__ import annotations

import logging
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from dam.db import is_network_path
from dam.library.names import SIDECAR_SUFFIX, is_skipped_folder, media_kind
from dam.library.roots import root_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue

    from watchdog.observers.api import BaseObserver

    from dam.tables import Library

# Not in it: a file opened or closed without writing. Our own reading would look like change.
WATCHED_EVENTS: list[type[FileSystemEvent]] = [
    *(DirCreatedEvent, DirMovedEvent, DirDeletedEvent),
    *(FileCreatedEvent, FileModifiedEvent, FileClosedEvent, FileMovedEvent, FileDeletedEvent),
]


OPEN_AGAIN_S = 30.0  # between two tries to watch a root that is away or refused


@dataclass(frozen=True, slots=True)
class Hint:
    """Look at this path; None: something went away, or events were lost: look at everything."""

    library_id: str
    path: bytes | None


class LibraryEyes:
    """Watches one library's root; puts hints into a queue from other threads."""

    def __init__(self, library: Library, hints: SimpleQueue[Hint]) -> None:
        self.root = root_of(library)
        self.trouble: str | None = None  # why changes are found by scans alone
        self._library_id = library.id
        self._hints = hints
        self._observer: BaseObserver | None = None
        self._opened_on: os.stat_result | None = None
        self._open_again_at_s = 0.0
        self._overflow = _Overflow(lambda: hints.put(Hint(library.id, None)))

    def needs_opening(self, now_s: float) -> bool:
        """True before the first time, when the watch ended, and when it is time to try again."""
        if self._observer is None:
            return now_s >= self._open_again_at_s
        threads = (self._observer, *self._observer.emitters)
        return not all(thread.is_alive() for thread in threads) or not self._is_same_root()

    def open(self, now_s: float) -> bool:
        """False when it cannot be watched; `trouble` says why."""
        if is_network_path(self.root):
            self.trouble = "it lies on a network file system, which does not report changes"
            self._open_again_at_s = math.inf
            return False
        observer = Observer()
        handler = _Handler(self._library_id, os.fsencode(self.root), self._hints)
        try:
            self._opened_on = self.root.stat()
            observer.schedule(handler, str(self.root), recursive=True, event_filter=WATCHED_EVENTS)
            observer.start()
        except OSError as error:  # the root is gone, or the limit on watches is reached
            observer.unschedule_all()
            self.trouble = f"its changes cannot be watched: {error.strerror or error}"
            self._open_again_at_s = now_s + OPEN_AGAIN_S
            return False
        logging.getLogger("watchdog").addHandler(self._overflow)
        self._observer = observer
        self.trouble = None
        return True

    def close(self) -> None:
        logging.getLogger("watchdog").removeHandler(self._overflow)
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None

    def _is_same_root(self) -> bool:
        try:
            now = self.root.stat()
        except OSError:
            return False
        return self._opened_on is not None and os.path.samestat(now, self._opened_on)


class _Overflow(logging.Handler):
    """The kernel dropped events; watchdog only logs that."""

    def __init__(self, report: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        if "overflow" in record.getMessage().lower():
            self._report()


class _Handler(FileSystemEventHandler):
    def __init__(self, library_id: str, root: bytes, hints: SimpleQueue[Hint]) -> None:
        self._library_id = library_id
        self._root = root.rstrip(b"/") + b"/"
        self._hints = hints

    def on_any_event(self, event: FileSystemEvent) -> None:
        before = self._inside(event.src_path, is_folder=event.is_directory)
        now = before
        if isinstance(event, FileDeletedEvent | DirDeletedEvent):
            now = None
        elif isinstance(event, FileMovedEvent | DirMovedEvent):
            now = self._inside(event.dest_path, is_folder=event.is_directory)
        if now is not None or before is not None:
            self._hints.put(Hint(self._library_id, now or None))

    def _inside(self, path: bytes | str, *, is_folder: bool) -> bytes | None:
        """Relative to the root, when a scan would look at it. A sidecar speaks for its folder."""
        whole = os.fsencode(path)
        if not whole.startswith(self._root):
            return None
        inside = whole[len(self._root) :]
        *folders, name = os.fsdecode(inside).split("/")
        if any(map(is_skipped_folder, folders)) or not name:
            return None
        if is_folder:
            return None if is_skipped_folder(name) else inside
        if name.lower().endswith(SIDECAR_SUFFIX):
            return os.fsencode("/".join(folders))
        return inside if media_kind(name) else None
