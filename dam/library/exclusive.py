"""One update of a library at a time, whatever process it runs in."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dam.db import Database

POLL_S = 0.2  # longer: a stop waits that long


@contextmanager
def alone_with(
    database: Database, library_id: str, stop: Callable[[], bool] = lambda: False
) -> Iterator[bool]:
    """Waits for its turn; yields False when it was told to stop before that."""
    folder = database.path.parent / "run"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"library-{library_id}.lock")
    while not stop():
        try:
            lock.acquire(timeout=POLL_S)
        except Timeout:
            continue
        try:
            yield True
        finally:
            lock.release()
        return
    yield False
