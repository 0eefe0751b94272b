"""Pairs of nearly equal hashes among many, against FAISS's multi-index hashing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import faiss
import numpy as np

from benchmarks.figures import Figure, measured
from dam.duplicates.hamming import near
from dam.media.views import PHOTO_VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

TITLE = "Near-duplicates among many hashes"
PHOTOS = 100_000
MOST_BITS = 6


def measure(workspace: Path) -> Iterator[Figure]:
    del workspace  # nothing is written
    hashes = _hashes(PHOTOS)
    with measured() as ours:
        found = near(hashes, hashes, MOST_BITS)
    with measured() as theirs:
        expected = _by_faiss(hashes)
    if set(zip(found.queries.tolist(), found.stored.tolist(), strict=True)) != expected:
        raise RuntimeError("the two ways found different pairs")
    yield Figure(
        "P5",
        f"pairs within {MOST_BITS} of 64 bits among {PHOTOS:,}: FAISS / dam",
        theirs.cpu_s / ours.cpu_s,
        "×",
        "≥ 40 at a million",
        f"CPU seconds: faiss {faiss.__version__} IndexBinaryMultiHash {theirs.cpu_s:.2f}, "
        f"dam {ours.cpu_s:.2f}; the same pairs",
    )
    views = np.concatenate([hashes, _hashes(PHOTOS * (len(PHOTO_VIEWS) - 1), seed=2)])
    with measured() as all_views:
        near(views, hashes, 10)
    name = f"{PHOTOS:,} photos with {len(PHOTO_VIEWS)} views each, within 10 bits"
    yield Figure("P5", name, all_views.cpu_s, "CPU s", note="as dam duplicates compares them")


def _hashes(count: int, *, seed: int = 1) -> NDArray[np.uint64]:
    """Random ones, of which every hundredth has a copy with a few bits flipped."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, count, dtype=np.uint64)
    for at in range(0, count, 100):
        flipped = rng.choice(64, int(rng.integers(0, MOST_BITS + 3)), replace=False)
        bits = np.bitwise_xor.reduce(np.uint64(1) << flipped.astype(np.uint64), initial=0)
        hashes[at + 1] = hashes[at] ^ np.uint64(bits)
    return hashes


def _by_faiss(hashes: NDArray[np.uint64]) -> set[tuple[int, int]]:
    packed = hashes.view(np.uint8).reshape(-1, 8)
    index = faiss.IndexBinaryMultiHash(64, 4, 16)
    index.nflip = 1  # 6 bits in 4 bands: one band differs in one bit at most
    index.add(packed)
    bounds, _, found = index.range_search(packed, MOST_BITS + 1)  # it keeps what is less
    ends = np.asarray(bounds, np.int64)
    queries = np.repeat(np.arange(len(hashes)), ends[1:] - ends[:-1])
    return set(zip(queries.tolist(), found.tolist(), strict=True))
