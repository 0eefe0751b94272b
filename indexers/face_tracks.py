"""The faces of a video, sample by sample, as one finding for each person in each shot.

Knows no network. A track goes on as long as its face is seen again within `UNSEEN_US`, in the same
shot: at the same place, or at another one if it is clearly the same person.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dam.findings import Face, Span
from indexers.face_networks import overlap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.contracts import Shot, Unit
    from indexers.face_networks import Seen

# Longer: somebody who comes back seems to have been there; shorter: turning away makes two tracks.
UNSEEN_US = 10_000_000
STAYED = 0.5  # overlap of the boxes of somebody who sits still between two samples
# Part of the model's threshold that suffices at the same place: nobody else gets there in a shot.
AT_THE_SAME_PLACE = 0.5


@dataclass(slots=True)
class Sample:
    at_us: int
    faces: Sequence[Seen]  # all of them have templates


@dataclass(slots=True)
class _Track:
    best: Seen
    best_us: int
    first_us: int
    last_us: int
    last: Seen
    sum: Unit  # of templates, each as heavy as it is good
    after_us: int  # the sample behind the last one
    seen: int = field(default=1)

    @property
    def template(self) -> Unit:
        return np.asarray(self.sum / np.linalg.norm(self.sum), np.float32)


def tracks(
    samples: Sequence[Sample],
    shots: Sequence[Shot],
    *,
    duration_us: int | None,
    same_from: float,
) -> list[Face]:
    """One face for each person and shot, in time order; `samples` in time order."""
    if not samples:
        return []
    ordered = sorted((shot.span for shot in shots), key=lambda span: span.start_us)
    starts_us = [span.start_us for span in ordered]
    end_us = duration_us or samples[-1].at_us + 1
    found: list[tuple[_Track, int]] = []
    open_tracks: list[_Track] = []
    shot = -1
    for sample, next_us in zip(samples, [*(s.at_us for s in samples[1:]), end_us], strict=True):
        now = bisect_right(starts_us, sample.at_us) - 1
        if now != shot:
            open_tracks, shot = [], now
        shot_end_us = ordered[now].end_us if now >= 0 else end_us
        if sample.at_us >= shot_end_us:
            shot_end_us = end_us
        after_us = max(min(next_us, shot_end_us, end_us), min(sample.at_us + 1, end_us))
        open_tracks = [t for t in open_tracks if sample.at_us - t.last_us <= UNSEEN_US]
        for track in _follow(open_tracks, sample, after_us, same_from):
            open_tracks.append(track)
            found.append((track, end_us))
    return [_face(track, end_us) for track, end_us in found]


def _follow(
    open_tracks: Sequence[_Track], sample: Sample, after_us: int, same_from: float
) -> list[_Track]:
    """Continues tracks with the faces of a sample, the most alike first; returns new tracks."""
    pairs = sorted(
        (
            (likeness, n, m)
            for n, track in enumerate(open_tracks)
            for m, face in enumerate(sample.faces)
            if (likeness := _likeness(track, face, same_from)) is not None
        ),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    taken: set[int] = set()
    gone_on: set[int] = set()
    for _, n, m in pairs:
        if n not in gone_on and m not in taken:
            _continue(open_tracks[n], sample.faces[m], sample.at_us, after_us)
            gone_on.add(n)
            taken.add(m)
    return [
        _Track(face, sample.at_us, sample.at_us, sample.at_us, face, _weighted(face), after_us)
        for m, face in enumerate(sample.faces)
        if m not in taken
    ]


def _likeness(track: _Track, face: Seen, same_from: float) -> float | None:
    """Cosine, or None when it is somebody else."""
    assert face.template is not None
    cosine = float(track.template @ face.template)
    stays = overlap(track.last.box, face.box) >= STAYED
    return cosine if cosine >= same_from * (AT_THE_SAME_PLACE if stays else 1.0) else None


def _continue(track: _Track, face: Seen, at_us: int, after_us: int) -> None:
    if face.quality > track.best.quality:
        track.best, track.best_us = face, at_us
    track.sum = track.sum + _weighted(face)
    track.last, track.last_us, track.after_us = face, at_us, after_us
    track.seen += 1


def _weighted(face: Seen) -> Unit:
    assert face.template is not None
    return np.asarray(face.template * max(face.quality, 0.05), np.float32)


def _face(track: _Track, end_us: int) -> Face:
    best = track.best
    start_us = min(track.first_us, end_us - 1)
    span = Span(start_us, max(track.after_us, start_us + 1))
    at_us = min(max(track.best_us, span.start_us), span.end_us - 1)
    return Face(
        best.box,
        best.confidence,
        best.landmarks,
        track.template,
        best.quality,
        best.crop,
        at_us=at_us,
        span=span,
    )
