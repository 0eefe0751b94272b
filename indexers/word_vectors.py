"""Vectors of texts, kept between runs: a new word costs one call for that word alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dam.contracts import QueryEncoder, Unit


class WordVectors:
    """Of one vector space. The file is a cache: lost or torn, it is made again."""

    def __init__(self, cache: Path, space: str) -> None:
        self._path = cache / f"words-{space[:32]}.npz"
        self._known: dict[str, Unit] | None = None

    def of(self, texts: Sequence[str], encoder: Callable[[], QueryEncoder]) -> Unit:
        """(n, dim) float32 unit rows; asks for the encoder only when a text is new."""
        known = self._load()
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            known.update(zip(missing, encoder().encode_text(missing), strict=True))
            self._save(known)
        return np.stack([known[text] for text in texts])

    def _load(self) -> dict[str, Unit]:
        if self._known is None:
            try:
                with np.load(self._path, allow_pickle=False) as saved:
                    self._known = dict(zip(saved["texts"].tolist(), saved["vectors"], strict=True))
            except (OSError, ValueError, KeyError, BadZipFile):
                self._known = {}
        return self._known

    def _save(self, known: dict[str, Unit]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        with fresh.open("wb") as out:
            np.savez(out, texts=np.array(list(known)), vectors=np.stack(list(known.values())))
        fresh.replace(self._path)
