"""Recordings that sound the same: their Chromaprints agree, bit by bit, at some shift in time.

Parts of words that are equal propose shifts, the bits of the whole overlap decide. Silence says
nothing: its words do not count. Rain sounds like rain whenever: what is not nearly equal must agree
at this shift far better than at others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Words = NDArray[np.uint32]

# Part of the bits that differ. Measured over MP3, AAC and Opus of 24 to 64 kbit/s, a third of the
# volume and cuts: copies stay under .15 but for a few short ones; recordings of rain, surf and
# engines, which sound alike, begin at .18, all others at .22.
MOST_ERRORS = 0.15
SURE_ERRORS = 0.10
# Of the errors at other shifts. Measured: copies have up to .47 of them, recordings that only sound
# alike .81 and more.
LEAST_BETTER = 0.6
LEAST_OVERLAP = 0.5  # of the shorter recording
LEAST_WORDS = 8  # a second; chance agrees on less
SILENCE = np.uint32(627964279)  # what Chromaprint makes of it
SILENCE_BITS = 3
# Three of four bytes survive more often than the whole; 16 million values keep chance out.
_KEYS = tuple(np.uint32(0xFFFFFFFF ^ (0xFF << byte)) for byte in (0, 8, 16, 24))
_KEPT = 4_000_000  # words that are compared at once: above, a fixed choice among their values
_CROWD = 24  # neighbours among equal keys; a hum would meet everything
_SHIFTS = 8  # that are tried for a pair


def find_pairs(recordings: Sequence[Words]) -> list[tuple[int, int, float]]:
    """(one, other, part of the bits that differ), each pair once, one < other."""
    found = []
    for (one, other), shifts in sorted(_proposed(recordings).items()):
        errors = min(
            _errors(recordings[one], recordings[other], shift + step)
            for shift in shifts[:_SHIFTS]
            for step in (-1, 0, 1)
        )
        if errors <= MOST_ERRORS:
            found.append((one, other, errors))
    return found


def _proposed(recordings: Sequence[Words]) -> dict[tuple[int, int], list[int]]:
    """Shifts for each pair, those first that most words speak for."""
    lengths = [len(words) for words in recordings]
    if not sum(lengths):
        return {}
    words = np.concatenate(list(recordings))
    owner = np.repeat(np.arange(len(lengths)), lengths)
    at = np.concatenate([np.arange(length) for length in lengths])
    heard = ~_silent(words)
    words, owner, at = words[heard], owner[heard], at[heard]
    votes: list[NDArray[np.int64]] = []
    for mask in _KEYS:
        key = words & mask
        chosen = _chosen(key)
        order = chosen[np.lexsort((owner[chosen], key[chosen]))]
        for lag in range(1, _CROWD):
            left, right = order[:-lag], order[lag:]
            meets = (key[left] == key[right]) & (owner[left] != owner[right])
            left, right = left[meets], right[meets]
            votes.append(np.stack([owner[left], owner[right], at[right] - at[left]]))
    pairs, counts = np.unique(np.concatenate(votes, axis=1), axis=1, return_counts=True)
    proposed: dict[tuple[int, int], list[int]] = {}
    for position in np.argsort(-counts, kind="stable"):
        one, other, shift = (int(part) for part in pairs[:, position])
        proposed.setdefault((one, other), []).append(shift)
    return proposed


def _chosen(key: NDArray[np.uint32]) -> NDArray[np.int64]:
    """All of them, or a part that is the same for equal keys."""
    parts = max(1, -(-len(key) // _KEPT))
    scattered = key * np.uint32(2654435761) >> np.uint32(16)
    return np.flatnonzero(scattered % np.uint32(parts) == 0)


def _errors(one: Words, other: Words, shift: int) -> float:
    """Part of the bits that differ where the other starts `shift` words later; 1: no overlap."""
    start, end = max(0, -shift), min(len(one), len(other) - shift)
    shorter = min(len(one), len(other))
    if end - start < max(LEAST_WORDS, LEAST_OVERLAP * shorter):
        return 1.0
    mine, theirs = one[start:end], other[start + shift : end + shift]
    silent = _silent(mine), _silent(theirs)
    counted = ~(silent[0] | silent[1])
    if counted.sum() < LEAST_WORDS:
        return 1.0
    mine, theirs = mine[counted], theirs[counted]
    errors = _differing(mine, theirs)
    alike = errors <= SURE_ERRORS or errors <= LEAST_BETTER * _elsewhere(mine, theirs)
    return errors if alike else 1.0


def _elsewhere(one: Words, other: Words) -> float:
    """Part of the bits that differ at shifts that are wrong."""
    quarter = len(one) // 4
    shifts = (quarter, 2 * quarter, 3 * quarter)
    return sum(_differing(one, np.roll(other, shift)) for shift in shifts) / len(shifts)


def _differing(one: Words, other: Words) -> float:
    return float(np.bitwise_count(one ^ other).mean() / 32)


def _silent(words: Words) -> NDArray[np.bool_]:
    return np.asarray(np.bitwise_count(words ^ SILENCE) <= SILENCE_BITS, np.bool_)
