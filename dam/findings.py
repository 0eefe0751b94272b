"""What indexers find: plain facts about an asset or a span of it.

A finding knows neither its asset nor its producer; `dam.store` adds both. A new kind of finding
is a class here, a table in `dam.tables.findings` and its way between the two in `dam.rows`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Unit = NDArray[np.float32]  # (dim,) or (n, dim), rows of unit norm


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open `[start_us, end_us)` in microseconds from the asset's first timestamp."""

    start_us: int
    end_us: int

    def __post_init__(self) -> None:
        if not 0 <= self.start_us < self.end_us:
            raise ValueError(f"not a span: [{self.start_us}, {self.end_us})")


@dataclass(frozen=True, slots=True)
class Tag:
    vocabulary: str
    word: str
    score: float  # calibrated confidence in [0, 1]
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Vector:
    values: Unit  # (dim,) float32
    at_us: int | None = None  # the frame it was made from; None for a photo
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Shot:
    span: Span
    best_us: int  # time of the sampled frame that shows the shot best
    first_frame: int | None = None  # frame numbers, known only when every frame was decoded
    end_frame: int | None = None  # half-open, like the span


@dataclass(frozen=True, slots=True)
class Word:
    span: Span
    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    span: Span
    text: str
    language: str  # ISO 639-1, of what was said
    confidence: float  # in [0, 1]
    words: tuple[Word, ...] = ()
    english: str | None = None  # where a translation was asked for

    @property
    def searchable(self) -> str:
        return self.text if self.english is None else f"{self.text}\n{self.english}"


@dataclass(frozen=True, slots=True)
class SoundEvent:
    label: str  # as AudioSet names it
    score: float  # in [0, 1]
    span: Span


@dataclass(frozen=True, slots=True)
class Music:
    """What is heard of a whole recording that is music."""

    tempo_bpm: float | None
    key: str | None  # "A minor"
    confidence: float  # of the key, in [0, 1]
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in a picture, in parts of its width and height; it may reach over the edge."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class TextBox:
    text: str
    confidence: float  # in [0, 1]
    box: Box
    at_us: int | None = None  # of the frame that shows it best; None for a photo
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Face:
    box: Box
    confidence: float  # of the detector, in [0, 1]
    landmarks: tuple[tuple[float, float], ...]  # eyes, nose, corners of the mouth; parts, as a box
    template: Unit | None  # None: too small or too blurred to be recognised
    quality: float  # how well it can be recognised, in [0, 1]
    crop: bytes  # a small JPEG of it
    at_us: int | None = None  # of the frame that shows it best; None for a photo
    span: Span | None = None  # as long as it is followed


class FingerprintKind(StrEnum):
    PHASH = "phash"  # 64 bits (ImageHash) of a picture or a frame, then of views of it
    # A photo as 32 × 32 bytes of luminance, whatever its shape; of a film one for all of it, with
    # 16 × 16 of each frame that was hashed (`dam.media.views.FRAME_PICTURE`).
    GREY = "grey"
    CHROMAPRINT = "chromaprint"  # 32-bit little-endian words of sound, 8 a second


@dataclass(frozen=True, slots=True)
class Fingerprint:
    kind: FingerprintKind
    bits: bytes
    at_us: int | None = None
    span: Span | None = None


class Measure(StrEnum):
    """What is measured of pictures and sound; the unit stands behind each."""

    SHARPNESS = "sharpness"  # in [0, 1]
    EXPOSURE = "exposure"  # mean luminance in [0, 1]
    CLIPPED_HIGHLIGHTS = "clipped highlights"  # part of the pixels
    CRUSHED_SHADOWS = "crushed shadows"  # part of the pixels
    BLACK = "black"  # seconds
    FLASH = "flash"  # change of mean luminance
    FROZEN = "frozen"  # seconds
    SILENCE = "silence"  # seconds
    AUDIO_CLIPPING = "audio clipping"  # samples
    DROPOUT = "dropout"  # seconds
    LOUDNESS = "loudness"  # LUFS, integrated (EBU R128)
    LOUDNESS_RANGE = "loudness range"  # LU
    TRUE_PEAK = "true peak"  # dBTP


@dataclass(frozen=True, slots=True)
class Quality:
    measure: Measure
    value: float
    is_fault: bool  # worth a person's look
    span: Span | None = None  # None: of the whole asset


Finding = (
    Tag
    | Vector
    | Shot
    | TranscriptLine
    | SoundEvent
    | Music
    | TextBox
    | Face
    | Fingerprint
    | Quality
)
