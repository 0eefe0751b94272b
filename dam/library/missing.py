"""Marks files missing, and refuses to when too many vanish at once.

Only a complete scan of a root that is certainly the right one may do so. A missing file keeps its
asset, its text and everything that was decided; it is found again by its content.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from dam.tables import File, FileState, Library, LibraryState, now_us
from dam.trash import bring_back_last_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from dam.library.walk import Changes

# This many files may always vanish: in a small library every deletion is a large part of it.
ALWAYS_ALLOWED = 5


def gone_during(changes: Changes, library_id: str, root_fd: int) -> Callable[[File], bool]:
    """Whether a file is not where it was, as far as this scan can tell.

    Files of other libraries count as gone only once they were marked missing: their disk may just
    be away.
    """
    absent = set(changes.absent)

    def is_gone(file: File) -> bool:
        if file.state == FileState.MISSING:
            return True
        if file.library_id != library_id:
            return False
        return file.path in absent or (not changes.complete and not _is_there(root_fd, file.path))

    return is_gone


def _is_there(root_fd: int, path: bytes) -> bool:
    try:
        os.stat(path, dir_fd=root_fd, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # it cannot be told
    return True


def settle_absent(
    session: Session,
    library_id: str,
    changes: Changes,
    *,
    fraction: float,
    confirmed: bool = False,
) -> list[File]:
    """Ends a complete scan: the files that are missing from now on.

    More of them than `fraction` of the library (and than a handful) suspend it instead, until a
    person confirms. Files that were found elsewhere have moved by now and do not count.
    """
    library = session.get_one(Library, library_id)
    absent = _known_at(session, library_id, changes.absent)
    unread = [file for file in absent if file.asset_id is None]  # nothing to remember of them
    missing = [file for file in absent if file.asset_id is not None]
    total = len(absent) + changes.seen
    allowed = max(ALWAYS_ALLOWED, fraction * total)
    library.scanned_us = now_us()
    library.scans += 1
    if len(missing) > allowed and not confirmed:
        set_state(
            session,
            library_id,
            LibraryState.SUSPENDED,
            f"{len(missing)} of {total} files are gone at once, so none of them was marked "
            "missing. If you removed them, say so: "
            f"dam library confirm {library.name} (the limit is DAM_MISSING_FRACTION).",
        )
        return []
    library.device, library.inode = changes.identity
    set_state(session, library_id, LibraryState.ONLINE, None)
    for file in missing:
        file.state, file.missing_us = FileState.MISSING, now_us()
    for file in unread:
        session.delete(file)
    session.flush()
    bring_back_last_files(session)
    return missing


def _known_at(session: Session, library_id: str, paths: list[bytes]) -> list[File]:
    found: list[File] = []
    for start in range(0, len(paths), 500):  # SQLite takes a bounded number of parameters
        found += session.scalars(
            select(File).where(
                File.library_id == library_id,
                File.path.in_(paths[start : start + 500]),
                File.state != FileState.MISSING,
            )
        )
    return found


def set_state(session: Session, library_id: str, state: LibraryState, reason: str | None) -> None:
    session.execute(
        update(Library).where(Library.id == library_id).values(state=state, state_reason=reason)
    )
