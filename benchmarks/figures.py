"""Figures, and the CPU seconds they are made of. Every benchmark imports this, nothing else does.

CPU seconds, not wall seconds: the machine may be busy with something else, and a ratio of CPU
seconds taken in one run carries over to other machines.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Unavailable(Exception):
    """A benchmark cannot run here; the message names what is missing."""


@dataclass(frozen=True, slots=True)
class Figure:
    goal: str  # the id of the goal in docs/performance.md, e.g. "P1"
    name: str
    value: float
    unit: str  # "×" for a ratio
    target: str = ""  # e.g. "≥ 1.8"; empty where the figure only explains another one
    note: str = ""  # what was compared with what: runtime, precision, versions


@dataclass(slots=True)
class Cost:
    """Seconds of one measured block or command with every process it waited for."""

    wall_s: float = 0.0
    cpu_s: float = 0.0


def _cpu_s() -> float:
    """User and system time of this process and of the children it has waited for."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(times.ru_utime + times.ru_stime for times in used)


@contextmanager
def measured() -> Iterator[Cost]:
    """The cost of a block with all processes that began and ended in it."""
    _adopt_orphans()
    before = _children()
    cost = Cost()
    wall_s, cpu_s = time.perf_counter(), _cpu_s()
    yield cost
    cost.wall_s = time.perf_counter() - wall_s
    _await(_children() - before)
    cost.cpu_s = _cpu_s() - cpu_s


def _adopt_orphans() -> None:
    """Lets processes whose parent was killed become ours (Linux).

    Their time would be lost otherwise: ExifTool ends after the process that started it is killed.
    """
    if sys.platform == "linux":
        pr_set_child_subreaper = 36
        ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1)


def _children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


def _await(processes: set[int]) -> None:
    """Waits for them a moment: one that stays (a resource tracker) is not part of the work."""
    until_s = time.monotonic() + 2
    while processes and time.monotonic() < until_s:
        for pid in list(processes):
            try:
                ended, _ = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                ended = pid
            if ended:
                processes.discard(pid)
        time.sleep(0.01)


def run_measured(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[Cost, str]:
    """The cost and the standard output of a command that must succeed."""
    with measured() as cost:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
    return cost, done.stdout


def describe_machine() -> dict[str, str | int]:
    return {
        "name": platform.node(),
        "processor": _processor_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1,
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _processor_name() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        for line in facts.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
