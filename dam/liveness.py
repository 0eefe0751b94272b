"""Which dam processes are alive on this machine, and what each of them is for.

A process announces itself with a small file under `run/`; pid and start time together tell a
living process from a recycled number, so a file left by a kill -9 is ignored and swept.
"""

from __future__ import annotations

import atexit
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    role: str  # serve, web, worker, watch, encoder, index, cli
    pid: int
    started_s: float


def announce(run_path: Path, role: str) -> None:
    """Shows this process to the others until it ends."""
    run_path.mkdir(parents=True, exist_ok=True)
    own = psutil.Process()
    path = run_path / f"{role}-{own.pid}.json"
    path.write_text(json.dumps({"role": role, "pid": own.pid, "started_s": own.create_time()}))
    owner = os.getpid()

    def withdraw() -> None:
        if os.getpid() == owner:  # a forked child inherits this handler, not the announcement
            path.unlink(missing_ok=True)

    atexit.register(withdraw)


def living(run_path: Path, *, without_self: bool = False) -> list[Process]:
    """Announced processes that still run; sweeps the files of those that do not."""
    found = []
    for path in sorted(run_path.glob("*-*.json")):
        try:
            process = Process(**json.loads(path.read_text()))
        except (ValueError, TypeError, FileNotFoundError):
            continue
        if not is_running(process):
            path.unlink(missing_ok=True)
        elif not (without_self and process.pid == os.getpid()):
            found.append(process)
    return found


def is_running(process: Process) -> bool:
    """Whether it still is that process, and not dead and waiting for its parent to look."""
    try:
        found = psutil.Process(process.pid)
        is_same = abs(found.create_time() - process.started_s) < 1.0
        return is_same and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
