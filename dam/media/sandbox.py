"""Decoding without risk: every decoder runs in a killable child process with limits.

The only way in which dam reads pixels or samples of a person's file. A crash, a hang or a memory
hog costs one child and one typed error; the child is replaced at the next request.
"""

from __future__ import annotations

import os
import queue
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from dam.media.decoded_stream import SoundStream, VideoStream
from dam.media.decoder_process import DecoderProcess, Limits
from dam.media.previews import unfinished
from dam.media.probe import Probe
from dam.media.sampling import Sampling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dam.contracts import Pixels

__all__ = ["Counters", "Limits", "Photo", "Sampling", "Sandbox", "SoundStream", "VideoStream"]


@dataclass(slots=True)
class Counters:
    """Originals opened to be decoded. Neither a probe nor reading a preview counts."""

    photos: int = 0
    videos: int = 0  # their pictures
    sounds: int = 0  # of recordings and of videos


@dataclass(frozen=True, slots=True)
class Photo:
    image: Pixels  # upright, sRGB, long side ≤ 1600 px
    thumbhash: bytes


class Sandbox:
    """Up to `size` decoder processes, started when needed. Thread-safe; close every stream.

    Every method raises `UnreadableMedia`, `UnsupportedMedia`, `OverLimit`, `DecodeTimeout`,
    `DecoderCrashed` or `LibraryOffline`, and waits while all processes are busy.
    """

    def __init__(self, limits: Limits, *, size: int = 1) -> None:
        self.counters = Counters()
        self._limits = limits
        self._lock = threading.Lock()
        self._size = size
        # Last in, first out: a process that exists is taken before a new one is started.
        self._free: queue.LifoQueue[DecoderProcess | None] = queue.LifoQueue()
        for _ in range(size):
            self._free.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the processes; waits for those that are busy."""
        for _ in range(self._size):
            process = self._free.get()
            if process is not None:
                process.kill()
        for _ in range(self._size):
            self._free.put(None)

    def probe(self, path: Path) -> Probe:
        return Probe.of(self._run("probe", path)[0])

    def photo(self, path: Path, *, previews: Path | None = None) -> Photo:
        """Decodes the original once; publishes its previews as the folder `previews`."""
        self._count(photos=1)
        with unfinished(previews) if previews else nullcontext() as folder:
            done, image = self._run("photo", path, folder=str(folder) if folder else None)
        return Photo(image=_present(image), thumbhash=bytes.fromhex(done["thumbhash"]))

    def whole_picture(self, original: BinaryIO, name: str, target: Path) -> None:
        """Writes a photo at its full size as a JPEG to `target`, from an opened file: its path
        may be another one's by now. `name` tells what it should be."""
        self._count(photos=1)
        with self._borrowed() as process:
            process.ask("whole", Path(name), target=os.fspath(target), handed_over=True)
            process.hand_over(original)
            process.answer()

    def preview(self, path: Path) -> Pixels:
        """Reads a picture that dam made itself."""
        return _present(self._run("preview", path)[1])

    def video(
        self,
        path: Path,
        *,
        sampling: Sampling,
        previews: Path | None = None,
        frames: bool = True,
    ) -> VideoStream:
        """One pass over the video. Iterate to the end, also when `frames` is off (then it yields
        nothing and only makes the previews); close it in any case."""
        self._count(videos=1)
        wishes = {**sampling.as_message(), "frames": frames}
        return VideoStream(self._borrowed(), path, wishes, previews)

    def sound(
        self,
        path: Path,
        *,
        previews: Path | None = None,
        samples: bool = True,
        required: bool = True,
    ) -> SoundStream:
        """One pass over the sound. Iterate to the end, also when `samples` is off (then it yields
        nothing and only draws the waveform); close it in any case. Without any sound it yields
        nothing, or raises `UnreadableMedia` when it is `required`."""
        self._count(sounds=1)
        wishes = {"samples": samples, "required": required}
        return SoundStream(self._borrowed(), path, wishes, previews)

    def _run(self, do: str, path: Path, **wishes: Any) -> tuple[dict[str, Any], Pixels | None]:
        with self._borrowed() as process:
            process.ask(do, path, **wishes)
            done = process.answer()["done"]
            return done, process.media.read(done["image"]) if "image" in done else None

    @contextmanager
    def _borrowed(self) -> Iterator[DecoderProcess]:
        """A process that is ready; killed and forgotten unless it is idle again at the end."""
        process = self._free.get()
        try:
            if process is not None and not process.alive:
                process.kill()
                process = None
            if process is None:
                process = DecoderProcess(self._limits)
            yield process
        finally:
            if process is not None and not process.idle:
                process.kill()
                process = None
            self._free.put(process)

    def _count(self, *, photos: int = 0, videos: int = 0, sounds: int = 0) -> None:
        with self._lock:
            self.counters.photos += photos
            self.counters.videos += videos
            self.counters.sounds += sounds


def _present(image: Pixels | None) -> Pixels:
    if image is None:
        raise ValueError("the decoder answered without a picture")
    return image
