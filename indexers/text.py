"""Writing in photos and in the frames of videos: signs, slides, titles, captions, documents.

Photos are read at the size of their previews. Of a video every sampled frame is looked at that
shows something else than the one before it; what stays is one finding, at the frame where it
reads best. Lines of many pictures share a call of the network. See docs/indexers/text.md.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from dam.contracts import Item, Kind, Outcome, Producer, Reads, Setup, Shot
from dam.errors import DamError, UnreadableMedia, UpstreamFailed
from dam.findings import TextBox
from indexers.loading import Weights
from indexers.text_models import Wheel
from indexers.text_tracks import Tracks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dam.contracts import ModelFiles, Pixels
    from indexers.text_reader import Line, Reader, Spot

# Confidence from which a line counts. Of 80 photographs of COCO what lay lower was misread.
LEAST_CONFIDENCE = 0.7
# A single character is what a wheel, a lamp or a whole giraffe may be taken for: it must be surer,
# and not higher than this part of the picture.
LEAST_OF_ONE, HIGHEST_OF_ONE = 0.97, 0.2
SPOTS_AT_ONCE = 24  # lines that wait to be read, about; more only cost memory
# A picture is seen in tiles of this many pixels, and has changed when the mean of one moves by so
# many levels of 255: new words do that, the noise of a camera and of a codec does not.
TILE_PX, CHANGED = 16, 6.0


class Text:
    name: ClassVar[str] = "text"
    version: ClassVar[int] = 1
    accepts: ClassVar[frozenset[Kind]] = frozenset({Kind.PHOTO, Kind.VIDEO})
    reads: ClassVar[frozenset[Reads]] = frozenset({Reads.IMAGE, Reads.FRAMES})
    needs: ClassVar[tuple[str, ...]] = ("shots",)
    produces: ClassVar[frozenset[type]] = frozenset({TextBox})
    batch_size: ClassVar[int] = 8  # pictures whose lines are read together

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._weights = Weights(replace(setup, models=Wheel()), self.name)
        self._reader: Reader | None = None

    def producer(self) -> Producer:
        files = self._weights.find()
        return Producer(self.name, self.version, model=files.name, weights=files.digest)

    def __enter__(self) -> Self:
        with self._weights.loading() as files:
            self._reader = self._load(files)
        return self

    def _load(self, files: ModelFiles) -> Reader:
        import cv2

        from indexers.text_reader import Reader  # ONNX Runtime and RapidOCR load here

        cv2.setNumThreads(self._setup.threads)
        return Reader(files.path, threads=self._setup.threads)

    def __exit__(self, *_error: object) -> None:
        self._reader = None

    @property
    def _loaded(self) -> Reader:
        if self._reader is None:
            raise RuntimeError("enter the indexer first: `with text:`")
        return self._reader

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        waiting: deque[_Waiting] = deque()
        batch: list[_Page] = []
        for item in items:
            asset = _Waiting(item)
            waiting.append(asset)
            try:
                for at_us, pixels in _pictures(item):
                    spots = self._loaded.find(pixels) if pixels is not None else None
                    batch.append(_Page(asset, at_us, spots))
                    asset.unread += 1
                    if len(batch) >= self.batch_size or _spots(batch) >= SPOTS_AT_ONCE:
                        self._read(batch)
            except DamError as error:
                asset.error = error
            asset.is_seen = True
            while waiting and waiting[0].done:
                yield waiting.popleft().outcome()
        self._read(batch)
        while waiting:
            yield waiting.popleft().outcome()

    def _read(self, batch: list[_Page]) -> None:
        """Hands every asset its lines, in order, and empties the batch."""
        lines = iter(self._loaded.read([spot for page in batch for spot in page.spots or ()]))
        for page in batch:
            if page.spots is None:
                page.asset.take(page.at_us, None)
            else:
                read = [next(lines) for _ in page.spots]
                page.asset.take(page.at_us, [line for line in read if _is_writing(line)])
        batch.clear()


@dataclass(frozen=True, slots=True)
class _Page:
    """A picture whose lines are found and wait to be read."""

    asset: _Waiting
    at_us: int | None
    spots: list[Spot] | None  # None: it shows what the one before it showed


@dataclass(slots=True)
class _Waiting:
    """An asset whose pictures are partly seen or partly read."""

    item: Item
    lines: list[Line] = field(default_factory=list)  # of a photo
    tracks: Tracks = field(default_factory=Tracks)  # of a video
    unread: int = 0
    error: DamError | None = None
    is_seen: bool = False

    @property
    def done(self) -> bool:
        return self.is_seen and not self.unread

    def take(self, at_us: int | None, lines: list[Line] | None) -> None:
        self.unread -= 1
        if at_us is None:
            self.lines = lines or []
        elif lines is None:
            self.tracks.stay(at_us)
        else:
            self.tracks.show(at_us, lines)

    def outcome(self) -> Outcome:
        if self.error is not None:
            return Outcome(error=self.error)
        if self.item.kind is Kind.PHOTO:
            return Outcome([TextBox(line.text, line.confidence, line.box) for line in self.lines])
        return Outcome(self.tracks.findings(self.item.duration_us, _shots(self.item)))


def _spots(batch: Sequence[_Page]) -> int:
    return sum(len(page.spots or ()) for page in batch)


def _is_writing(line: Line) -> bool:
    letters = sum(letter.isalnum() for letter in line.text)
    if letters == 1:
        return line.confidence >= LEAST_OF_ONE and line.box.height <= HIGHEST_OF_ONE
    return letters > 1 and line.confidence >= LEAST_CONFIDENCE


def _pictures(item: Item) -> Iterator[tuple[int | None, Pixels | None]]:
    """(time, pixels) of what is to be read; no pixels where a frame shows nothing new."""
    if item.kind is Kind.PHOTO:
        yield None, _checked(item.image)
        return
    tiles: np.ndarray | None = None
    is_empty = True
    for frame in item.frames:
        if frame.image is None:
            continue
        is_empty = False
        fresh = _tiles(_checked(frame.image))
        is_new = tiles is None or tiles.shape != fresh.shape or _differ(tiles, fresh)
        if is_new:
            tiles = fresh
        yield frame.at_us, frame.image if is_new else None
    if is_empty:
        raise UnreadableMedia("No frame of this video could be decoded.")


def _tiles(pixels: Pixels) -> np.ndarray:
    """(rows, columns, 3) float32 means."""
    import cv2

    height, width = pixels.shape[:2]
    size = max(1, width // TILE_PX), max(1, height // TILE_PX)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)


def _differ(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.abs(one - other).max() > CHANGED)


def _checked(image: Pixels | None) -> Pixels:
    if image is None or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise UnreadableMedia("There is no picture to read.")
    if image.dtype != np.uint8:
        raise UnreadableMedia(f"A picture of {image.dtype.name} cannot be read.")
    return image


def _shots(item: Item) -> list[Shot]:
    """Asked only after the last frame: `shots` may be working on the same pass."""
    try:
        found = item.upstream("shots")
    except UpstreamFailed:
        return []  # spans then begin and end with samples
    return [shot for shot in found if isinstance(shot, Shot)]
