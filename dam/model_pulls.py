"""Downloads of models, as every process sees them, and in the background.

`ModelStore.pull` keeps a record beside the models while it downloads, wherever it runs. `Pulls`
starts it in a process of its own for those who must neither wait nor load what a download needs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from dam.errors import Conflict, NotFound, WeightsUnavailable
from dam.liveness import Process, is_running
from dam.model_catalogue import BY_NAME, Preset, folder_of

if TYPE_CHECKING:
    from dam.config import Settings

INTERRUPTED = "The download was interrupted. Start it again: it goes on where it stopped."
STOP_S = 5.0  # a download that is told to stop has nothing to finish


@dataclass(frozen=True, slots=True)
class Download:
    received_bytes: int
    total_bytes: int | None  # None until the hub has told it
    error: str | None  # why it stopped; None while it runs


class DownloadRecord:
    """The file that tells of one download: who does it, how large it is, why it failed."""

    def __init__(self, root: Path, network: str) -> None:
        """`root` is the folder of the models that dam pulled."""
        self._incoming = root / f".incoming-{folder_of(network)}"
        self._path = root / f".pull-{folder_of(network)}.json"
        self._kept: dict[str, int | float | str | None] | None = None

    def begin(self, total_bytes: int | None, *, pid: int | None = None) -> None:
        """Says that the process `pid` (default: this one) downloads now."""
        process = psutil.Process(pid)
        self._kept = {
            "pid": process.pid,
            "started_s": process.create_time(),
            "total_bytes": total_bytes,
            "error": None,
        }
        self._write()

    def expect(self, total_bytes: int) -> None:
        if self._kept is not None:
            self._kept["total_bytes"] = total_bytes
            self._write()

    def fail(self, error: str) -> None:
        """Keeps the reason for people to read, if the download had begun."""
        if self._kept is not None:
            self._kept["error"] = error
            self._write()

    def clear(self) -> None:
        self._path.unlink(missing_ok=True)

    def read(self) -> Download | None:
        """None: nobody downloads it, and the last one who did was successful."""
        try:
            kept = json.loads(self._path.read_bytes())
            process = Process("pull", kept["pid"], kept["started_s"])
            total, error = kept["total_bytes"], kept["error"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if error is None and not is_running(process):
            error = INTERRUPTED
        received = self._received_bytes()
        return Download(received if total is None else min(received, total), total, error)

    def _received_bytes(self) -> int:
        """Whole files, and the unfinished ones where `huggingface_hub` keeps them."""
        total = 0
        for folder, _, names in os.walk(self._incoming):  # which forgives what goes away meanwhile
            for name in names:
                if folder == str(self._incoming) or name.endswith(".incomplete"):
                    with suppress(FileNotFoundError):
                        total += Path(folder, name).stat().st_size
        return total

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.tmp")
        fresh.write_text(json.dumps(self._kept))
        fresh.replace(self._path)


class Pulls:
    """Downloads presets in child processes, which end with this one. Safe between threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Begins, or goes on where an earlier download stopped; nothing while one runs.

        Raises `NotFound` for what is no preset, `WeightsUnavailable` when `DAM_OFFLINE` is set.
        """
        preset = _preset(name)
        if self._settings.offline:
            raise WeightsUnavailable(
                f"DAM_OFFLINE is set, so {name} is not downloaded. Copy the folder of the model "
                "here from another machine and run: dam models import PATH"
            )
        with self._lock:
            self._reap()
            record = self._record(preset)
            found = record.read()
            if found is not None and found.error is None:
                return
            if name in self._children:  # it has told why it failed, and is about to end
                _stop(self._children.pop(name))
            child = self._children[name] = self._spawn(name)
            record.begin(preset.size_bytes, pid=child.pid)

    def cancel(self, name: str) -> None:
        """Stops a download; what has arrived is kept for the next one.

        Raises `Conflict` for one that another program does, e.g. `dam models pull`.
        """
        preset = _preset(name)
        with self._lock:
            child = self._children.pop(name, None)
            if child is not None:
                _stop(child)
            record = self._record(preset)
            found = record.read()
            if found is not None and found.error is None:
                raise Conflict(f"Another program downloads {name}; it can be stopped there.")
            record.clear()

    def resume(self) -> None:
        """Goes on with what was interrupted by the end of the server; call it once at its start."""
        for preset in () if self._settings.offline else BY_NAME.values():
            found = self._record(preset).read()
            if found is not None and found.error == INTERRUPTED:
                self.start(preset.name)

    def reap(self) -> None:
        """Lets children that are through go: until then they look alive to others."""
        with self._lock:
            self._reap()

    def close(self) -> None:
        with self._lock:
            for child in self._children.values():
                _stop(child)
            self._children.clear()

    def _reap(self) -> None:
        for name, child in list(self._children.items()):
            if child.poll() is not None:
                _stop(child)
                del self._children[name]

    def _record(self, preset: Preset) -> DownloadRecord:
        return DownloadRecord(self._settings.pulled_models_path.resolve(), preset.network)

    def _spawn(self, name: str) -> subprocess.Popen[bytes]:
        log_path = self._settings.home / "logs" / "models.log"
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with log_path.open("wb") as log_file:  # of the last download only: it cannot grow
            return subprocess.Popen(
                [sys.executable, "-m", "dam", "models", "pull", name, "--supervised"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log_file,
                env={**os.environ, **self._settings.as_environment()},
            )


def _preset(name: str) -> Preset:
    preset = BY_NAME.get(name)
    if preset is None or preset.built_in:
        known = ", ".join(each.name for each in BY_NAME.values() if not each.built_in)
        raise NotFound(
            f"There is no preset {name} to download; there is {known}. "
            "`dam models pull` takes more."
        )
    return preset


def _stop(child: subprocess.Popen[bytes]) -> None:
    if child.stdin is not None:
        child.stdin.close()  # which ends it, as it ends when this process is killed
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
