"""Reads fields of many files through one ExifTool that stays open.

ExifTool takes its options from a pipe, one a line, and opens names that end in `|` as commands. So
it never sees the name of a person's file: it works in a folder of its own, in which each file is a
link called by a number. Runs in the metadata process, which is killed when ExifTool hangs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil
from exiftool import ExifTool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

_OPTIONS = ["-j", "-G1", "-a", "-q", "-q", "-api", "largefilesupport=1"]
# Every field as a number where it is one, but the lens by its name. Naming the hundred fields that
# are looked for takes ExifTool longer than telling all.
_ASKED = ["-all#", "-LensID"]
_ANSWER_S = 20.0  # for its version; Perl starts in a tenth of a second
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}", re.ASCII)


class ExifToolReader:
    """Context manager. `folder` is private to it and empty."""

    def __init__(self, program: str, folder: Path) -> None:
        self._folder = folder
        self._program = program
        # Relative names must mean the private folder. The empty configuration keeps out
        # ~/.ExifTool_config, which is a program.
        self._exiftool = ExifTool(
            executable=program, encoding="utf-8", common_args=_OPTIONS, config_file=""
        )

    def __enter__(self) -> Self:
        """Raises OSError, ValueError or RuntimeError when there is no ExifTool to be run."""
        os.chdir(self._folder)
        check_exiftool(self._program)
        self._exiftool.run()
        _end_together_with(psutil.Process().children())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exiftool.terminate()

    def read(self, paths: Sequence[Path]) -> list[dict[str, Any]]:
        """Fields of each file, in order; an empty dict for one that says nothing."""
        names = [self._link(number, path) for number, path in enumerate(paths)]
        try:
            output = self._exiftool.execute(*_ASKED, *filter(None, names), raw_bytes=True)
        finally:
            for name in filter(None, names):
                (self._folder / name).unlink()
        by_name = {entry.pop("SourceFile"): entry for entry in _parsed(output)}
        return [by_name.get(name, {}) for name in names]

    def _link(self, number: int, path: Path) -> str:
        """A safe name for a regular file; empty for anything else."""
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                return ""
        except OSError:
            return ""
        name = f"{number}{path.suffix if _SUFFIX.fullmatch(path.suffix) else ''}"
        (self._folder / name).symlink_to(path)
        return name


def _parsed(output: bytes) -> list[dict[str, Any]]:
    """Numbers stay as they are written: a title may be "007" and an album "1.10"."""
    text = output.decode("utf-8", "replace").strip()  # names of fields may be garbage, too
    entries: list[dict[str, Any]] = (
        json.loads(text, strict=False, parse_int=str, parse_float=str) if text else []
    )
    return entries


def find_exiftool(program: str) -> str | None:
    """The absolute path of a program's name or path; None when it is not there."""
    found = shutil.which(program)
    return str(Path(found).absolute()) if found else None


def check_exiftool(program: str) -> None:
    """Raises OSError or ValueError when `program` is no ExifTool of this decade."""
    try:
        command = [program, "-config", "", "-ver"]
        said = subprocess.run(command, capture_output=True, timeout=_ANSWER_S, text=True)
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{program} gives no answer") from error
    if said.returncode or not re.fullmatch(r"(1[2-9]|[2-9]\d)\.\d+", said.stdout.strip()):
        raise ValueError(f"{program} is no ExifTool 12 or newer")


def _end_together_with(children: list[psutil.Process]) -> None:
    """PyExifTool would wait forever, at full speed, for an answer of an ExifTool that died."""

    def watch() -> None:
        psutil.wait_procs(children)
        os._exit(70)

    threading.Thread(target=watch, daemon=True, name="exiftool-watch").start()
