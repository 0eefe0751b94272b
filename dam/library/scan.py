"""Finds what changed in a library since the database last heard of it.

Loads what is known once, lets a walk compare it in memory, and makes sure that the walk went over
the right folder. Called by `update`; writes nothing.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from dam.db import is_network_path
from dam.errors import LibraryOffline
from dam.library.names import (
    display_of,
)
from dam.library.roots import (
    check_root,
    identity_of,
    is_still_root,
    open_root,
    root_of,
)
from dam.library.walk import Changes, Walk
from dam.tables import FileState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from dam.db import Database
    from dam.library.walk import Stamp
    from dam.tables import Library

# An empty-looking library is another disk rather than a tidy person from this many files on.
FEW_FILES = 5


def scan_library(
    database: Database,
    library: Library,
    *,
    scope: Sequence[bytes] = (),
    retry: bool = False,
    trusted: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> Changes:
    """Compares a library, or (`scope`) some folders and files of it, with the database.

    `retry` reports unreadable files as changed. A part of `scope` that is not there counts as
    absent. `trusted`: a person said that the folder at the root's path is the right one. Raises
    `LibraryOffline`.
    """
    root = root_of(library)
    root_fd = open_root(library)
    try:
        with database.read() as session:
            if not trusted:
                check_root(session, library, root_fd)
            known = _load_known(session, library.id, scope, retry=retry)
            sidecars = _load_sidecars(session, library.id)
        known_before = len(known)
        walk = Walk(
            known,
            sidecars,
            inodes_last=not is_network_path(root),
            own_folder=_inside(root, database.path.parent),
            stop=stop,
        )
        if scope:
            walk.over_parts(root_fd, [os.fsdecode(path) for path in scope])
        else:
            walk.over_folder(os.dup(root_fd), "")
        changes = walk.finish(identity=identity_of(root_fd), complete=not scope)
        if changes.complete and not trusted:
            _refuse_other_disk(library, walk, changes, known_before)
        if not is_still_root(library, root_fd):
            raise LibraryOffline(f"{root} went away during the scan.")
    finally:
        os.close(root_fd)
    return changes


def _refuse_other_disk(library: Library, walk: Walk, changes: Changes, known: int) -> None:
    """Raises `LibraryOffline` when nothing that is known was seen, not even under another name."""
    gone = len(walk.left)
    if not known or gone < known:
        return
    if not walk.entries:
        raise LibraryOffline(
            f"{display_of(library.root)} is empty, but {known} files of it are known: "
            "is its disk mounted?"
        )
    seen = {(file.mtime_ns, file.size_bytes) for file in changes.new}
    moved = any(stamp[:2] in seen for stamp in walk.left.values())
    if known > FEW_FILES and not moved:
        raise LibraryOffline(
            f"{display_of(library.root)} holds none of its {known} known files: "
            "is another disk mounted there?"
        )


def _load_known(
    session: Session, library_id: str, scope: Sequence[bytes], *, retry: bool
) -> dict[str, Stamp]:
    """Raw SQL and the driver's own cursor: this is a quarter of the cost when nothing changed."""
    run = session.connection().exec_driver_sql
    mtime = f"CASE state WHEN '{FileState.UNREADABLE}' THEN -1 ELSE mtime_ns END"
    what = f"SELECT path, {mtime if retry else 'mtime_ns'}, size_bytes, inode FROM files"
    where = f"WHERE library_id = ? AND state != '{FileState.MISSING}'"
    if not scope:  # in the order of the table: half the cost of following the index on paths
        return _stamps(run(f"{what} NOT INDEXED {where}", (library_id,)).cursor)
    known = {}
    for part in scope:
        inside = (part, part + b"/", part + b"0")  # "0" follows "/"
        rows = run(
            f"{what} {where} AND (path = ? OR path >= ? AND path < ?)", (library_id, *inside)
        )
        known.update(_stamps(rows.cursor))
    return known


def _stamps(rows: Any) -> dict[str, Stamp]:
    encoding, errors = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()  # os.fsdecode
    return {
        path.decode(encoding, errors): (mtime_ns, size_bytes, inode)
        for path, mtime_ns, size_bytes, inode in rows
    }


def _load_sidecars(session: Session, library_id: str) -> dict[str, str]:
    rows: Any = session.connection().exec_driver_sql(
        "SELECT path, sidecar FROM files NOT INDEXED WHERE sidecar IS NOT NULL AND library_id = ?",
        (library_id,),
    )
    return {os.fsdecode(path): stamp for path, stamp in rows}


def _inside(root: Path, folder: Path) -> str | None:
    resolved = folder.resolve()
    return str(resolved.relative_to(root)) if resolved.is_relative_to(root) else None
