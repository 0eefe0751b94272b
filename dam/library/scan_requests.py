"""A person's wish that a library, or one file of it, be looked at now.

Left by one process for the watcher in another: an empty file named by the library's id, or one
that holds the path of a file in it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from blake3 import blake3

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "scan"


def request_scan(run_path: Path, library_id: str) -> None:
    """Asking twice before it starts is one wish."""
    folder = run_path / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / library_id).touch()


def request_look(run_path: Path, library_id: str, path: bytes) -> None:
    """`path` is relative to the library's root."""
    folder = run_path / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{library_id}.{blake3(path).hexdigest()[:32]}"
    unfinished = folder / f".{name}.{os.getpid()}"
    unfinished.write_bytes(path)
    unfinished.replace(folder / name)


def take_requests(run_path: Path) -> set[str]:
    """The libraries asked for since the last call."""
    taken = set()
    for path in _requests(run_path):
        if "." not in path.name:
            path.unlink(missing_ok=True)
            taken.add(path.name)
    return taken


def take_looks(run_path: Path) -> list[tuple[str, bytes]]:
    """(library id, path) of the files asked for since the last call."""
    taken = []
    for path in _requests(run_path):
        library_id, dot, _ = path.name.partition(".")
        if library_id and dot:
            with suppress(FileNotFoundError):
                taken.append((library_id, path.read_bytes()))
                path.unlink()
    return taken


def _requests(run_path: Path) -> list[Path]:
    folder = run_path / FOLDER
    return list(folder.iterdir()) if folder.is_dir() else []
