"""One pass over a film: frames for the indexers and the pictures for people.

Child side. Every decoded frame is scaled once to the small size that shot detection wants; those
that models will see are scaled once more.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from dam.errors import UnreadableMedia, UnsupportedMedia
from dam.media.container import display_size, opened, rotation_of, video_stream
from dam.media.film_pictures import FilmPictures
from dam.media.frames import Clock, FrameReader
from dam.media.image import PREVIEW_PX, check_pixels, fit
from dam.media.scaling import FrameScaler
from dam.media.source import shown

if TYPE_CHECKING:
    import av

    from dam.contracts import Pixels
    from dam.media.link import Link

# The size PySceneDetect's own downscaling picks (scene_manager.compute_downscale_factor).
_SMALL_PX = 256
_IMAGE_PX = 640
_SHORT_CLIP_PARTS = 4  # a clip too short for several samples is cut into so many
_SHORT_BY_US = 500_000  # headers are inexact; what is missing beyond this is missing
_THREADS = 4  # of one decoder; more would multiply its memory for little speed


class _Pass:
    """What happens to each decoded frame."""

    def __init__(
        self, link: Link, sample_us: int, *, frames: bool, pictures: FilmPictures | None
    ) -> None:
        self.decoded = 0
        self.samples = 0
        self._link = link
        self._sample_us = sample_us
        self._frames = frames
        self._pictures = pictures
        self._next_sample_us = 0
        self._scalers: dict[int, FrameScaler] = {}
        self._display: tuple[int, int] = (0, 0)
        self._rotation = 0

    def prepare(self, stream: av.VideoStream, first: av.VideoFrame) -> None:
        self._display, self._rotation = display_size(stream, first), rotation_of(first)

    def take(self, frame: av.VideoFrame, at_us: int, *, numbered: bool) -> None:
        small = self._scaled(frame, _SMALL_PX)
        if self._pictures is not None:
            self._pictures.take(at_us, small, lambda: self._scaled(frame, PREVIEW_PX))
        if self._frames:
            image = None
            if at_us >= self._next_sample_us:
                image = self._scaled(frame, _IMAGE_PX)
                self.samples += 1
                self._next_sample_us = at_us + self._sample_us
            self._link.frame(at_us, self.decoded if numbered else None, small, image)
        self.decoded += 1
        self._link.progress()

    def _scaled(self, frame: av.VideoFrame, long_side_px: int) -> Pixels:
        scaler = self._scalers.get(long_side_px)
        if scaler is None:
            size = _rounded(self._display) if long_side_px == _SMALL_PX else None
            scaler = FrameScaler(size or fit(self._display, long_side_px), self._rotation)
            self._scalers[long_side_px] = scaler
        return scaler(frame)


def _rounded(size: tuple[int, int]) -> tuple[int, int]:
    factor = max(1.0, max(size) / _SMALL_PX)
    return max(1, round(size[0] / factor)), max(1, round(size[1] / factor))


def decode_video(
    file: BinaryIO,
    path: Path,
    link: Link,
    max_pixels: int,
    *,
    every_frame: bool,
    gap_us: int,
    sample_us: int,
    frames: bool,
    folder: str | None,
) -> dict[str, Any]:
    """Streams the frames over `link`, writes the pictures, answers with the counts."""
    with opened(file, path) as container:
        stream = video_stream(container)
        if stream is None:
            raise UnreadableMedia(f"{shown(path)} has no picture")
        if stream.codec_context is None:
            raise UnsupportedMedia(f"{shown(path)}: no decoder for its codec")
        check_pixels(path, (stream.width, stream.height), max_pixels)
        stream.codec_context.thread_count = min(_THREADS, os.cpu_count() or 1)
        stream.thread_type = "AUTO" if every_frame else "SLICE"
        duration_us = container.duration
        if duration_us is not None and duration_us > 0:
            gap_us = min(gap_us, duration_us // _SHORT_CLIP_PARTS)
            sample_us = min(sample_us, duration_us // _SHORT_CLIP_PARTS)
        reader, clock = FrameReader(container, stream), Clock(container, stream)
        pictures = FilmPictures(duration_us) if folder is not None else None
        film = _Pass(link, sample_us, frames=frames, pictures=pictures)
        chosen = reader.every_frame() if every_frame else reader.keyframes_and_gaps(gap_us)
        for frame in chosen:
            if not film.decoded:
                film.prepare(stream, frame)
            film.take(frame, clock.at_us(frame), numbered=every_frame)
        whole_us = stream.duration and int(stream.duration * (stream.time_base or 0) * 1_000_000)
    if not film.decoded:
        raise UnreadableMedia(f"{shown(path)} is damaged or cut short: no frame can be decoded")
    if pictures is not None and folder is not None:
        pictures.write(Path(folder))
    seen_us = clock.duration_us(reader.end_us)
    return {
        "decoded": film.decoded,
        "samples": film.samples,
        "duration_us": seen_us,
        "damage": _damage(reader.damaged, seen_us, whole_us or 0),
    }


def _damage(damaged: int, seen_us: int, whole_us: int) -> str | None:
    """For people: a file of which only the beginning could be shown is no success to hide.

    `whole_us` is the stream's own length, 0 where it is unknown: the container's would be that of
    the sound as well.
    """
    if whole_us - seen_us > max(_SHORT_BY_US, whole_us // 50):
        return f"cut short: only {seen_us / 1e6:.1f} s of {whole_us / 1e6:.1f} s are there"
    return f"{damaged} damaged packets were passed over" if damaged else None
