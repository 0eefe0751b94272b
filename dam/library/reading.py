"""Reads a file's bytes once for its content hash, and only while it stands still.

Opened beneath the root without following links, non-blocking, regular files only: a name may have
been swapped for a link or a FIFO since the scan saw it.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from blake3 import blake3

from dam.library.names import signed_64
from dam.library.roots import descend

if TYPE_CHECKING:
    from dam.library.walk import Seen

OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
CHUNK_BYTES = 1 << 17  # smaller: more calls; larger: no faster, and out of the processor's cache


class FileChanged(Exception):
    """The file is not the one that the scan saw, or it changed while it was read.

    Not an error: somebody is writing it, and the next scan finds it again.
    """


def hash_file(root_fd: int, seen: Seen) -> str:
    """BLAKE3 hex of the bytes. Raises `FileChanged`, or OSError when it cannot be read."""
    folder, _, name = seen.path.rpartition(b"/")
    try:
        folder_fd = descend(root_fd, os.fsdecode(folder))
        try:
            fd = os.open(name, OPEN_FILE, dir_fd=folder_fd)
        finally:
            os.close(folder_fd)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileChanged from error
    try:
        _check_same(seen, os.fstat(fd))
        digest = _hash(fd)
        _check_same(seen, os.fstat(fd))
    finally:
        os.close(fd)
    return digest


def check_unchanged(root_fd: int, seen: Seen) -> None:
    """Raises `FileChanged` unless the path still shows the file that was hashed.

    The decoders open a file by its name; this tells that they saw the same bytes.
    """
    try:
        _check_same(seen, os.stat(seen.path, dir_fd=root_fd, follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileChanged from error


def _check_same(seen: Seen, facts: os.stat_result) -> None:
    now = (signed_64(facts.st_mtime_ns), facts.st_size, signed_64(facts.st_ino))
    if not stat.S_ISREG(facts.st_mode) or now != (seen.mtime_ns, seen.size_bytes, seen.inode):
        raise FileChanged


def _hash(fd: int) -> str:
    digest = blake3(max_threads=1)
    buffer = bytearray(CHUNK_BYTES)
    view = memoryview(buffer)
    while count := os.readv(fd, [buffer]):
        digest.update(view[:count])
    return digest.hexdigest()
