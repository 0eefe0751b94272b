"""Follows writing through the frames of a video: what stays is found once, where it reads best.

Frames are seen a second or two apart, so a line is known again by what it says rather than by
where it is. Called by `indexers.text`.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from dam.contracts import Span
from dam.findings import TextBox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.contracts import Shot
    from dam.findings import Box
    from indexers.text_reader import Line

# Likeness of letters (Ratcliff and Obershelp) of two readings of one line. Smaller: lines of a
# list become one; larger: a letter misread makes another finding.
SAME_LETTERS = 0.75
SHORT = 4  # letters; of so few none may differ
# Writing that is out of sight for less has not gone: somebody walked past, or the film cut away
# and back.
BACK_US = 10_000_000
# A line seen in a single frame must be read this surely; noise seldom is, and seldom comes twice.
SURE_AT_ONCE = 0.8


@dataclass(slots=True)
class _Track:
    """One line for as long as it is shown."""

    best: Line
    best_us: int
    newest: Line
    first_us: int
    before_us: int  # the frame before, which did not show it
    last_us: int
    gone_us: int | None = None  # the frame that did not show it any more
    seen: int = 1

    def see(self, line: Line, at_us: int) -> None:
        self.newest, self.last_us, self.gone_us = line, at_us, None
        self.seen += 1
        if _worth(line) > _worth(self.best):
            self.best, self.best_us = line, at_us


class Tracks:
    """The writing of one video. Frames come in the order of their times."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []  # by when they were first seen
        self._live: list[_Track] = []
        self._before_us = -1

    def show(self, at_us: int, lines: Sequence[Line]) -> None:
        """What a frame shows."""
        self._live = [track for track in self._live if at_us - track.last_us < BACK_US]
        unseen = list(self._live)
        for line in lines:
            known = _nearest(unseen, line)
            if known is None:
                track = _Track(line, at_us, line, at_us, self._before_us, at_us)
                self._tracks.append(track)
                self._live.append(track)
            else:
                unseen.remove(known)
                known.see(line, at_us)
        for track in unseen:
            if track.gone_us is None:
                track.gone_us = at_us
        self._before_us = at_us

    def stay(self, at_us: int) -> None:
        """A frame that shows what the one before it showed."""
        for track in self._live:
            if track.gone_us is None:
                track.last_us = at_us
                track.seen += 1
        self._before_us = at_us

    def findings(self, duration_us: int | None, shots: Sequence[Shot]) -> list[TextBox]:
        spans = sorted(shot.span for shot in shots)
        end_us = duration_us or self._before_us + 1
        return [
            _finding(track, end_us, spans)
            for track in self._tracks
            if track.seen > 1 or track.best.confidence >= SURE_AT_ONCE
        ]


def _finding(track: _Track, end_us: int, shots: Sequence[Span]) -> TextBox:
    """Between two frames it comes and goes with a cut, where there is one."""
    first = _shot_at(shots, track.first_us)
    last = _shot_at(shots, track.last_us)
    start = track.first_us
    if first and first.start_us > track.before_us:
        start = min(first.start_us, track.first_us)
    gone = end_us if track.gone_us is None else min(track.gone_us, end_us)
    if last and last.start_us <= track.last_us < last.end_us:
        gone = min(gone, last.end_us) if track.gone_us is not None else gone
    start = min(start, end_us - 1)  # a container may promise less than it holds
    at_us = min(max(track.best_us, start), end_us - 1)
    line = track.best
    span = Span(start, max(gone, start + 1))
    return TextBox(line.text, line.confidence, line.box, at_us, span)


def _shot_at(shots: Sequence[Span], at_us: int) -> Span | None:
    nearest = bisect_right(shots, at_us, key=lambda span: span.start_us) - 1
    return shots[nearest] if nearest >= 0 else None


def _nearest(tracks: Sequence[_Track], line: Line) -> _Track | None:
    """The track that the line goes on: of those that say the same, the one closest to it."""
    same = [track for track in tracks if is_same(track.newest, line)]
    return min(same, key=lambda track: _distance(track.newest.box, line.box), default=None)


def is_same(one: Line, other: Line) -> bool:
    """Two readings of one line. Numbers must agree ("Chapter 1" is not "Chapter 2"), except of a
    counter or a clock, which goes on where it is."""
    a, b = _key(one.text), _key(other.text)
    if a == b:
        return True
    if _is_number(a) and _is_number(b):
        return abs(len(a) - len(b)) <= 1 and _distance(one.box, other.box) < one.box.height
    if _digits(a) != _digits(b) or min(len(a), len(b)) <= SHORT:
        return False
    return SequenceMatcher(None, a, b, autojunk=False).ratio() >= SAME_LETTERS


def _key(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _digits(key: str) -> str:
    return "".join(letter for letter in key if letter.isdigit())


def _is_number(key: str) -> bool:
    return len(_digits(key)) > len(key) / 2


def _distance(one: Box, other: Box) -> float:
    """Between the middles, in parts of the picture."""
    across = one.left + one.width / 2 - other.left - other.width / 2
    down = one.top + one.height / 2 - other.top - other.height / 2
    return float((across**2 + down**2) ** 0.5)


def _worth(line: Line) -> float:
    """How much of it is read, and how surely: half a line is no better for being certain."""
    return len(_key(line.text)) * line.confidence
