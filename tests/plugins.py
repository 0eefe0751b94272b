"""Small indexers without machine learning: they do real work, start at once and can misbehave."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from dam.contracts import (
    VOICE_HZ,
    Finding,
    Item,
    Kind,
    Outcome,
    Producer,
    Reads,
    Setup,
    Span,
    Tag,
    Vector,
)
from dam.errors import DamError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAMES = ("red", "green", "blue")


class Colour:
    """The mean colour as a vector: photos one, videos one a sample."""

    name: ClassVar[str] = "colour"
    version: ClassVar[int] = 1
    accepts: ClassVar[frozenset[Kind]] = frozenset({Kind.PHOTO, Kind.VIDEO})
    reads: ClassVar[frozenset[Reads]] = frozenset({Reads.IMAGE, Reads.FRAMES})
    needs: ClassVar[tuple[str, ...]] = ()
    produces: ClassVar[frozenset[type]] = frozenset({Vector})
    batch_size: ClassVar[int] = 4
    entered: ClassVar[int] = 0  # how often weights would have been loaded

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def producer(self) -> Producer:
        return Producer(self.name, self.version)

    def __enter__(self) -> Self:
        type(self).entered += 1
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        for item in items:
            try:
                yield Outcome(list(self._look(item)))
            except DamError as error:
                yield Outcome(error=error)

    def _look(self, item: Item) -> Iterator[Finding]:
        if item.image is not None:
            yield Vector(_mean(item.image))
        for frame in item.frames:
            if frame.image is not None:
                yield Vector(_mean(frame.image), at_us=frame.at_us)


class Shaky(Colour):
    """Ends its first items with what stands in `troubles`, one each."""

    troubles: ClassVar[list[DamError]] = []

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        for item in items:
            if self.troubles:
                yield Outcome(error=self.troubles.pop())
            else:
                yield from super().index([item])


class Loudness(Colour):
    """How loud each piece of sound is; of a video also whether its picture was read before."""

    name: ClassVar[str] = "loudness"
    accepts: ClassVar[frozenset[Kind]] = frozenset({Kind.VIDEO, Kind.AUDIO})
    reads: ClassVar[frozenset[Reads]] = frozenset({Reads.FRAMES, Reads.SOUND})
    produces: ClassVar[frozenset[type]] = frozenset({Tag})

    def _look(self, item: Item) -> Iterator[Finding]:
        if any(frame.image is not None for frame in item.frames):
            yield Tag("sound", "has a picture", 1.0)
        for piece in item.sound:
            word = "loud" if np.abs(piece.voice).max() > 0.1 else "quiet"
            end_us = piece.at_us + len(piece.voice) * 1_000_000 // VOICE_HZ
            yield Tag("sound", word, 1.0, Span(piece.at_us, end_us))


class Listener(Loudness):
    """The same for sound alone."""

    name: ClassVar[str] = "listener"
    reads: ClassVar[frozenset[Reads]] = frozenset({Reads.SOUND})


class ColourName(Colour):
    """Names the strongest channel of the vectors; reads no media."""

    name: ClassVar[str] = "colour_name"
    reads: ClassVar[frozenset[Reads]] = frozenset()
    needs: ClassVar[tuple[str, ...]] = ("colour",)
    produces: ClassVar[frozenset[type]] = frozenset({Tag})

    def _look(self, item: Item) -> Iterator[Finding]:
        found = {
            NAMES[int(np.argmax(vector.values))]
            for vector in item.upstream("colour")
            if isinstance(vector, Vector)
        }
        for name in sorted(found):
            yield Tag("colours", name, 1.0)


class Buggy(Colour):
    """Fails like a bug on the second item."""

    name: ClassVar[str] = "buggy"
    produces: ClassVar[frozenset[type]] = frozenset({Tag})

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        for number, _item in enumerate(items):
            if number == 1:
                raise ZeroDivisionError("a bug")
            yield Outcome([Tag("v", "fine", 1.0)])


def _mean(pixels: np.ndarray) -> np.ndarray:
    mean = pixels.reshape(-1, 3).mean(axis=0).astype(np.float32) - 60
    unit: np.ndarray = mean / np.linalg.norm(mean)
    return unit
