"""A person's wish that a library be scanned now, left by one process for the watcher in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "scan"


def request_scan(run_path: Path, library_id: str) -> None:
    """Asking twice before it starts is one wish."""
    folder = run_path / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / library_id).touch()


def take_requests(run_path: Path) -> set[str]:
    """The libraries asked for since the last call."""
    folder = run_path / FOLDER
    taken = set()
    for path in folder.iterdir() if folder.is_dir() else ():
        path.unlink(missing_ok=True)
        taken.add(path.name)
    return taken
