"""Opens the file that a decoder process was asked to read, and says plainly why it cannot.

Child side. Pillow, PyAV and LibRaw get this file object and never a name, so no trick with
protocols, pipes or playlists can make them read anything else.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, BinaryIO

from dam.errors import LibraryOffline, UnreadableMedia
from dam.media.opening import open_for_reading

if TYPE_CHECKING:
    from pathlib import Path

# The disk or the share is away, not the file at fault.
_AWAY = frozenset(
    getattr(errno, name)
    for name in ("ENOENT", "EIO", "ESTALE", "ENODEV", "ENOTCONN", "EHOSTDOWN", "ENOTDIR")
    if hasattr(errno, name)
)


def shown(path: Path) -> str:
    """The file's name for people; bytes that are no UTF-8 as U+FFFD."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def is_away(error: OSError) -> bool:
    """Whether the disk failed rather than the file. FFmpeg's own errors only borrow the numbers."""
    return type(error).__module__ == "builtins" and error.errno in _AWAY


def open_media(path: Path) -> BinaryIO:
    """A regular, non-empty file. Raises `UnreadableMedia`, or `LibraryOffline` to try later."""
    try:
        file = open_for_reading(path)
    except OSError as error:
        if is_away(error):
            raise LibraryOffline(f"{shown(path)} cannot be read now: {error.strerror}") from error
        if error.errno == errno.ELOOP:
            raise UnreadableMedia(
                f"{shown(path)} is a symbolic link; it is not followed"
            ) from error
        # Without a number: opening.py's own refusal of pipes, sockets and devices.
        reason = f"cannot be opened: {error.strerror}" if error.errno else "is not a regular file"
        raise UnreadableMedia(f"{shown(path)} {reason}") from error
    if os.fstat(file.fileno()).st_size == 0:
        file.close()
        raise UnreadableMedia(f"{shown(path)} is empty (0 bytes)")
    return file
