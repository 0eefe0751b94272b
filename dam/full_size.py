"""Photos at full size as browsers can show them: decoded once, then kept for a while.

RAW, HEIC, TIFF and the like take seconds to decode and no browser shows them. What was made is a
cache: any of it may be deleted at any time, and the oldest is when the cache outgrows its limit.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from blake3 import blake3

from dam.disk import is_full
from dam.errors import DiskFull
from dam.media.previews import UNFINISHED, is_abandoned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from dam.config import Settings
    from dam.media.sandbox import Sandbox
    from dam.originals import Original
    from dam.tables import Asset

FOLDER = "full"
SHOWN_FORMATS = frozenset(("jpeg", "png", "webp", "gif", "avif"))
# Browsers guess at the inks of these, or do not know them at all.
ODD_MODES = frozenset(("CMYK", "LAB", "YCCK"))


def is_shown_by_browsers(asset: Asset) -> bool:
    """Whether the original itself appears upright and in its colours."""
    is_odd = asset.details.get("turned") or asset.details.get("mode") in ODD_MODES
    return asset.format in SHOWN_FORMATS and not is_odd


class FullPictures:
    """Thread-safe. `sandbox` lends decoders; waits while all of them are busy."""

    def __init__(
        self, settings: Settings, sandbox: Callable[[], AbstractContextManager[Sandbox]]
    ) -> None:
        self._folder = settings.cache_path / FOLDER
        self._limit_bytes = settings.full_cache_mb << 20
        self._sandbox = sandbox
        self._lock = threading.Lock()
        self._making: defaultdict[str, _Turn] = defaultdict(_Turn)

    def open(self, original: Original, asset_id: str) -> BinaryIO:
        """A JPEG of the whole picture, decoded unless it is known; the caller closes it.

        Raises what the sandbox raises, and `DiskFull`.
        """
        name = blake3(f"{asset_id} {original.etag}".encode()).hexdigest() + ".jpg"
        path = self._folder / name
        with self._alone_with(name):
            with suppress(FileNotFoundError):
                return _opened(path)
            stream = self._made(original, path)
        self._shrink(keep=path)
        return stream

    def _made(self, original: Original, path: Path) -> BinaryIO:
        """Opened before it has its name: from then on others may find the cache too large."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=self._folder) as folder:
                draft = Path(folder, path.name)
                with self._sandbox() as sandbox:
                    sandbox.whole_picture(original.stream, original.name, draft)
                return _published(draft, path)
        except OSError as error:
            if not is_full(error):
                raise
            raise DiskFull(
                f"The picture cannot be kept in {self._folder}: {error.strerror}."
            ) from error

    def _shrink(self, keep: Path) -> None:
        """Deletes what was looked at longest ago. Whoever reads it now reads on."""
        kept = []
        for path in self._folder.iterdir():
            if path.name.startswith(UNFINISHED):
                if is_abandoned(path):
                    shutil.rmtree(path, ignore_errors=True)  # somebody else may be at it too
                continue
            with suppress(FileNotFoundError):
                facts = path.stat()
                kept.append((facts.st_mtime, facts.st_size, path))
        total_bytes = sum(size_bytes for _, size_bytes, _ in kept)
        for _, size_bytes, path in sorted(kept):
            if total_bytes <= self._limit_bytes:
                return
            if path != keep:
                path.unlink(missing_ok=True)
                total_bytes -= size_bytes

    @contextmanager
    def _alone_with(self, name: str) -> Iterator[None]:
        """Whoever wants the same picture at the same time waits for the one that makes it."""
        with self._lock:
            turn = self._making[name]
            turn.waiting += 1
        try:
            with turn.lock:
                yield
        finally:
            with self._lock:
                turn.waiting -= 1
                if not turn.waiting:
                    self._making.pop(name, None)


class _Turn:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting = 0


def _opened(path: Path) -> BinaryIO:
    stream = path.open("rb")
    with suppress(OSError):
        os.utime(path, (time.time(), time.time()))  # looked at just now
    return stream


def _published(draft: Path, path: Path) -> BinaryIO:
    stream = draft.open("rb")
    try:
        os.fsync(stream.fileno())  # else a power cut could leave the name without the bytes
        draft.replace(path)
    except BaseException:
        stream.close()
        raise
    return stream
