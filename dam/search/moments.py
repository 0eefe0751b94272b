"""Frames that matched → the moments a person is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dam.search.query import Channel, Moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dam.search.spaces import VectorHit

MOST = 5  # moments of one asset
NEAR_US = 2_000_000  # a gap shorter than this is no gap to a viewer
CLOSE = 0.75  # of the best frame's score; with all frames, a small library's videos match whole


@dataclass(frozen=True, slots=True)
class Found:
    """A frame in its shot, or in the time it stands for."""

    start_us: int
    end_us: int
    at_us: int
    score: float


def moments_of(
    hits: Sequence[VectorHit],
    shots: Iterable[tuple[int, int]] = (),
    channel: Channel = Channel.VISUAL,
) -> list[Moment]:
    """The best moments of one asset, best first. `shots` are half-open spans in µs."""
    best = max(hit.confidence for hit in hits)
    spans = sorted(shots)
    found = [
        _placed(hit, spans) for hit in hits if hit.confidence >= CLOSE * best and _is_timed(hit)
    ]
    if not found:
        return [Moment(None, None, best, channel)]
    merged: list[Found] = []
    for frame in sorted(found, key=lambda frame: (frame.start_us, frame.end_us, frame.at_us)):
        if merged and frame.start_us - merged[-1].end_us < NEAR_US:
            merged[-1] = _joined(merged[-1], frame)
        else:
            merged.append(frame)
    merged.sort(key=lambda frame: (-frame.score, frame.start_us))
    return [
        Moment(
            frame.start_us / 1e6,
            frame.end_us / 1e6,
            frame.score,
            channel,
            at_s=frame.at_us / 1e6,
        )
        for frame in merged[:MOST]
    ]


def best_moments(*channels: Sequence[Moment]) -> list[Moment]:
    """Of what several channels found in one asset."""
    every = [moment for moments in channels for moment in moments]
    return sorted(every, key=lambda moment: (-moment.score, moment.start_s or 0))[:MOST]


def _is_timed(hit: VectorHit) -> bool:
    return hit.at_us is not None or hit.start_us is not None


def _placed(hit: VectorHit, shots: Sequence[tuple[int, int]]) -> Found:
    at_us = hit.at_us if hit.at_us is not None else hit.start_us or 0
    for start_us, end_us in shots:
        if start_us <= at_us < end_us:
            return Found(start_us, end_us, at_us, hit.confidence)
    start_us = at_us if hit.start_us is None else hit.start_us
    end_us = start_us if hit.end_us is None else hit.end_us
    return Found(start_us, end_us, at_us, hit.confidence)


def _joined(first: Found, second: Found) -> Found:
    better = first if first.score >= second.score else second
    return Found(
        min(first.start_us, second.start_us),
        max(first.end_us, second.end_us),
        better.at_us,
        better.score,
    )
