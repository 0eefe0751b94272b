"""Where previews lie, and how a folder of them appears: complete or not at all.

Parent side and free of decoders. The pictures themselves are made by `dam.media.renditions` in a
decoder process, which only ever writes into the unfinished folder it is given.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dam.disk import is_full
from dam.errors import DiskFull

if TYPE_CHECKING:
    from collections.abc import Iterator

PREVIEW = "preview.jpg"  # photos: long side ≤ 1600 px
THUMB = "thumb.webp"  # everything: long side ≤ 250 px
POSTER = "poster.jpg"  # videos: one telling frame, long side ≤ 1600 px
SPRITE = "sprite.webp"  # videos: tiles for scrubbing
SPRITE_TIMES = "sprite.json"
WAVEFORM = "waveform.json"  # audio: peaks

UNFINISHED = ".unfinished-"  # left only by a kill of the parent
ABANDONED_S = 24 * 3600.0  # no video takes that long, so nobody writes there any more


def preview_folder(previews_path: Path, essence_hash: str) -> Path:
    """Content-addressed, two levels, so that no folder gets more than a few thousand entries."""
    return previews_path / essence_hash[:2] / essence_hash


@contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """A folder to write into that becomes `folder` when the block ends well, else vanishes.

    Raises `DiskFull`.
    """
    draft = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder.parent))
        yield draft
        _publish(draft, folder)
    except OSError as error:
        if not is_full(error):
            raise
        raise DiskFull(f"There is no room for previews in {folder.parent} (DAM_HOME).") from error
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)


def is_abandoned(path: Path) -> bool:
    """Whether this is what a killed process left half-made; a younger one may still be filled."""
    try:
        age_s = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return False
    return path.name.startswith(UNFINISHED) and age_s > ABANDONED_S


def sweep_abandoned(previews_path: Path) -> None:
    for path in filter(is_abandoned, previews_path.glob(f"??/{UNFINISHED}*")):
        shutil.rmtree(path, ignore_errors=True)


def _publish(draft: Path, folder: Path) -> None:
    for path in (*draft.iterdir(), draft):
        _to_disk(path)  # else a power cut could leave the name without the bytes
    try:
        draft.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        # Another worker was first, or these are made anew: same essence, same previews.
        old = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder.parent)) / "old"
        folder.rename(old)
        draft.rename(folder)
        shutil.rmtree(old.parent, ignore_errors=True)
    _to_disk(folder.parent)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
