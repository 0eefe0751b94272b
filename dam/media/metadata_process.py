"""One metadata process as its parent sees it: started, asked, killed with its ExifTool."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from multiprocessing import Pipe
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from dam.media.decoder_process import Limits

_START_S = 60.0  # a crowded machine may take long to load libraries; no file is at fault
_MESSAGE_BYTES = 64 << 20  # of a batch; each field is bounded by dam.media.fields


class ProcessFailed(Exception):
    """The metadata process died or gave no answer in time."""


class MetadataProcess:
    """Ready when constructed. Raises `ProcessFailed`; then kill it and start another one."""

    def __init__(self, exiftool: str | None, folder: Path, limits: Limits) -> None:
        self._timeout_s = limits.timeout_s
        self._connection, theirs = Pipe()
        setup = {
            "connection": theirs.fileno(),
            "exiftool": exiftool,
            "folder": str(folder),
            "memory_mb": limits.memory_mb,
            "max_pixels": limits.max_pixels,
        }
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "dam.media.metadata_program", json.dumps(setup)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                process_group=0,
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
        finally:
            theirs.close()
        try:
            # Why ExifTool could not be started, if it could not.
            self.problem: str | None = self._receive(_START_S)["problem"]
        except BaseException:
            self.kill()
            raise

    def ask(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            self._connection.send_bytes(json.dumps(request).encode())
        except OSError as error:
            raise ProcessFailed("the metadata process died") from error
        answers: list[dict[str, Any]] = self._receive(self._timeout_s)["metadata"]
        return answers

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # its group: ExifTool is in it
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._connection.close()

    def _receive(self, timeout_s: float) -> dict[str, Any]:
        try:
            if not self._connection.poll(timeout_s):
                raise ProcessFailed(f"no answer for {timeout_s:g} s (DAM_DECODE_TIMEOUT_S)")
            message: dict[str, Any] = json.loads(self._connection.recv_bytes(_MESSAGE_BYTES))
        except (EOFError, OSError, ValueError) as error:
            raise ProcessFailed("the metadata process died") from error
        return message
