"""What photos, films and recordings say about themselves, read without risk and many at a time.

The ingest asks here. ExifTool, Pillow, PyAV and the XMP parser all run in one killable process: a
file that makes it hang or crash is read again alone, then without ExifTool, then given up with a
warning in its details; it never holds up or harms another file. Nothing is opened for writing.
"""

from __future__ import annotations

import logging
import tempfile
import threading
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from dam.media.exiftool_reader import find_exiftool
from dam.media.meaning import Metadata
from dam.media.metadata_process import MetadataProcess, ProcessFailed
from dam.media.sidecars import sidecar_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.media.decoder_process import Limits
    from dam.media.probe import Probe

__all__ = ["Metadata", "MetadataReader"]

# ExifTool takes a few milliseconds a file and about as much a command. A batch that fails is read
# again file by file, so a larger one costs more where there are many broken files.
BATCH_FILES = 50

log = logging.getLogger(__name__)


class MetadataReader:
    """Context manager; the process starts with the first file. Thread-safe, one batch at a time.

    `exiftool` is a program's name or path. `limits` bounds one batch, in time as a whole.
    """

    def __init__(self, exiftool: str, limits: Limits) -> None:
        self._program = find_exiftool(exiftool)
        self._problem = None if self._program else f"{exiftool} was not found"
        self._limits = limits
        self._lock = threading.Lock()
        self._process: MetadataProcess | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._stop()

    @property
    def missing(self) -> str | None:
        """What is not read on this machine, and how to mend it; None when nothing is missing."""
        if self._problem is None:
            return None
        return (
            f"ExifTool cannot be used ({self._problem}), so makers' notes (some lenses, Live Photo "
            "identifiers), XMP in films and most metadata of RAW files are not read. Install it, "
            "e.g. with `apt install libimage-exiftool-perl` or `brew install exiftool`, or name "
            "the program in DAM_EXIFTOOL."
        )

    def read(self, path: Path, probe: Probe) -> Metadata:
        return self.read_many([(path, probe)])[0]

    def read_many(self, files: Sequence[tuple[Path, Probe]]) -> list[Metadata]:
        """In order, each with its sidecar. Raises nothing for broken files."""
        asked = [_question(path, probe) for path, probe in files]
        with self._lock:
            return [
                metadata
                for start in range(0, len(asked), BATCH_FILES)
                for metadata in self._read_batch(asked[start : start + BATCH_FILES])
            ]

    def _read_batch(self, batch: list[dict[str, Any]]) -> list[Metadata]:
        try:
            return self._ask(batch)
        except ProcessFailed as failure:
            log.info("metadata of %d files, again one by one: %s", len(batch), failure)
        return [self._read_alone(file, again=len(batch) > 1) for file in batch]

    def _read_alone(self, file: dict[str, Any], *, again: bool) -> Metadata:
        """`again`: with ExifTool, for it may have failed on another file of the batch."""
        reasons = []
        for plainly in (False, True) if again else (True,):
            try:
                return self._ask([file], plainly=plainly)[0]
            except ProcessFailed as failure:
                reasons.append(str(failure))
        return Metadata(details={"warnings": [f"The metadata cannot be read: {reasons[-1]}"]})

    def _ask(self, batch: list[dict[str, Any]], *, plainly: bool = False) -> list[Metadata]:
        if self._process is None:
            self._start()
        assert self._process is not None
        try:
            answers = self._process.ask({"files": batch, "plainly": plainly})
        except ProcessFailed:
            self._stop()
            raise
        return [_metadata(answer) for answer in answers]

    def _start(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="dam-metadata-")
        self._process = MetadataProcess(self._program, Path(self._folder.name), self._limits)
        if self._process.problem:
            self._problem, self._program = self._process.problem, None

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _question(path: Path, probe: Probe) -> dict[str, Any]:
    """Absolute, for the process works in a folder of its own; surrogates carry odd bytes."""
    path = path.absolute()
    sidecar = sidecar_of(path)
    return {
        "path": str(path),
        "kind": str(probe.kind),
        "sidecar": str(sidecar) if sidecar else None,
    }


def _metadata(answer: dict[str, Any]) -> Metadata:
    known = {field.name for field in fields(Metadata)}
    values = {name: value for name, value in answer.items() if name in known}
    return Metadata(**values | {"keywords": tuple(values.get("keywords", ()))})
