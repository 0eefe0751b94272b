"""Films and recordings as people and programs save them again: seeded, through real codecs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING

import av
import numpy as np

from tests.edits import brightened, cropped, cropped_around, marked, resized

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from PIL import Image

    from tests.edits import Edit

    Pairs = set[tuple[int, int]]


def _same(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return image


@dataclass(frozen=True)
class FilmEdit:
    """What is done to every picture, and how they are encoded."""

    picture: Edit = _same
    qualities: tuple[int, int] = (24, 32)  # constant rate factors of x264, between which one is
    kept: float = 1.0  # of the length, from anywhere


ORIGINAL = FilmEdit(qualities=(18, 19))
FILM_EDITS = {
    "resized": FilmEdit(resized),
    "compressed": FilmEdit(qualities=(34, 40)),
    "cropped": FilmEdit(cropped),
    "cropped around": FilmEdit(cropped_around),
    "brightened": FilmEdit(brightened),
    "marked": FilmEdit(marked),
    "shortened": FilmEdit(kept=0.6),
}


@dataclass(frozen=True)
class Footage:
    """A part of a film, decoded once for all its edits."""

    frames: list[Image.Image]
    rate: Fraction

    @property
    def duration_us(self) -> int:
        return int(len(self.frames) / self.rate * 1_000_000)

    def part(self, kept: float, rng: np.random.Generator) -> Footage:
        start = int(len(self.frames) * rng.uniform(0, 1 - kept))
        return Footage(self.frames[start : start + int(len(self.frames) * kept)], self.rate)


def read_footage(source: Path, *, from_s: float, length_s: float, width_px: int) -> Footage:
    with av.open(str(source)) as film:
        shown = film.streams.video[0]
        rate = shown.average_rate or Fraction(25)
        height_px = round(shown.height * width_px / shown.width)
        wanted = islice(
            film.decode(shown), int(from_s * rate), int(from_s * rate) + int(length_s * rate)
        )
        frames = [frame.reformat(width_px, height_px, "rgb24").to_image() for frame in wanted]
        return Footage(frames, rate)


def write_film(footage: Footage, target: Path, edit: FilmEdit, rng: np.random.Generator) -> Footage:
    """Returns what was written, before the edit. Keyframes are 1 to 10 s apart."""
    written = footage.part(edit.kept, rng)
    options = {"preset": "ultrafast", "crf": str(rng.integers(*edit.qualities))}
    with av.open(str(target), "w") as copy:
        stream = copy.add_stream("libx264", rate=footage.rate, options=options)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = int(float(footage.rate) * rng.integers(1, 11))
        chance = int(rng.integers(2**32))
        for frame in written.frames:
            # The same numbers for each frame: a mark stays in its place.
            image = edit.picture(frame, np.random.default_rng(chance))
            even = image.crop((0, 0, image.width // 2 * 2, image.height // 2 * 2))
            if not stream.codec_context.is_open:
                stream.width, stream.height = even.size
            copy.mux(stream.encode(av.VideoFrame.from_image(even)))
        copy.mux(stream.encode(None))
    return written


@dataclass(frozen=True)
class SoundEdit:
    suffix: str
    codec: str
    bit_rate: int
    gains: tuple[float, float] = (1.0, 1.0)
    kept: float = 1.0  # of the length, from anywhere


SOUND_EDITS = {
    "mp3": SoundEdit("mp3", "libmp3lame", 64_000),
    "small mp3": SoundEdit("mp3", "libmp3lame", 24_000),
    "aac": SoundEdit("m4a", "aac", 64_000),
    "opus": SoundEdit("opus", "libopus", 32_000),
    "quieter": SoundEdit("mp3", "libmp3lame", 64_000, gains=(0.2, 0.5)),
    "shortened": SoundEdit("mp3", "libmp3lame", 64_000, kept=0.75),
}
RATE_HZ = 48_000


def write_recording(
    samples: np.ndarray, target: Path, edit: SoundEdit, rng: np.random.Generator
) -> Path:
    """Of mono samples at `RATE_HZ`."""
    start = int(len(samples) * rng.uniform(0, 1 - edit.kept))
    kept = samples[start : start + int(len(samples) * edit.kept)] * rng.uniform(*edit.gains)
    with av.open(str(target), "w") as copy:
        stream = copy.add_stream(edit.codec, rate=RATE_HZ, layout="mono")
        stream.bit_rate = edit.bit_rate
        frame = av.AudioFrame.from_ndarray(
            (kept * 32_767).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.rate = RATE_HZ
        for resampled in av.AudioResampler(stream.format, "mono", RATE_HZ).resample(frame):
            copy.mux(stream.encode(resampled))
        copy.mux(stream.encode(None))
    return target


def read_samples(source: Path) -> np.ndarray:
    """(n,) in [-1, 1], mono, `RATE_HZ`."""
    resampler = av.AudioResampler("fltp", "mono", RATE_HZ)
    with av.open(str(source)) as recording:
        frames = [part for frame in recording.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def heard_s(samples: np.ndarray) -> float:
    """For how long there is a sound, above -60 dB."""
    part = RATE_HZ // 20
    parts = samples[: len(samples) // part * part].reshape(-1, part)
    return float((np.sqrt((parts**2).mean(1)) > 1e-3).sum() / 20)


def wanted_pairs(sources: Sequence[int]) -> Pairs:
    """Those with the same source."""
    return {
        (one, other) for one, other in _all_pairs(len(sources)) if sources[one] == sources[other]
    }


def joined(found: Pairs, number: int) -> Pairs:
    """All pairs that belong together once the found ones do, as groups of copies are shown."""
    group = list(range(number))
    for one, other in found:
        kept, gone = group[one], group[other]
        group = [kept if name == gone else name for name in group]
    return {(one, other) for one, other in _all_pairs(number) if group[one] == group[other]}


def _all_pairs(number: int) -> Iterator[tuple[int, int]]:
    return ((one, other) for one in range(number) for other in range(one + 1, number))
