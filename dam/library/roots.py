"""Is the folder at a library's path the one that was added?

A mount that went away leaves an empty folder, another disk at the same path leaves strange files;
neither may look like a person who deleted everything. A root is known by device and inode, and by
a sample of its files when those changed (a new mount, a restored backup).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from dam.errors import LibraryOffline
from dam.library.names import display_of, signed_64
from dam.tables import File, FileState, Library

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
SAMPLE_SIZE = (
    32  # larger: slower over a network; smaller: a few deleted files look like another disk
)
SAMPLE_FOUND = 0.5


def root_of(library: Library) -> Path:
    return Path(os.fsdecode(library.root))


def identity_of(root_fd: int) -> tuple[int, int]:
    """Device and inode, as the database holds them."""
    facts = os.fstat(root_fd)
    return signed_64(facts.st_dev), signed_64(facts.st_ino)


def open_root(library: Library) -> int:
    """A descriptor of the root folder. Raises `LibraryOffline`; the caller closes it."""
    try:
        return os.open(library.root, OPEN_FOLDER)
    except OSError as error:
        raise LibraryOffline(
            f"{display_of(library.root)} cannot be opened: {error.strerror}."
        ) from error


def check_root(session: Session, library: Library, root_fd: int) -> None:
    """Raises `LibraryOffline` when another folder than the one added lies at the path."""
    if identity_of(root_fd) == (library.device, library.inode):
        return
    sample = list(_sample(session, library.id))
    found = sum(_is_there(root_fd, path, size_bytes) for path, size_bytes in sample)
    if found < SAMPLE_FOUND * len(sample):
        raise LibraryOffline(
            f"{display_of(library.root)} is another folder than the one that was added: "
            f"{len(sample) - found} of {len(sample)} known files looked for are not in it."
        )


def descend(root_fd: int, folder: str) -> int:
    """Opens a folder below the root without following a link on the way."""
    fd = os.dup(root_fd)
    for name in filter(None, folder.split("/")):
        try:
            inner = os.open(name, OPEN_FOLDER, dir_fd=fd)
        finally:
            os.close(fd)
        fd = inner
    return fd


def is_still_root(library: Library, root_fd: int) -> bool:
    """False when something else was mounted or moved over the root since it was opened."""
    try:
        now = os.stat(library.root, follow_symlinks=False)  # noqa: PTH116 (the root is bytes)
    except OSError:
        return False
    return os.path.samestat(now, os.fstat(root_fd))


def _sample(session: Session, library_id: str) -> Iterator[tuple[bytes, int]]:
    """Known files, spread over the library."""
    here = (File.library_id == library_id, File.state == FileState.PRESENT)
    total = session.scalar(select(func.count()).select_from(File).where(*here)) or 0
    rows = select(File.path, File.size_bytes).where(*here).order_by(File.path)
    step = max(1, total // SAMPLE_SIZE)
    for offset in range(0, total, step):
        row = session.execute(rows.offset(offset).limit(1)).first()
        if row is not None:
            yield row.path, row.size_bytes


def _is_there(root_fd: int, path: bytes, size_bytes: int) -> bool:
    try:
        return os.stat(path, dir_fd=root_fd, follow_symlinks=False).st_size == size_bytes
    except OSError:
        return False
