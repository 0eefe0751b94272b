"""The snapshot of all work that the progress endpoints show.

Counting runs costs a scan of their index, so however many pages are open it happens at most once
a period.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dam.indexing.status import IndexerStatus, read_status

if TYPE_CHECKING:
    from dam.config import Settings
    from dam.db import Database

PERIOD_S = 1.0  # shorter: counting competes with the work; longer: progress looks stuck


@dataclass(frozen=True, slots=True)
class Jobs:
    idle: bool  # nothing is being worked on, and nothing could be
    paused: bool  # everything is, by a person
    indexers: list[IndexerStatus]


class Progress:
    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._lock = threading.Lock()
        self._jobs: Jobs | None = None
        self._read_s = 0.0

    def read(self, *, fresh: bool = False) -> Jobs:
        """`fresh`: not a snapshot from before something was changed."""
        with self._lock:
            if fresh or self._jobs is None or time.monotonic() - self._read_s >= PERIOD_S:
                status = read_status(self._database, self._settings)
                self._jobs = Jobs(not status.busy, status.paused, list(status.indexers))
                self._read_s = time.monotonic()
            return self._jobs
