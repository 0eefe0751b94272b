"""Keeps the database level with the folders while dam runs.

Events are hints that make changes appear within seconds; the periodic scan is the truth and needs
none of them. One loop in one thread does all the work, so nothing here needs a lock.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections import defaultdict
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from filelock import Timeout
from sqlalchemy.exc import SQLAlchemyError

from dam.errors import DamError
from dam.library.hints import Hint, LibraryEyes
from dam.library.libraries import list_libraries
from dam.library.scan_requests import take_looks, take_requests
from dam.library.settle import SettleTracker
from dam.library.update import update_libraries
from dam.media.metadata import MetadataReader
from dam.media.sandbox import Limits, Sandbox

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dam.config import Settings
    from dam.db import Database
    from dam.library.ingest import Counts
    from dam.library.settle import Look

# Where no events come, scans have to be frequent; one of 200,000 files costs about a second.
BLIND_RESCAN_S = 60.0
# More hints than this at once cost more than a scan of everything.
MANY_HINTS = 1_000
# Scans that deletions ask for may take this part of the time.
SCAN_SHARE = 0.1
TROUBLES_FILE = "watch.json"
LOOK_AROUND_S = 2.0  # between two looks at the list of libraries and at their roots

log = logging.getLogger(__name__)

Key = tuple[str, bytes]  # library id, path relative to its root


def read_degraded(run_path: Path) -> dict[str, str]:
    """Library id → why its changes are found by scans alone, as the running watcher sees it."""
    try:
        found: dict[str, str] = json.loads((run_path / TROUBLES_FILE).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found


class Watcher:
    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        on_progress: Callable[[Counts], None] = lambda _counts: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_progress` is called after every group of files that was taken in."""
        self._on_progress = on_progress
        self._database = database
        self._settings = settings
        self._clock = clock
        self._hints: SimpleQueue[Hint] = SimpleQueue()
        self._watched: dict[str, _Watched] = {}
        self._tracker: SettleTracker[Key] = SettleTracker(settings.settle_s, clock)
        self._look_around_at_s = clock()
        self._published: dict[str, str] = {}

    def run(self, stop: threading.Event) -> None:
        """Watches all libraries, also those added later, until `stop` is set."""
        settings = self._settings
        limits = Limits(settings.decode_timeout_s, settings.decode_memory_mb, settings.max_pixels)
        tick_s = min(1.0, max(0.05, settings.settle_s / 4))
        with (
            Sandbox(limits, size=settings.decoders) as sandbox,
            MetadataReader(settings.exiftool, limits) as reader,
        ):
            try:
                while not stop.is_set():
                    self._step(sandbox, reader, stop)
                    stop.wait(tick_s)
            finally:
                for watched in self._watched.values():
                    watched.eyes.close()
                self._publish({})

    def _step(self, sandbox: Sandbox, reader: MetadataReader, stop: threading.Event) -> None:
        try:
            self._look_around()
            self._take_hints()
            for library_id, scope in self._due():
                started_s = self._clock()
                update_libraries(
                    self._database,
                    self._settings,
                    scopes={library_id: scope},
                    retry=not scope and self._watched[library_id].asked_for,
                    settle_s=self._settings.settle_s,
                    on_held_back=self._hold_back,
                    sandbox=sandbox,
                    reader=reader,
                    on_progress=self._on_progress,
                    stop=stop.is_set,
                )
                if not scope:
                    self._watched[library_id].scanned(started_s, self._clock())
        except (DamError, OSError, SQLAlchemyError, Timeout) as error:
            # A full disk or a locked database may pass; the next scan makes up for this one.
            log.warning("the watcher could not go on and tries again: %s", error)
            for watched in self._watched.values():
                watched.scan_by(self._clock() + LOOK_AROUND_S)

    def _look_around(self) -> None:
        """Follows libraries that come and go, and watches that end."""
        now_s = self._clock()
        if now_s < self._look_around_at_s:
            return
        self._look_around_at_s = now_s + LOOK_AROUND_S
        libraries = {library.id: library for library in list_libraries(self._database)}
        for library_id in self._watched.keys() - libraries.keys():
            self._watched.pop(library_id).eyes.close()
        self._tracker.forget(lambda key: key[0] not in libraries)
        for library in libraries.values():
            watched = self._watched.get(library.id)
            if watched is None:
                eyes = LibraryEyes(library, self._hints)
                self._watched[library.id] = watched = _Watched(eyes, self._settings.rescan_s, now_s)
            if watched.eyes.needs_opening(now_s):
                # Watches first and scans then, so that nothing falls between the two.
                watched.eyes.close()
                if watched.eyes.open(now_s):
                    watched.scan_by(now_s)
        for library_id in take_requests(self._settings.run_path) & self._watched.keys():
            self._watched[library_id].asked_for = True
            self._watched[library_id].scan_by(now_s)
        for library_id, path in take_looks(self._settings.run_path):
            self._hints.put(Hint(library_id, path))
        self._publish(
            {
                library_id: watched.eyes.trouble
                for library_id, watched in self._watched.items()
                if watched.eyes.trouble
            }
        )

    def _take_hints(self) -> None:
        now_s = self._clock()
        while True:
            try:
                hint = self._hints.get_nowait()
            except Empty:
                break
            watched = self._watched.get(hint.library_id)
            if watched is None:
                continue
            if hint.path is None or len(self._tracker) >= MANY_HINTS:
                watched.scan_by(max(now_s + self._settings.settle_s, watched.rested_at_s))
            else:
                self._tracker.touch((hint.library_id, hint.path))

    def _due(self) -> Iterator[tuple[str, list[bytes]]]:
        """Libraries to update now: the settled paths in them, or (none) all of them."""
        settled: defaultdict[str, list[bytes]] = defaultdict(list)
        for library_id, path in self._tracker.settled(self._look_at):
            settled[library_id].append(path)
        for library_id, watched in list(self._watched.items()):
            if self._clock() >= watched.scan_at_s:
                yield library_id, []
            elif settled[library_id]:
                yield library_id, settled[library_id]

    def _look_at(self, key: Key) -> Look | None:
        library_id, path = key
        if library_id not in self._watched:
            return None
        root = self._watched[library_id].eyes.root
        try:
            facts = (root / os.fsdecode(path)).lstat()
        except OSError:
            return None
        return facts.st_mtime_ns, facts.st_size

    def _hold_back(self, library_id: str, paths: list[bytes]) -> None:
        for path in paths:
            self._tracker.touch((library_id, path))

    def _publish(self, troubles: dict[str, str]) -> None:
        """For `read_degraded`, in whatever process that is asked."""
        if troubles == self._published:
            return
        self._published = troubles
        path = self._settings.run_path / TROUBLES_FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".tmp")
        unfinished.write_text(json.dumps(troubles))
        unfinished.replace(path)


class _Watched:
    """One library: its watch, and when it is scanned as a whole."""

    def __init__(self, eyes: LibraryEyes, rescan_s: float, now_s: float) -> None:
        self.eyes = eyes
        self.scan_at_s = now_s
        self.rested_at_s = now_s  # deletions may ask for a scan from then on
        self.asked_for = False  # by a person, who also wants unreadable files tried again
        self._rescan_s = rescan_s

    def scan_by(self, at_s: float) -> None:
        self.scan_at_s = min(self.scan_at_s, at_s)

    def scanned(self, started_s: float, ended_s: float) -> None:
        wait_s = min(BLIND_RESCAN_S, self._rescan_s) if self.eyes.trouble else self._rescan_s
        self.scan_at_s = ended_s + wait_s
        self.asked_for = False
        self.rested_at_s = ended_s + (ended_s - started_s) / SCAN_SHARE
