"""Decoded media as it comes out of a decoder process, piece by piece."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from dam.contracts import Frame, Sound
from dam.media.previews import unfinished

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from dam.media.decoder_process import DecoderProcess

_T = TypeVar("_T", Frame, Sound)


class DecodedStream(ABC, Generic[_T]):
    """Iterable once, in time order. The decoder waits when pieces are not taken.

    Closed before its end, it kills the decoder and publishes no previews.
    """

    asks: ClassVar[str]  # the decoder's operation
    piece: ClassVar[str]  # what it calls its pieces

    def __init__(
        self,
        borrowed: AbstractContextManager[DecoderProcess],
        path: Path,
        wishes: dict[str, Any],
        previews: Path | None,
    ) -> None:
        self.duration_us: int | None = None  # as read, known after the end
        self.damage: str | None = None  # what could not be decoded, known after the end
        self._borrowed = borrowed
        self._path = path
        self._wishes = wishes
        self._previews = previews
        self._pieces: Generator[_T] = self._iterate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _T:
        return next(self._pieces)

    def close(self) -> None:
        self._pieces.close()

    def _iterate(self) -> Generator[_T]:
        with ExitStack() as stack:
            folder = stack.enter_context(unfinished(self._previews)) if self._previews else None
            process = stack.enter_context(self._borrowed)
            process.ask(
                self.asks, self._path, folder=str(folder) if folder else None, **self._wishes
            )
            message = process.answer()
            while self.piece in message:
                taken = self._taken(process, message[self.piece])
                process.take()
                yield taken
                message = process.answer()
            self._ended(message["done"])

    @abstractmethod
    def _taken(self, process: DecoderProcess, piece: dict[str, Any]) -> _T: ...

    def _ended(self, done: dict[str, Any]) -> None:
        self.duration_us, self.damage = done["duration_us"], done["damage"]


class VideoStream(DecodedStream[Frame]):
    asks, piece = "video", "frame"
    decoded = 0  # frames decoded, known after the end
    samples = 0  # those among them that carry an image

    def _taken(self, process: DecoderProcess, piece: dict[str, Any]) -> Frame:
        small = process.media.read(piece["small"])
        image = process.media.read(piece["image"]) if "image" in piece else None
        return Frame(piece["at_us"], piece["number"], small, image)

    def _ended(self, done: dict[str, Any]) -> None:
        super()._ended(done)
        self.decoded, self.samples = done["decoded"], done["samples"]


class SoundStream(DecodedStream[Sound]):
    asks, piece = "sound", "sound"

    def _taken(self, process: DecoderProcess, piece: dict[str, Any]) -> Sound:
        wide, voice = (process.media.read_samples(piece[name]) for name in ("wide", "voice"))
        return Sound(piece["at_us"], wide, voice[0])
