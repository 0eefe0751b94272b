"""The files with which writing is read: they come inside the wheel of RapidOCR.

Nothing is downloaded, and RapidOCR's own loader, which would, is never called.
"""

from __future__ import annotations

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path

from dam.contracts import ModelFiles, ModelSource
from dam.errors import WeightsUnavailable

DETECTOR = "PP-OCRv6_det_small.onnx"  # finds lines
RECOGNISER = "PP-OCRv6_rec_small.onnx"  # reads one line; its characters are in its metadata
MENDED_BY = "pip install --force-reinstall rapidocr"


class Wheel(ModelSource):
    """A `ModelSource` with one model, which is installed like a library."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder`: instead of the one of the installed RapidOCR."""
        self._folder = folder

    def find(self, name: str, *, indexer: str = "text") -> ModelFiles:
        """Whatever the name: there is no other model of writing. Imports nothing."""
        folder = self._folder or _installed()
        paths = [folder / DETECTOR, folder / RECOGNISER] if folder else []
        if not paths or not all(path.is_file() for path in paths):
            raise WeightsUnavailable(
                f"The models of RapidOCR, with which writing is read, are not here: {MENDED_BY}"
            )
        stats = [path.stat() for path in paths]
        return ModelFiles(
            name="PP-OCRv6-small",
            path=paths[0].parent,
            digest=_digest(*((str(p), s.st_mtime_ns) for p, s in zip(paths, stats, strict=True))),
            licence="Apache-2.0",
            size_bytes=sum(stat.st_size for stat in stats),
        )


def _installed() -> Path | None:
    found = importlib.util.find_spec("rapidocr")
    return Path(found.origin).parent / "models" if found and found.origin else None


@lru_cache
def _digest(*files: tuple[str, int]) -> str:
    """sha256 over names and contents, hex. A worker asks every few seconds: it is remembered."""
    total = hashlib.sha256()
    for path, _ in files:
        total.update(Path(path).name.encode() + b"\0" + Path(path).read_bytes())
    return total.hexdigest()
