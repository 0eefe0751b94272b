"""What is wrong with a picture, a film or a recording, as plain findings with their times.

Pictures: sharpness, exposure, clipped highlights, crushed shadows. Films also: black, frozen and
flash frames. Sound: silence, clipping, dropouts, loudness (EBU R128). No model, no weights.
See docs/indexers/quality.md.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean, median
from typing import TYPE_CHECKING, ClassVar, Self

from dam.contracts import Item, Kind, Outcome, Producer, Reads, Setup, Span
from dam.errors import DamError, UnreadableMedia
from dam.findings import Measure, Quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dam.contracts import Pixels

SOFT = 0.45  # sharpness below which most photographs were blurred by 2 px or more
DARK, BRIGHT = 0.06, 0.94  # mean luminance of pictures that show next to nothing
MUCH_WHITE, MUCH_BLACK = 0.05, 0.30  # parts of a picture without any detail


class QualityControl:
    name: ClassVar[str] = "quality"
    version: ClassVar[int] = 1
    accepts: ClassVar[frozenset[Kind]] = frozenset(Kind)
    reads: ClassVar[frozenset[Reads]] = frozenset(Reads)
    needs: ClassVar[tuple[str, ...]] = ()
    produces: ClassVar[frozenset[type]] = frozenset({Quality})
    batch_size: ClassVar[int] = 1

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def producer(self) -> Producer:
        """Another tier sees other frames, and so other faults."""
        tier = self._setup.options.get("tier")
        return Producer(self.name, self.version, parameters={"tier": tier} if tier else {})

    def __enter__(self) -> Self:
        import cv2  # heavy: loads here, not on import

        cv2.setNumThreads(self._setup.threads)
        return self

    def __exit__(self, *_error: object) -> None:
        """There are no weights to let go."""

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        for item in items:
            try:
                outcome = Outcome([_inside(quality, item) for quality in _measured(item)])
            except DamError as error:
                outcome = Outcome(error=error)
            yield outcome


def _measured(item: Item) -> Iterator[Quality]:
    if item.kind is Kind.PHOTO:
        yield from _of_pictures([_checked(item.image)])
    if item.kind is Kind.VIDEO:
        yield from _of_frames(item)
    if item.kind is not Kind.PHOTO:
        yield from _of_sound(item)


def _checked(image: Pixels | None) -> Pixels:
    if image is None or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise UnreadableMedia("There is no picture to measure.")
    if image.dtype.name != "uint8":
        raise UnreadableMedia(f"A picture of {image.dtype.name} cannot be measured.")
    return image


def _of_pictures(pictures: Iterable[Pixels]) -> list[Quality]:
    """Of a photo, or of the samples of a video: the middle of what they are."""
    from indexers import picture_quality as measure

    seen = [
        (
            measure.sharpness(pixels),
            measure.exposure(pixels),
            measure.clipped_highlights(pixels),
            measure.crushed_shadows(pixels),
        )
        for pixels in pictures
    ]
    if not seen:
        return []
    sharp, exposure, white, black = zip(*seen, strict=True)
    values = (median(sharp), fmean(exposure), fmean(white), fmean(black))
    return [
        Quality(Measure.SHARPNESS, values[0], is_fault=values[0] < SOFT),
        Quality(Measure.EXPOSURE, values[1], is_fault=not DARK <= values[1] <= BRIGHT),
        Quality(Measure.CLIPPED_HIGHLIGHTS, values[2], is_fault=values[2] > MUCH_WHITE),
        Quality(Measure.CRUSHED_SHADOWS, values[3], is_fault=values[3] > MUCH_BLACK),
    ]


def _of_frames(item: Item) -> Iterator[Quality]:
    from indexers.film_faults import FilmFaults

    faults = FilmFaults()
    last_us: int | None = None
    found: list[Quality] = []

    def samples() -> Iterator[Pixels]:
        nonlocal last_us
        for frame in item.frames:
            found.extend(faults.add(frame))
            last_us = frame.at_us
            if frame.image is not None:
                yield frame.image

    found = [*_of_pictures(samples()), *found]
    if last_us is None:
        raise UnreadableMedia("No frame of this video could be decoded.")
    yield from found
    yield from faults.end(max(item.duration_us or 0, last_us + 1))


def _of_sound(item: Item) -> Iterator[Quality]:
    from indexers.sound_faults import SoundFaults

    faults = SoundFaults()
    for piece in item.sound:
        yield from faults.add(piece)
    yield from faults.end()


def _inside(quality: Quality, item: Item) -> Quality:
    """Sound often ends a little after what the header says."""
    span, end_us = quality.span, item.duration_us
    if span is None or end_us is None or span.end_us <= end_us:
        return quality
    start_us = min(span.start_us, end_us - 1)
    return replace(quality, span=Span(start_us, end_us))
