"""How full a disk is: asked before much is written, and told apart from other failures after."""

from __future__ import annotations

import errno
import shutil
from typing import TYPE_CHECKING

from dam.errors import DiskFull

if TYPE_CHECKING:
    from pathlib import Path

# What is left for everybody else on the disk, the database above all: it must be able to write.
RESERVE_BYTES = 256 << 20
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT))


def is_full(error: OSError) -> bool:
    """Whether there is no room on the disk or in the user's share of it."""
    return error.errno in _FULL


def check_room(folder: Path | int, needed_bytes: int, *, where: str) -> None:
    """Raises `DiskFull` with both numbers. The folder by its path or as a descriptor."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes + RESERVE_BYTES:
        raise DiskFull(
            f"The disk of {where} has {free_bytes >> 20:,} MiB left: too little for a file of "
            f"{needed_bytes >> 20:,} MiB, since {RESERVE_BYTES >> 20} MiB of it must stay free."
        )
