"""Faults that are put into pictures, films and sound are found where they were put."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageFilter

from dam.contracts import VOICE_HZ, WIDE_HZ, Frame, Item, Kind, Setup, Sound
from dam.findings import Measure, Quality
from indexers.quality import QualityControl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECOND_US = 1_000_000


@pytest.fixture(scope="module")
def quality(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QualityControl]:
    setup = Setup(models=None, cache=tmp_path_factory.mktemp("cache"))  # type: ignore[arg-type]
    with QualityControl(setup) as entered:
        yield entered


def measured(quality: QualityControl, item: Item) -> dict[Measure, list[Quality]]:
    (outcome,) = quality.index([item])
    assert outcome.error is None
    found: dict[Measure, list[Quality]] = {}
    for finding in outcome.findings:
        assert isinstance(finding, Quality)
        found.setdefault(finding.measure, []).append(finding)
    return found


def spans_s(found: list[Quality]) -> list[tuple[float, float]]:
    return [(q.span.start_us / 1e6, q.span.end_us / 1e6) for q in found if q.span is not None]


# Pictures -----------------------------------------------------------------------------------


def texture(seed: int = 0, level: float = 0.5, size: tuple[int, int] = (480, 640)) -> np.ndarray:
    """Soft noise of several sizes: what a lawn looks like to a measure of sharpness."""
    random = np.random.default_rng(seed)
    layers = [
        np.asarray(
            Image.fromarray(random.integers(0, 255, (size[0] // k, size[1] // k), np.uint8)).resize(
                size[::-1], Image.Resampling.NEAREST
            ),
            np.float64,
        )
        for k in (1, 4, 16)
    ]
    grey = np.mean(layers, axis=0) / 127.5 * level * 255
    return np.repeat(np.clip(grey, 3, 250).astype(np.uint8)[..., None], 3, axis=2)


def photo(quality: QualityControl, image: np.ndarray) -> dict[Measure, Quality]:
    return {m: q[0] for m, q in measured(quality, Item("a", Kind.PHOTO, image=image)).items()}


def test_blur_is_told_from_sharpness(quality: QualityControl) -> None:
    sharp = Image.fromarray(texture())
    soft = sharp.filter(ImageFilter.GaussianBlur(3))
    values = [photo(quality, np.asarray(image))[Measure.SHARPNESS] for image in (sharp, soft)]
    assert values[0].value > 0.6 and not values[0].is_fault
    assert values[1].value < 0.45 and values[1].is_fault


def test_a_sharp_face_before_a_soft_background_is_sharp(quality: QualityControl) -> None:
    soft = Image.fromarray(texture()).filter(ImageFilter.GaussianBlur(4))
    soft.paste(Image.fromarray(texture(1)).crop((0, 0, 220, 220)), (300, 100))
    assert not photo(quality, np.asarray(soft))[Measure.SHARPNESS].is_fault


def test_real_photographs_are_sharp_until_they_are_blurred(
    quality: QualityControl, shared: Path
) -> None:
    for path in sorted((shared / "media" / "photos").glob("*.jpg"))[:12]:
        image = Image.open(path).convert("RGB")
        soft = image.filter(ImageFilter.GaussianBlur(3))
        assert not photo(quality, np.asarray(image))[Measure.SHARPNESS].is_fault, path.name
        assert photo(quality, np.asarray(soft))[Measure.SHARPNESS].is_fault, path.name


def test_what_has_no_detail_left_is_named(quality: QualityControl) -> None:
    white = texture()
    white[:, :64] = 255
    found = photo(quality, white)
    assert found[Measure.CLIPPED_HIGHLIGHTS].value == pytest.approx(0.1, abs=0.01)
    assert found[Measure.CLIPPED_HIGHLIGHTS].is_fault
    assert not found[Measure.CRUSHED_SHADOWS].is_fault
    black = photo(quality, np.zeros((40, 40, 3), np.uint8))
    assert black[Measure.CRUSHED_SHADOWS].is_fault
    assert black[Measure.EXPOSURE].is_fault and black[Measure.EXPOSURE].value == 0


# Films --------------------------------------------------------------------------------------


def film(levels: list[float], step_us: int = 40_000, *, frozen: slice = slice(0)) -> Item:
    """A frame each `step_us` with new noise, except those that are frozen."""

    def frames() -> Iterator[Frame]:
        held = range(len(levels))[frozen]
        for number, level in enumerate(levels):
            seed = held.start if number in held else number
            small = texture(seed, level, (72, 128))
            if level == 0:
                small = np.zeros_like(small)
            yield Frame(number * step_us, number, small, small if number % 25 == 0 else None)

    return Item("a", Kind.VIDEO, len(levels) * step_us, frames=frames())


def test_black_frames_are_found_with_their_times(quality: QualityControl) -> None:
    found = measured(quality, film([0.5] * 25 + [0.0] * 50 + [0.5] * 25 + [0.0] * 25))
    assert spans_s(found[Measure.BLACK]) == [(1.0, 3.0), (4.0, 5.0)]
    assert Measure.FROZEN not in found, "black frames are all alike, and that is one fault"


def test_a_frozen_picture_is_found(quality: QualityControl) -> None:
    found = measured(quality, film([0.5] * 150, frozen=slice(25, 100)))
    assert spans_s(found[Measure.FROZEN]) == [(1.0, 4.0)]


def test_a_flash_is_found_and_a_cut_is_none(quality: QualityControl) -> None:
    found = measured(quality, film([0.3] * 50 + [0.9] * 2 + [0.3] * 50 + [0.9] * 50))
    ((start_s, end_s),) = spans_s(found[Measure.FLASH])
    assert (start_s, end_s) == (2.0, 2.08)


# Sound --------------------------------------------------------------------------------------


def recording(samples: np.ndarray) -> Item:
    """`samples` (channels, n) at 48 kHz, in pieces of a second."""
    pieces = []
    for at in range(0, samples.shape[1], WIDE_HZ):
        wide = samples[:, at : at + WIDE_HZ].astype(np.float32)
        voice = wide.mean(axis=0)[:: WIDE_HZ // VOICE_HZ]
        pieces.append(Sound(at * SECOND_US // WIDE_HZ, wide, voice))
    duration_us = samples.shape[1] * SECOND_US // WIDE_HZ
    return Item("a", Kind.AUDIO, duration_us, sound=iter(pieces))


def tone(seconds: float, peak: float = 0.1, channels: int = 2) -> np.ndarray:
    at_s = np.arange(int(seconds * WIDE_HZ)) / WIDE_HZ
    return np.tile(peak * np.sin(2 * np.pi * 997 * at_s), (channels, 1))


def test_loudness_is_that_of_the_standard(quality: QualityControl) -> None:
    """EBU Tech 3341, case 1: a stereo sine of 1 kHz at -23 dBFS has -23 LUFS."""
    found = measured(quality, recording(tone(20, 10 ** (-23 / 20))))
    assert found[Measure.LOUDNESS][0].value == pytest.approx(-23, abs=0.1)
    assert found[Measure.TRUE_PEAK][0].value == pytest.approx(-23, abs=0.2)
    assert found[Measure.LOUDNESS_RANGE][0].value == pytest.approx(0, abs=0.1)
    assert not any(q.is_fault for each in found.values() for q in each)


def test_silence_is_found_across_pieces(quality: QualityControl) -> None:
    sound = np.concatenate([tone(1.5), np.zeros((2, 3 * WIDE_HZ)), tone(1), np.zeros((2, WIDE_HZ))],
                           axis=1)  # fmt: skip
    ((start_s, end_s),) = spans_s(measured(quality, recording(sound))[Measure.SILENCE])
    assert (start_s, end_s) == pytest.approx((1.5, 4.5), abs=0.001)


def test_clipping_in_one_channel_is_one_place(quality: QualityControl) -> None:
    sound = tone(6)
    at = 2 * WIDE_HZ - 100  # over the edge of a piece
    sound[1, at : at + WIDE_HZ // 4] = np.clip(40 * sound[1, at : at + WIDE_HZ // 4], -1, 1)
    found = measured(quality, recording(sound))
    ((start_s, end_s),) = spans_s(found[Measure.AUDIO_CLIPPING])
    assert (start_s, end_s) == pytest.approx((2.0, 2.25), abs=0.01)
    assert found[Measure.AUDIO_CLIPPING][0].value > WIDE_HZ / 8


def test_a_dropout_is_found_and_an_end_is_none(quality: QualityControl) -> None:
    sound = np.concatenate([tone(5), np.zeros((2, WIDE_HZ // 2))], axis=1)
    at = 3 * WIDE_HZ - 300
    sound[:, at : at + 1000] = 0
    found = measured(quality, recording(sound))
    ((start_s, end_s),) = spans_s(found[Measure.DROPOUT])
    assert (start_s, end_s) == pytest.approx((at / WIDE_HZ, (at + 1000) / WIDE_HZ), abs=0.001)
    assert Measure.SILENCE not in found


def test_a_silent_recording_has_no_loudness(quality: QualityControl) -> None:
    found = measured(quality, recording(np.zeros((1, 12 * WIDE_HZ))))
    assert found.keys() == {Measure.SILENCE}
    assert found[Measure.SILENCE][0].is_fault
