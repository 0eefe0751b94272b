"""By what copies of a picture, a film or a recording are recognised, however they were saved.

Photos and frames: ImageHash's pHash, of the picture and of views of it that copies often show
(`dam.media.views`). Sound: Chromaprint, where the program `fpcalc` is installed. What is black or
flat has no hash: everything black would look alike. Compares nothing itself; `dam.duplicates`
does. See docs/indexers/fingerprints.md.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from dam.contracts import Item, Kind, Outcome, Producer, Reads, Setup, Span
from dam.errors import DamError, UnreadableMedia
from dam.findings import Fingerprint, FingerprintKind
from indexers.chromaprint import MENDED_BY, PROGRAM, WORD_US, Listener, find_program

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from PIL.Image import Image

    from dam.contracts import Finding, Frame, Pixels
    from dam.media.views import View

# Standard deviation of the luminance (0 to 255) under which a picture is flat: sensor noise and
# the blocks of a strongly compressed black frame stay under 2, a foggy landscape lies over 8.
FLAT = 3.0
# Frames closer than this are not both hashed. Larger: two versions of a film whose keyframes lie
# elsewhere no longer meet while things move; smaller: more rows for the same answer.
FRAMES_APART_US = 500_000
# Frames that differ in so few of 64 bits are one look, of which the first is kept.
SAME_LOOK_BITS = 2
# A long look is kept again after this time, so that it still counts for as long as it lasts.
LONGEST_LOOK_US = 4_000_000
MOST_PICTURES = 14_400  # of a film: two hours of two a second, 3.7 MB; longer ones have fewer
log = logging.getLogger(__name__)


class Fingerprints:
    name: ClassVar[str] = "fingerprints"
    version: ClassVar[int] = 2
    accepts: ClassVar[frozenset[Kind]] = frozenset({Kind.PHOTO, Kind.VIDEO, Kind.AUDIO})
    reads: ClassVar[frozenset[Reads]] = frozenset({Reads.IMAGE, Reads.FRAMES, Reads.SOUND})
    needs: ClassVar[tuple[str, ...]] = ()
    produces: ClassVar[frozenset[type]] = frozenset({Fingerprint})
    batch_size: ClassVar[int] = 1

    def __init__(self, setup: Setup) -> None:
        self._program = find_program()
        self._hashing: Any = None

    def producer(self) -> Producer:
        """With fpcalc it is another producer: once it is installed, sound is fingerprinted."""
        return Producer(self.name, self.version, parameters={"sound": self._program is not None})

    def lacks(self, kinds: Collection[Kind]) -> str | None:
        if self._program is not None or Kind.AUDIO not in kinds:
            return None
        return (
            f"Recordings are not compared: the program {PROGRAM} is missing. Pictures and films "
            f"are. Once it is installed, sound is fingerprinted: {MENDED_BY}"
        )

    def __enter__(self) -> Self:
        import imagehash  # with scipy: loads here, not on import

        self._hashing = imagehash
        if self._program is None:
            log.warning("Sound gets no fingerprints: %s is missing (%s).", PROGRAM, MENDED_BY)
        return self

    def __exit__(self, *_error: object) -> None:
        """There are no weights to let go."""

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        for item in items:
            try:
                outcome = Outcome(list(self._found(item)))
            except DamError as error:
                outcome = Outcome(error=error)
            yield outcome

    def _found(self, item: Item) -> Iterator[Finding]:
        if item.kind is Kind.PHOTO:
            yield from self._of_photo(item.image)
        if item.kind is Kind.VIDEO:
            yield from self._of_frames(item)
        if item.kind is not Kind.PHOTO and self._program is not None:
            yield from self._of_sound(item, self._program)

    def _of_photo(self, pixels: Pixels | None) -> Iterator[Finding]:
        from dam.media.views import PHOTO_VIEWS, blended

        grey = _grey(pixels)
        small = blended(grey)
        if small.std() >= FLAT:
            yield Fingerprint(FingerprintKind.PHASH, self._hashes(grey, PHOTO_VIEWS))
            yield Fingerprint(FingerprintKind.GREY, small.tobytes())

    def _of_frames(self, item: Item) -> Iterator[Finding]:
        """A look lasts until another one, until the picture goes flat or the film ends."""
        looks: list[_Look] = []
        pictures = _Pictures()
        shown: _Look | None = None
        last_us = -FRAMES_APART_US
        for frame in item.frames:
            if frame.at_us - last_us < FRAMES_APART_US:
                continue
            last_us = frame.at_us
            if shown:
                shown.end_us = frame.at_us
            hashes = self._of_frame(frame, pictures)
            if hashes is None:
                shown = None
            elif shown is None or not shown.goes_on(hashes):
                shown = _Look(frame.at_us, frame.at_us, hashes)
                looks.append(shown)
        if last_us < 0:
            raise UnreadableMedia("No frame of this video could be decoded.")
        if shown:
            shown.end_us = max(item.duration_us or 0, last_us + 1)
        yield from (look.as_finding(item.duration_us) for look in looks)
        if looks:
            whole = Span(0, item.duration_us or last_us + 1)
            yield Fingerprint(FingerprintKind.GREY, pictures.packed(), span=whole)

    def _of_frame(self, frame: Frame, pictures: _Pictures) -> bytes | None:
        from dam.media.views import FRAME_PX, FRAME_VIEWS, blended

        grey = _grey(frame.small)
        if blended(grey).std() < FLAT:
            return None
        pictures.add(frame.at_us, blended(grey, FRAME_PX))
        return self._hashes(grey, FRAME_VIEWS)

    def _of_sound(self, item: Item, program: str) -> Iterator[Finding]:
        with Listener(program) as listener:
            for piece in item.sound:
                listener.hear(piece.voice)
            words = listener.words()
        if len(words):
            end_us = max(item.duration_us or 0, len(words) * WORD_US)
            whole = Span(0, item.duration_us or end_us)
            yield Fingerprint(FingerprintKind.CHROMAPRINT, words.tobytes(), span=whole)

    def _hashes(self, grey: Image, views: Sequence[View]) -> bytes:
        """8 bytes a view, in their order."""
        found = [self._hashing.phash(view.of(grey)).hash for view in views]
        return np.packbits(np.stack(found).reshape(len(found), 64), axis=1).tobytes()


def _grey(pixels: Pixels | None) -> Image:
    from PIL import Image

    from dam.media.views import grey_of

    if pixels is None:
        raise UnreadableMedia("There is no picture in it.")
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise UnreadableMedia(f"Not a picture: {pixels.dtype} of shape {pixels.shape}.")
    return grey_of(Image.fromarray(pixels))


class _Pictures:
    """Coarse ones of the frames that are hashed, bounded however long the film is: every other one
    goes when they become too many."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, bytes]] = []
        self._apart_us = FRAMES_APART_US

    def add(self, at_us: int, grey: Pixels) -> None:
        if self._kept and at_us - self._kept[-1][0] * 1_000 < self._apart_us - 1_000:
            return
        self._kept.append((at_us // 1_000, grey.tobytes()))
        if len(self._kept) > MOST_PICTURES:
            self._kept, self._apart_us = self._kept[::2], 2 * self._apart_us

    def packed(self) -> bytes:
        from dam.media.views import FRAME_PICTURE

        at_ms, grey = zip(*self._kept, strict=True)
        records = np.zeros(len(at_ms), FRAME_PICTURE)
        records["at_ms"] = at_ms
        records["grey"] = np.frombuffer(b"".join(grey), "u1").reshape(records["grey"].shape)
        return records.tobytes()


@dataclass(slots=True)
class _Look:
    """What a film shows for a while."""

    start_us: int
    end_us: int
    hashes: bytes

    def goes_on(self, hashes: bytes) -> bool:
        if self.end_us - self.start_us >= LONGEST_LOOK_US:
            return False
        differing = int.from_bytes(self.hashes[:8]) ^ int.from_bytes(hashes[:8])
        return differing.bit_count() <= SAME_LOOK_BITS

    def as_finding(self, duration_us: int | None) -> Finding:
        start_us, end_us = self.start_us, self.end_us
        if duration_us:  # a container may promise less than it holds
            start_us, end_us = min(start_us, duration_us - 1), min(end_us, duration_us)
        span = Span(start_us, max(end_us, start_us + 1))
        return Fingerprint(FingerprintKind.PHASH, self.hashes, start_us, span)
