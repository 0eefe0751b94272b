"""A server that tests may stop and start again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.cli import Dam, free_port
from tests.e2e.conftest import START_S, Server, _wait

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path


class Machine:
    """A server that can be stopped and started again under the same address."""

    def __init__(self, home: Path, *, roots: Path) -> None:
        """`roots`: the folder below which the web app may add libraries."""
        settings = {"threads": "1", "decoders": "1", "folder_roots": str(roots)}
        self.dam = Dam(home, settings)
        self.port = free_port()
        self.server = Server(f"http://127.0.0.1:{self.port}")
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = self.dam.start("serve", "--port", str(self.port))
        _wait(self.server)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=START_S)
            self._process = None

    @contextmanager
    def running(self) -> Iterator[Server]:
        self.start()
        try:
            yield self.server
        finally:
            self.stop()
