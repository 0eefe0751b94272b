"""64-bit hashes that differ in few bits, among very many of them.

Multi-index hashing (Norouzi, Punjani, Fleet: Fast Search in Hamming Space, CVPR 2012) in numpy:
hashes that differ in few bits agree, but for one bit at most, in one of four bands of 16 bits.
Knows nothing of assets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Positions = NDArray[np.int64]

BANDS, BITS = 4, 16
EXACT = 7  # bits of distance up to which no pair is missed
# Entries of one bucket that a hash is compared with. The hashes of real pictures crowd in some
# buckets; without a limit those alone cost the square of their size. Those next to it in the order
# of the remaining bits are looked at.
CROWD = 2_048
QUERIES = 1 << 17  # looked up at once: some 100 MB while they are


class Near(NamedTuple):
    queries: Positions
    stored: Positions
    bits: NDArray[np.uint8]  # in which they differ


def near(queries: Hashes, stored: Hashes, most_bits: int) -> Near:
    """Every pair (query, stored hash) that differs in at most so many bits, once each.

    Above `EXACT` bits some are missed: 4 of 100 pairs at 8 bits, 22 at 10.
    """
    found = [
        _in_band(queries, stored, band, most_bits, flips=_flips(band, most_bits))
        for band in range(BANDS)
    ]
    joined = np.concatenate([part for parts in found for part in parts] or [_NOTHING], axis=1)
    keys = joined[0] * max(1, len(stored)) + joined[1]
    _, once = np.unique(keys, return_index=True)
    pairs = joined[:, once]
    bits = np.bitwise_count(queries[pairs[0]] ^ stored[pairs[1]])
    return Near(pairs[0], pairs[1], bits)


_NOTHING = np.zeros((2, 0), np.int64)


def _flips(band: int, most_bits: int) -> bool:
    """Whether this band is also searched with one bit wrong: were all others off by two and this
    one by one, the bits would be more (the pigeonhole of the paper, section 3)."""
    return most_bits >= BANDS + band


def _in_band(
    queries: Hashes, stored: Hashes, band: int, most_bits: int, *, flips: bool
) -> list[NDArray[np.int64]]:
    """Pairs whose hashes agree in one band, or (`flips`) differ there in one bit."""
    turned = _turned(stored, band)
    order = np.argsort(turned, kind="stable")
    turned = turned[order]
    bounds = np.searchsorted(turned >> np.uint64(64 - BITS), np.arange((1 << BITS) + 1))
    masks = [0, *(1 << bit for bit in range(64 - BITS, 64))] if flips else [0]
    found = []
    for start in range(0, len(queries), QUERIES):
        asked = _turned(queries[start : start + QUERIES], band)
        for mask in masks:
            for at, entry in _meetings(asked ^ np.uint64(mask), turned, bounds):
                close = np.bitwise_count(asked[at] ^ turned[entry]) <= most_bits
                found.append(np.stack([at[close] + start, order[entry[close]]]))
    return found


def _turned(hashes: Hashes, band: int) -> Hashes:
    """With the bits of a band in front, so that a bucket is a run of the sorted hashes."""
    by = np.uint64(band * BITS)
    return hashes if not band else (hashes << by) | (hashes >> np.uint64(64 - band * BITS))


def _meetings(
    asked: Hashes, turned: Hashes, bounds: Positions
) -> Iterator[tuple[Positions, Positions]]:
    """(position in `asked`, position in `turned`) of all that share a bucket."""
    bucket = (asked >> np.uint64(64 - BITS)).astype(np.int64)
    first, last = bounds[bucket], bounds[bucket + 1]
    crowded = np.flatnonzero(last - first > CROWD)
    if len(crowded):
        nearest = np.searchsorted(turned, asked[crowded])
        low = np.clip(nearest - CROWD // 2, first[crowded], last[crowded] - CROWD)
        first[crowded], last[crowded] = low, low + CROWD
    number = last - first
    ends = np.cumsum(number)
    done = 0
    while done < len(asked):  # so many at once as fit into memory
        before = int(ends[done - 1]) if done else 0
        until = max(done + 1, int(np.searchsorted(ends, before + 16 * QUERIES)))
        counts = number[done:until]
        at = np.repeat(np.arange(done, until), counts)
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        yield at, first[at] + within
        done = until
