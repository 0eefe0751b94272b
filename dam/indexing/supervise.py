"""Starts dam's processes, keeps them alive, and stops them without losing anything.

Children are spawned as `python -m dam ROLE --supervised` (never forked: torch and FAISS do not
survive a fork). They stop when their standard input closes, so they also stop when this process
is killed. A child that dies is started again, more slowly each time.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dam.config import Settings

STOP_S = 20.0  # a worker finishes its batch of photos in this time; a video gives up at once
LONGEST_PAUSE_S = 60.0  # between two starts of a child that dies at once
# For every child and what it starts. Threads of OpenMP burn a core while they wait for each other:
# asleep, a busy machine's photos cost half the processor time. And glibc gives large pictures back
# to the system one by one, only to have them zeroed again: keeping up to 256 MB saves a twelfth. It
# keeps nothing for threads with an arena of their own, so all share one: another thirtieth.
CHILD_ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}
LOG_LIMIT_BYTES = 5 << 20
log = logging.getLogger(__name__)


@dataclass
class Child:
    """One process that shall be there; `restart` says whether it may end by itself."""

    role: str
    arguments: Sequence[str] = ()
    restart: bool = True
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    next_start_s: float = field(default=0.0)

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Owns child processes. A context manager: leaving it stops them all.

    With `log_files` what they log goes to `DAM_HOME/logs` instead of this terminal.
    """

    def __init__(
        self, settings: Settings, children: Sequence[Child], *, log_files: bool = False
    ) -> None:
        self._settings = settings
        self._log_files = log_files
        self.children = list(children)

    def __enter__(self) -> Supervisor:
        for child in self.children:
            self._start(child)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def add(self, child: Child) -> None:
        self.children.append(child)
        self._start(child)

    def check(self) -> None:
        """Starts again what died; call it every second or so."""
        for child in self.children:
            if child.alive or (not child.restart and child.starts):
                continue
            if time.monotonic() >= child.next_start_s:
                if child.process is not None:
                    code = child.process.returncode
                    log.warning("The %s process ended (%s); starting it again.", child.role, code)
                self._start(child)

    def stop(self) -> None:
        """Asks all children to stop, waits, and kills those that do not."""
        for child in self.children:
            if child.process is not None and child.process.stdin is not None:
                child.process.stdin.close()
        deadline = time.monotonic() + STOP_S
        for child in self.children:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("The %s process does not stop; killing it.", child.role)
                child.process.kill()
                child.process.wait()

    def _start(self, child: Child) -> None:
        with self._log_of(child) as log_file:
            child.process = subprocess.Popen(
                [sys.executable, "-m", "dam", child.role, *child.arguments, "--supervised"],
                stdin=subprocess.PIPE,
                stderr=log_file,
                env={**CHILD_ENVIRONMENT, **os.environ, **self._settings.as_environment()},
            )
        child.starts += 1
        child.next_start_s = time.monotonic() + min(LONGEST_PAUSE_S, 2.0 ** (child.starts - 1))

    @contextmanager
    def _log_of(self, child: Child) -> Iterator[BinaryIO | None]:
        """A file to append to, begun anew when it has grown large; None: this terminal."""
        if not self._log_files:
            yield None
            return
        path = self._settings.home / "logs" / f"{child.role}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        is_large = path.exists() and path.stat().st_size > LOG_LIMIT_BYTES
        with path.open("wb" if is_large else "ab") as file:
            yield file


def stop_event(*, supervised: bool) -> threading.Event:
    """Set when this process should end: by a signal, or when the supervisor is gone.

    A supervised process leaves Ctrl-C to its supervisor, which gets it from the same terminal.
    """
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN if supervised else lambda *_: stop.set())
    if supervised:

        def wait_for_the_end() -> None:
            while os.read(sys.stdin.fileno(), 1024):
                pass
            stop.set()

        threading.Thread(target=wait_for_the_end, daemon=True, name="supervised").start()
    return stop
