"""The frames of one video as they come out of a decoder process."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from dam.contracts import Frame
from dam.media.previews import unfinished

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from dam.media.decoder_process import DecoderProcess


class VideoStream:
    """Iterable once, in time order. The decoder waits when frames are not taken.

    Closed before its end, it kills the decoder and publishes no previews.
    """

    def __init__(
        self,
        borrowed: AbstractContextManager[DecoderProcess],
        path: Path,
        wishes: dict[str, Any],
        previews: Path | None,
    ) -> None:
        self.decoded = 0  # frames decoded, known after the end
        self.samples = 0  # those among them that carry an image
        self.duration_us: int | None = None  # as read, known after the end
        self.damage: str | None = None  # what could not be decoded, known after the end
        self._borrowed = borrowed
        self._path = path
        self._wishes = wishes
        self._previews = previews
        self._frames = self._iterate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Frame:
        return next(self._frames)

    def close(self) -> None:
        self._frames.close()

    def _iterate(self) -> Generator[Frame]:
        with ExitStack() as stack:
            folder = stack.enter_context(unfinished(self._previews)) if self._previews else None
            process = stack.enter_context(self._borrowed)
            process.ask("video", self._path, folder=str(folder) if folder else None, **self._wishes)
            message = process.answer()
            while "frame" in message:
                yield self._taken(process, message["frame"])
                message = process.answer()
            done = message["done"]
            self.decoded, self.samples = done["decoded"], done["samples"]
            self.duration_us, self.damage = done["duration_us"], done["damage"]

    def _taken(self, process: DecoderProcess, frame: dict[str, Any]) -> Frame:
        small = process.pixels.read(frame["small"])
        image = process.pixels.read(frame["image"]) if "image" in frame else None
        process.take()
        return Frame(frame["at_us"], frame["number"], small, image)
