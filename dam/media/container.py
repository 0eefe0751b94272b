"""Films and sound files as PyAV opens them: safely, with the stream worth looking at.

Child side. Knows containers and streams; `dam.media.video` and `dam.media.sound` decode them.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import av
from av.stream import Disposition

from dam.contracts import Kind
from dam.errors import UnreadableMedia, UnsupportedMedia
from dam.media.formats import DEMUXERS
from dam.media.frames import frame_step_us
from dam.media.image import check_pixels
from dam.media.probe import Probe
from dam.media.source import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from av.container import InputContainer

_READ_BYTES = 256 << 10  # FFmpeg calls back into Python for each piece
_COVERS = Disposition.attached_pic | Disposition.timed_thumbnails
_EXIF_OF_ROTATION = {0: 1, 90: 8, 180: 3, 270: 6}  # counter-clockwise degrees
# No header at all: FFmpeg would guess the length from the bit rate of the first packets.
_WITHOUT_LENGTH = frozenset(("aac", "ac3", "eac3", "amr", "dts", "dtshd", "truehd", "loas"))
_SHORT_NAMES = {"mov,mp4,m4a,3gp,3g2,mj2": "mp4", "matroska,webm": "matroska"}


@contextmanager
def opened(
    file: BinaryIO, path: Path, demuxers: Sequence[str] = DEMUXERS
) -> Iterator[InputContainer]:
    """Only formats that are one file, only that file. Raises `UnreadableMedia`."""
    try:
        container = av.open(
            file,
            "r",
            container_options={
                "format_whitelist": ",".join(demuxers),
                "protocol_whitelist": "file",
            },
            metadata_errors="replace",
            buffer_size=_READ_BYTES,
        )
    except av.error.ArgumentError as error:  # what a whitelist answers
        raise UnreadableMedia(f"{shown(path)} is in no format that is read here") from error
    except av.error.MemoryError:
        raise
    except av.FFmpegError as error:
        raise UnreadableMedia(f"{shown(path)} {_why_closed(file, error)}") from error
    with container:
        yield container


def _why_closed(file: BinaryIO, error: av.FFmpegError) -> str:
    file.seek(0)
    head = file.read(16)
    if head[4:8] == b"ftyp":  # recorders write the index last; FFmpeg says only "invalid data"
        return "is damaged or cut short: an MP4 without its index (moov)"
    if isinstance(error, av.error.InvalidDataError):
        return f"is no film or sound in a known format, or damaged; it begins with {head!r}"
    return f"is damaged or cut short: {error.strerror}"


def video_stream(container: InputContainer) -> av.VideoStream | None:
    """The main picture, or None: cover art in a sound file is no film."""
    streams = [stream for stream in container.streams.video if not stream.disposition & _COVERS]
    return max(streams, key=lambda stream: bool(stream.disposition & 1), default=None)


def audio_stream(container: InputContainer) -> av.AudioStream | None:
    return cast("av.AudioStream | None", container.streams.best("audio"))


def probe_container(
    file: BinaryIO,
    path: Path,
    max_pixels: int,
    progress: Callable[[], None],
    demuxers: Sequence[str] = DEMUXERS,
) -> Probe:
    """Decodes one frame: only that tells the rotation, and that there is anything to decode."""
    with opened(file, path, demuxers) as container:
        video, audio = video_stream(container), audio_stream(container)
        stream = audio if video is None else video
        if stream is None:
            raise UnreadableMedia(f"{shown(path)} has neither a picture nor sound")
        frame = _first_frame(container, stream, path, max_pixels)
        duration_us = container.duration
        if (duration_us or 0) <= 0 or container.format.name in _WITHOUT_LENGTH:
            duration_us = _measured_us(file, path, demuxers, stream.index, progress)
        facts: dict[str, Any] = {
            "format": _SHORT_NAMES.get(container.format.name, container.format.name),
            "codec": stream.codec_context.codec.canonical_name,
            "duration_us": duration_us,
            "has_audio": audio is not None,
            "details": _details(audio),
        }
        if not isinstance(frame, av.VideoFrame) or video is None:
            return Probe(kind=Kind.AUDIO, **facts)
        rate = video.average_rate or video.guessed_rate
        rotation = rotation_of(frame)
        width_px, height_px = display_size(video, frame)[:: -1 if rotation % 180 else 1]
        return Probe(
            kind=Kind.VIDEO,
            width_px=width_px,
            height_px=height_px,
            frame_rate=f"{rate.numerator}/{rate.denominator}" if rate else None,
            orientation=_EXIF_OF_ROTATION[rotation],
            **facts,
        )


def _first_frame(
    container: InputContainer, stream: av.VideoStream | av.AudioStream, path: Path, max_pixels: int
) -> av.VideoFrame | av.AudioFrame:
    context = stream.codec_context
    if context is None:
        raise UnsupportedMedia(f"{shown(path)}: no decoder for its codec")
    if isinstance(stream, av.VideoStream):
        check_pixels(path, (stream.width, stream.height), max_pixels)
    failure: av.FFmpegError | None = None
    for packet in container.demux(stream):
        try:
            for frame in packet.decode():
                return cast("av.VideoFrame | av.AudioFrame", frame)
        except av.error.InvalidDataError as error:
            failure = error
    reason = (failure.strerror if failure else None) or "it ends before the first frame"
    raise UnreadableMedia(f"{shown(path)} is damaged or cut short: {reason}")


def _measured_us(
    file: BinaryIO,
    path: Path,
    demuxers: Sequence[str],
    index: int,
    progress: Callable[[], None],
) -> int | None:
    """The length of a stream by its packets: browsers and crashed recorders write none into the
    header. Opened anew, since bare streams cannot go back for the frame that was decoded."""
    file.seek(0)
    with opened(file, path, demuxers) as container:
        stream = container.streams[index]
        unit_us = float((stream.time_base or 0) * 1_000_000)
        step_us = frame_step_us(stream) if isinstance(stream, av.VideoStream) else 0
        start_us = end_us = packets = furthest_bytes = 0
        for packet in container.demux(stream):
            packets += packet.size > 0
            if packet.pts is not None:
                at_us = int(packet.pts * unit_us)
                start_us = min(start_us, at_us) if end_us else at_us
                end_us = max(end_us, at_us + (int((packet.duration or 0) * unit_us) or step_us))
            if (packet.pos or 0) > furthest_bytes:  # a demuxer that runs in a circle gets nowhere
                furthest_bytes = packet.pos or 0
                progress()
        return (end_us - start_us if end_us else packets * step_us) or None


def _details(audio: av.AudioStream | None) -> dict[str, Any]:
    if audio is None:
        return {}
    return {
        "audio_codec": audio.codec_context.codec.canonical_name,
        "sample_rate_hz": audio.codec_context.sample_rate,
        "channels": audio.codec_context.channels,
    }


def display_size(stream: av.VideoStream, frame: av.VideoFrame) -> tuple[int, int]:
    """Width and height in square pixels, before rotation."""
    aspect = stream.sample_aspect_ratio
    width = frame.width * aspect if aspect and 1 / 16 < aspect < 16 else frame.width
    return max(1, round(width)), frame.height


def rotation_of(frame: av.VideoFrame) -> int:
    """Counter-clockwise degrees that set the frame upright: 0, 90, 180 or 270."""
    return round(frame.rotation / 90) % 4 * 90
