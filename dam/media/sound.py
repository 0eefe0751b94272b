"""One pass over an asset's sound: pieces for the indexers and the waveform for people.

Child side. Both renditions that indexers want come out of the same decode, in bounded memory
however long it lasts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import av
import numpy as np
from av.audio.resampler import AudioResampler

from dam.decoded import VOICE_HZ, WIDE_HZ
from dam.errors import UnreadableMedia
from dam.media.container import audio_stream, opened
from dam.media.source import shown
from dam.media.waveform import Waveform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer

    from dam.contracts import Samples
    from dam.media.link import Link

# Of one piece, which must fit into a place of the shared memory.
PIECE_S = 4
# A timestamp that is further ahead than this is a hole: lost packets, or a late start.
_HOLE_US = 100_000


class _Rendition:
    """The sound at one rate, collected until a piece is whole."""

    def __init__(self, rate_hz: int, layout: str) -> None:
        self.rate_hz = rate_hz
        self.layout = layout
        self.count = 0  # samples that wait
        self._parts: list[Samples] = []
        self._resampler: AudioResampler | None = None

    def add(self, frame: av.AudioFrame) -> None:
        if self._resampler is None:
            self._resampler = AudioResampler("fltp", self.layout, self.rate_hz)
        self._collect(self._resampler.resample(frame))

    def flush(self) -> None:
        """What the filter still holds back; afterwards frames may have another format."""
        if self._resampler is not None:
            self._collect(self._resampler.resample(None))
            self._resampler = None

    def add_silence(self, duration_us: int) -> None:
        channels = 1 if self.layout == "mono" else 2
        self._append(np.zeros((channels, duration_us * self.rate_hz // 1_000_000), np.float32))

    def take(self, count: int) -> Samples:
        """(channels, count); silence where there is less."""
        whole = np.concatenate(self._parts, axis=1)
        self._parts = [whole[:, count:]]
        self.count = max(0, self.count - count)
        missing = count - whole.shape[1]
        return np.pad(whole, ((0, 0), (0, missing))) if missing > 0 else whole[:, :count]

    def _collect(self, frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            self._append(frame.to_ndarray().astype(np.float32, copy=False))

    def _append(self, samples: Samples) -> None:
        self._parts.append(np.nan_to_num(samples, posinf=0.0, neginf=0.0))
        self.count += samples.shape[1]


class _Pieces:
    """Cuts the two renditions at the same places and hands them over."""

    def __init__(self, link: Link, channels: int) -> None:
        self.sent = 0
        self._link = link
        self._at = 0  # samples of the wide rendition handed over so far
        self._wide = _Rendition(WIDE_HZ, "mono" if channels == 1 else "stereo")
        self._voice = _Rendition(VOICE_HZ, "mono")

    def add(self, frame: av.AudioFrame) -> None:
        self._wide.add(frame)
        self._voice.add(frame)
        self._send_whole()

    def add_silence(self, duration_us: int) -> None:
        """Piece by piece: a hole may last for hours."""
        self.flush()
        while duration_us > 0:
            part_us = min(duration_us, PIECE_S * 1_000_000)
            self._wide.add_silence(part_us)
            self._voice.add_silence(part_us)
            self._send_whole()
            duration_us -= part_us

    def flush(self) -> None:
        self._wide.flush()
        self._voice.flush()

    def end(self) -> None:
        self.flush()
        self._send_whole()
        if self._wide.count:
            self._send(self._wide.count)

    def _send_whole(self) -> None:
        while self._wide.count >= PIECE_S * WIDE_HZ and self._voice.count >= PIECE_S * VOICE_HZ:
            self._send(PIECE_S * WIDE_HZ)

    def _send(self, count: int) -> None:
        voice = self._voice.take(-(-count * VOICE_HZ // WIDE_HZ))
        self._link.sound(self._at * 1_000_000 // WIDE_HZ, self._wide.take(count), voice)
        self._at += count
        self.sent += 1


def decode_sound(
    file: BinaryIO,
    path: Path,
    link: Link,
    *,
    samples: bool,
    required: bool,
    folder: str | None,
) -> dict[str, Any]:
    """Streams the sound over `link` (`samples`), draws the waveform into `folder`.

    A damaged packet leaves a hole that is silent. Without any sound nothing is streamed, and
    `required` raises `UnreadableMedia`.
    """
    with opened(file, path) as container:
        stream = audio_stream(container)
        if stream is None:
            if required:
                raise UnreadableMedia(f"{shown(path)} has no sound")
            return {"duration_us": 0, "damage": None}
        context = stream.codec_context
        waveform = Waveform(context.sample_rate) if folder is not None else None
        pieces = _Pieces(link, context.channels) if samples else None
        reader = _Reader(container, stream)
        for frame in reader.frames():
            if waveform is not None:
                waveform.add(frame)
            if pieces is not None:
                if reader.hole_us:
                    pieces.add_silence(reader.hole_us)
                elif reader.is_other_format:
                    pieces.flush()
                pieces.add(frame)
            link.progress()
    if pieces is not None:
        pieces.end()
    if not reader.decoded and required:
        raise UnreadableMedia(f"{shown(path)} is damaged or cut short: no sound can be decoded")
    if waveform is not None and folder is not None:
        waveform.write(Path(folder))
    damage = f"{reader.damaged} damaged packets were passed over" if reader.damaged else None
    return {"duration_us": reader.end_us, "damage": damage}


class _Reader:
    """The frames of a sound stream, and where they lie on the container's clock."""

    def __init__(self, container: InputContainer, stream: av.AudioStream) -> None:
        self.decoded = 0
        self.damaged = 0  # packets that gave an error instead of frames
        self.end_us = 0  # of what was read so far
        self.hole_us = 0  # of silence before the frame that was read last
        self.is_other_format = False  # than the one before it: a broadcast that changes midway
        self._container = container
        self._stream = stream
        self._origin_us = container.start_time or 0
        self._limit_us = container.duration or 0
        self._format: tuple[str, str, int] | None = None

    def frames(self) -> Iterator[av.AudioFrame]:
        for packet in self._container.demux(self._stream):
            try:
                frames = packet.decode()
            except av.error.MemoryError:
                raise
            except av.FFmpegError:
                self.damaged += bool(self.decoded)  # a stream may be joined midway
                continue
            for frame in frames:
                if frame.samples:
                    self._place(frame)
                    yield frame

    def _place(self, frame: av.AudioFrame) -> None:
        written = (frame.format.name, frame.layout.name, frame.sample_rate)
        self.is_other_format = self._format not in (None, written)
        self._format = written
        self.hole_us = 0
        if frame.pts is not None and frame.time_base is not None:
            at_us = int(frame.pts * frame.time_base * 1_000_000) - self._origin_us
            # No header, no trust: a wild timestamp must not make hours of silence.
            if at_us - self.end_us > _HOLE_US and at_us <= self._limit_us:
                self.hole_us = at_us - self.end_us
        self.decoded += 1
        self.end_us += self.hole_us + round(frame.samples * 1_000_000 / frame.sample_rate)
