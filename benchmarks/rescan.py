"""Rescan of a large library in which nothing changed, against `find -printf` over the same tree."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from sqlalchemy import insert

from benchmarks.figures import Figure, Unavailable, measured, run_measured
from dam.config import Settings
from dam.library.libraries import add_library
from dam.library.names import display_of
from dam.library.scan import scan_library
from dam.library.update import update_libraries
from dam.schema import open_database
from dam.tables import File

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dam.db import Database
    from dam.library.walk import Changes
    from dam.tables import Library

TITLE = "Rescan of unchanged files"
FOLDERS = 1_000
FILES_PER_FOLDER = 200
ROUNDS = 3  # the best of each counts: the first one warms the caches


def measure(workspace: Path) -> Iterator[Figure]:
    find = shutil.which("find")
    if find is None:
        raise Unavailable("find is not installed")
    root = workspace / "library"
    _make_tree(root)
    settings = Settings(home=workspace / "home")
    database = open_database(settings)
    library = add_library(database, root)
    _remember(database, library, scan_library(database, library))
    command = ["sh", "-c", f"{find} '{root}' -printf '%p %s %T@\\n' > /dev/null"]
    find_s = min(run_measured(command)[0].cpu_s for _ in range(ROUNDS))
    rescan_s = min(_rescan(database, settings) for _ in range(ROUNDS))
    database.close()
    files = FOLDERS * FILES_PER_FOLDER
    yield Figure(
        "P2",
        f"rescan of {files:,} unchanged files / find -printf",
        rescan_s / find_s,
        "×",
        "≤ 3, then ≤ 2",
        f"CPU seconds: rescan {rescan_s:.2f}, find {find_s:.2f}; best of {ROUNDS} each",
    )


def _rescan(database: Database, settings: Settings) -> float:
    with measured() as cost:
        counts = update_libraries(database, settings)
    if counts.unchanged != FOLDERS * FILES_PER_FOLDER or counts.missing:
        raise RuntimeError("the rescan did not find the tree unchanged")
    return cost.cpu_s


def _make_tree(root: Path) -> None:
    for folder in range(FOLDERS):
        path = root / f"{folder // 50:02d}" / f"folder {folder:04d}"
        path.mkdir(parents=True)
        for number in range(FILES_PER_FOLDER):
            os.close(os.open(path / f"IMG_{folder:04d}_{number:04d}.jpg", os.O_CREAT, 0o644))


def _remember(database: Database, library: Library, changes: Changes) -> None:
    """The rows that ingest would have made; the files themselves hold nothing to read."""
    rows = [
        {
            "library_id": library.id,
            "path": seen.path,
            "display": display_of(seen.path),
            "size_bytes": seen.size_bytes,
            "mtime_ns": seen.mtime_ns,
            "device": seen.device,
            "inode": seen.inode,
        }
        for seen in changes.new
    ]
    with database.write() as session:
        session.execute(insert(File), rows)
