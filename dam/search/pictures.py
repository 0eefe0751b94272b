"""Pictures that people searched with, kept small so that the address of the results stays valid.

Owns `cache/pictures`: JPEG files named by the hash of their bytes, the most recently used ones.
Whoever deletes them loses nothing but old addresses.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from blake3 import blake3
from PIL import Image

from dam.errors import NotFound

if TYPE_CHECKING:
    from dam.contracts import Pixels

SIDE_PX = 512  # models look at 224 to 384 px; a smaller copy would change what they see
QUALITY = 92
MOST = 200  # about 50 kB each
ID = re.compile(r"[0-9a-f]{20}")


class KeptPictures:
    """Safe to share between threads and processes: a name never gets other bytes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, image: Pixels) -> str:
        """Stores a copy with a long side of at most 512 px; its id is the same for the same one."""
        small = Image.fromarray(image)
        small.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
        held = io.BytesIO()
        small.save(held, "JPEG", quality=QUALITY)
        picture_id = blake3(held.getvalue()).hexdigest()[:20]
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write(self._folder / f"{picture_id}.jpg", held.getvalue())
        self._forget_oldest()
        return picture_id

    def read(self, picture_id: str) -> bytes:
        """The JPEG. Raises `NotFound` for one that is no longer, or never was, kept."""
        path = self._folder / f"{picture_id}.jpg"
        try:
            if ID.fullmatch(picture_id):
                os.utime(path)  # used now: others are forgotten first
                return path.read_bytes()
        except FileNotFoundError:
            pass
        raise NotFound(
            f"The picture {picture_id} is not kept any more: dam keeps the last {MOST} that were "
            "searched with. Choose the picture again."
        )

    def _write(self, path: Path, jpeg: bytes) -> None:
        """Whole or not at all, whoever else writes the same one."""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            draft = Path(folder, path.name)
            draft.write_bytes(jpeg)
            draft.replace(path)

    def _forget_oldest(self) -> None:
        aged: list[tuple[int, Path]] = []
        for path in self._folder.glob("*.jpg"):
            try:
                aged.append((path.stat().st_mtime_ns, path))
            except FileNotFoundError:
                continue  # another process forgot it first
        for _, path in sorted(aged, reverse=True)[MOST:]:
            path.unlink(missing_ok=True)


def decoded(jpeg: bytes) -> Pixels:
    """Of a picture that was kept; dam wrote the file itself, so this needs no sandbox."""
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
        return np.asarray(image.convert("RGB"))
