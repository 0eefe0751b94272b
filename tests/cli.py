"""Runs `dam` as a person does: a process of its own, an empty home, settings by environment."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Dam:
    home: Path
    settings: dict[str, str] = field(default_factory=dict)  # without DAM_

    @property
    def environment(self) -> dict[str, str]:
        own = {f"DAM_{name.upper()}": value for name, value in self.settings.items()}
        return {**os.environ, "DAM_HOME": str(self.home), "DAM_OFFLINE": "1", **own}

    def run(self, *arguments: str, expect: int = 0) -> str:
        """Standard output. Fails with everything printed when the exit status is another one."""
        done = subprocess.run(
            [sys.executable, "-m", "dam", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout if expect == 0 else done.stdout + done.stderr

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json"))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "dam", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def free_port() -> int:
    """A port that nobody listens on. Workers that test beside each other never get the same."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    while True:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        if port // 2 % workers == worker:  # halved: Linux gives the odd ones first
            return port
