"""One decoder process as its parent sees it: started, asked, listened to, killed.

Spawned as a program of its own, never forked from a parent that holds models, and in a process
group of its own so that Ctrl-C reaches the parent alone.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from multiprocessing import Pipe
from multiprocessing.reduction import send_handle
from typing import TYPE_CHECKING, Any, BinaryIO

from dam import errors
from dam.media import shared_memory
from dam.media.source import shown

if TYPE_CHECKING:
    from pathlib import Path

_START_S = 60.0  # a crowded machine may take long to load libraries; no file is at fault
_MESSAGE_BYTES = 1 << 20
_ERRORS: dict[str, type[errors.DamError]] = {
    kind.__name__: kind
    for kind in (
        errors.UnreadableMedia,
        errors.UnsupportedMedia,
        errors.OverLimit,
        errors.LibraryOffline,
        errors.DiskFull,
    )
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    timeout_s: float  # without any sign of progress
    memory_mb: int
    max_pixels: int


class DecoderProcess:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._name = "the decoder process"  # of the file being read, in messages
        self.idle = False  # between two requests; only then may it be asked again
        self._connection, theirs = Pipe()
        descriptor = shared_memory.create()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the process)
        setup = asdict(limits) | {"connection": theirs.fileno(), "media": descriptor}
        try:
            self.media = shared_memory.SharedMedia(descriptor)
            self._process = subprocess.Popen(
                # -P: a folder of media is no place to import modules from.
                [sys.executable, "-P", "-m", "dam.media.decoder", json.dumps(setup)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                pass_fds=(theirs.fileno(), descriptor),
                process_group=0,
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
        finally:
            theirs.close()
            os.close(descriptor)
        try:
            self._receive(_START_S)
        except BaseException:
            self.kill()
            raise
        self.idle = True

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, do: str, path: Path, **wishes: Any) -> None:
        self._name = shown(path)
        self.idle = False
        self._send(json.dumps({"do": do, "path": os.fspath(path), **wishes}).encode())

    def hand_over(self, file: BinaryIO) -> None:
        """The opened file for the request that was just made, in place of its name."""
        try:
            send_handle(self._connection, file.fileno(), self._process.pid)
        except OSError as error:
            raise self._obituary() from error

    def answer(self) -> dict[str, Any]:
        """The next frame, piece of sound or result. Raises what went wrong; see `dam.errors`."""
        while True:
            message = self._receive(self._limits.timeout_s)
            if "error" in message:
                raise self._failure(message)
            if "progress" not in message:
                self.idle = "done" in message
                return message

    def take(self) -> None:
        """Frees the place of what was received last."""
        self._send(b"")

    def kill(self) -> None:
        self.idle = False
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._connection.close()
        self._stderr.close()

    def _send(self, message: bytes) -> None:
        try:
            self._connection.send_bytes(message)
        except OSError as error:
            raise self._obituary() from error

    def _receive(self, timeout_s: float) -> dict[str, Any]:
        try:
            if not self._connection.poll(timeout_s):
                raise self._timeout()
            message: dict[str, Any] = json.loads(self._connection.recv_bytes(_MESSAGE_BYTES))
        except (EOFError, OSError, ValueError) as error:
            raise self._obituary() from error
        return message

    def _failure(self, message: dict[str, Any]) -> errors.DamError:
        if message["trace"]:
            log.info("decoding %s failed\n%s", self._name, message["trace"])
        # After a refused allocation the heap may be full of holes; a fresh process is cheap.
        self.idle = "DAM_DECODE_MEMORY_MB" not in message["message"]
        return _ERRORS.get(message["error"], errors.UnreadableMedia)(message["message"])

    def _timeout(self) -> errors.DecodeTimeout:
        return errors.DecodeTimeout(
            f"{self._name}: the decoder showed no progress for "
            f"{self._limits.timeout_s:g} s (DAM_DECODE_TIMEOUT_S)"
        )

    def _obituary(self) -> errors.DamError:
        self._process.kill()  # it may only have closed its end
        status = self._process.wait()
        self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, self._stderr.tell() - 2000))
        last_words = self._stderr.read().decode("utf-8", "replace").strip()
        if status == -signal.SIGXCPU:
            return self._timeout()
        if "bad_alloc" in last_words or "MemoryError" in last_words:
            return errors.OverLimit(
                f"{self._name} needs more than {self._limits.memory_mb} MiB to be decoded "
                "(DAM_DECODE_MEMORY_MB)"
            )
        how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        log.info("a decoder process ended by %s: %s", how, last_words)
        return errors.DecoderCrashed(f"{self._name}: the decoder process died ({how})")
