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


def check_room(folder: Path, needed_bytes: int, *, purpose: str) -> None:
    """Raises `DiskFull`, naming the folder and both numbers."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes + RESERVE_BYTES:
        raise DiskFull(
            f"There is no room for {purpose}: {needed_bytes >> 20:,} MiB are needed and "
            f"{RESERVE_BYTES >> 20} MiB must stay free, but the disk of {folder} has only "
            f"{free_bytes >> 20:,} MiB left."
        )
