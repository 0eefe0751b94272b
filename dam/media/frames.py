"""Which frames of a video are decoded, and when each of them is shown.

Child side. Two ways through a stream, both reading it once and never seeking: every frame, or the
keyframes, with the stretches between distant keyframes decoded through.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer

# Keyframes closer than this are not all decoded: in ProRes, MJPEG and other codecs where every
# frame is one, "keyframes only" would decode everything.
_KEY_SPACING_US = 500_000
_LEAD_IN_US = 100_000  # smaller differences at the start are no silence before the picture


@dataclass(slots=True)
class _Group:
    """A keyframe and what depends on it, still encoded."""

    at_us: int
    packets: list[av.Packet[av.VideoStream]] = field(default_factory=list)
    through: bool = False  # it is decoded as its packets arrive


class FrameReader:
    """Decodes one video stream."""

    def __init__(self, container: InputContainer, stream: av.VideoStream) -> None:
        self.damaged = 0  # packets that gave an error instead of frames
        self.end_us = 0  # of what was read so far, on the container's clock
        self._container = container
        self._stream = stream
        self._context = stream.codec_context
        self._unit_us = float((stream.time_base or 0) * 1_000_000)
        self._step_us = frame_step_us(stream)
        self._floor_pts: int | None = None

    def every_frame(self) -> Iterator[av.VideoFrame]:
        for _, packet in self._packets():
            yield from self._decode(packet)
        yield from self._decode(None)

    def keyframes_and_gaps(self, gap_us: int) -> Iterator[av.VideoFrame]:
        """In time order. A group is kept encoded until the next keyframe shows that the group's
        first frame will do, or until it lasts longer than `gap_us` and is decoded through.

        Frames that no other frame needs are skipped even then: that finds the same cuts for a
        third of the work (measured on H.264 with B-frames).
        """
        self._context.skip_frame = "NONREF"
        group: _Group | None = None
        contiguous = False
        seen_us = -_KEY_SPACING_US
        for at_us, packet in self._packets():
            if group is None or packet.is_keyframe:
                if group is not None and not group.through and at_us - seen_us >= _KEY_SPACING_US:
                    yield from self._first_of(group)
                    seen_us = group.at_us
                contiguous = group is not None and group.through
                group = _Group(at_us)
            group.packets.append(packet)
            if not group.through and at_us - group.at_us > gap_us:
                group.through = True
                # Frames that lean on what was not decoded would be garbage (open GOP).
                self._floor_pts = None if contiguous else group.packets[0].pts
            if group.through:
                seen_us = at_us
                for kept in group.packets:
                    yield from self._decode(kept)
                group.packets.clear()
        if group is not None and not group.through:
            yield from self._first_of(group)
        yield from self._drain()

    def _packets(self) -> Iterator[tuple[int, av.Packet[av.VideoStream]]]:
        """With the time of decoding; bare streams of H.264 carry none, then frames are counted."""
        at_us = -self._step_us
        for packet in self._container.demux(self._stream):
            if packet.dts is None and packet.size == 0:  # PyAV's mark for the end
                return
            timed = packet.dts if packet.dts is not None else packet.pts
            at_us = at_us + self._step_us if timed is None else int(timed * self._unit_us)
            if timed is None and self._unit_us:
                packet.pts = packet.dts = round(at_us / self._unit_us)
            if packet.pts is not None:
                lasts_us = int((packet.duration or 0) * self._unit_us) or self._step_us
                self.end_us = max(self.end_us, int(packet.pts * self._unit_us) + lasts_us)
            yield at_us, packet

    def _first_of(self, group: _Group) -> Iterator[av.VideoFrame]:
        yield from self._drain()
        self._floor_pts = None
        yield from self._decode(group.packets[0])
        yield from self._drain()

    def _drain(self) -> Iterator[av.VideoFrame]:
        """What the decoder still holds back; afterwards it is as if newly opened."""
        yield from self._decode(None)
        self._context.flush_buffers()

    def _decode(self, packet: av.Packet[av.VideoStream] | None) -> Iterator[av.VideoFrame]:
        try:
            frames = self._context.decode(packet)
        except av.error.MemoryError:
            raise
        except av.FFmpegError:
            self.damaged += 1
            return
        for frame in frames:
            if self._floor_pts is None or frame.pts is None or frame.pts >= self._floor_pts:
                yield frame


def frame_step_us(stream: av.VideoStream) -> int:
    """Time from one frame to the next, as the header says or as films usually have it."""
    rate = stream.average_rate or stream.guessed_rate
    return round(1_000_000 / rate) if rate else 40_000


class Clock:
    """Turns timestamps into microseconds from the container's first one, strictly growing.

    The container's and not the stream's: sound that begins before the picture moves the picture
    in every player, and transcripts must agree with frames. A start a few frames late is none:
    that is the reordering of B-frames (AVI, FLV) or the lead-in of AAC, and counts as zero.
    """

    def __init__(self, container: InputContainer, stream: av.VideoStream) -> None:
        self._unit_us = float((stream.time_base or 0) * 1_000_000)
        self._step_us = frame_step_us(stream)
        self._origin_us = container.start_time
        self._last_us: int | None = None
        self._last_pts: int | None = None
        self._dts_lead: int | None = None  # of the first frame's dts before its pts
        self._by_dts = False

    def at_us(self, frame: av.VideoFrame) -> int:
        ticks = self._ticks(frame)
        if ticks is None:
            at_us = 0 if self._last_us is None else self._last_us + self._step_us
        else:
            shown_us = round(ticks * self._unit_us)
            if self._origin_us is None or (
                self._last_us is None and shown_us - self._origin_us < _LEAD_IN_US
            ):
                self._origin_us = shown_us
            at_us = shown_us - self._origin_us
        if self._last_us is not None:
            at_us = max(at_us, self._last_us + 1)
        self._last_us = at_us
        return at_us

    def _ticks(self, frame: av.VideoFrame) -> int | None:
        """The frame's timestamp. AVI and some MXF store none for B-frames and FFmpeg makes them up
        in the order of decoding: once they run backwards, those of decoding are the better ones."""
        if self._dts_lead is None and frame.pts is not None and frame.dts is not None:
            self._dts_lead = frame.dts - frame.pts
        if frame.pts is not None:
            self._by_dts |= self._last_pts is not None and frame.pts <= self._last_pts
            self._last_pts = frame.pts
        if not self._by_dts or self._dts_lead is None:
            return frame.pts
        return None if frame.dts is None else frame.dts - self._dts_lead

    def duration_us(self, end_us: int) -> int:
        """From the container's first timestamp to `end_us`, and past the last frame in any case."""
        return max(end_us - (self._origin_us or 0), (self._last_us or 0) + self._step_us)
