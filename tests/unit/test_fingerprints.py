"""Fingerprints of films and of sound: what has one, when, and from what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from dam.contracts import VOICE_HZ, Frame, Item, Kind, Setup, Sound
from dam.findings import Fingerprint, FingerprintKind
from dam.media.views import FRAME_PICTURE
from dam.models import ModelStore
from indexers import fingerprints as module
from indexers.chromaprint import find_program
from indexers.fingerprints import Fingerprints

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dam.config import Settings

needs_fpcalc = pytest.mark.skipif(find_program() is None, reason="fpcalc is not installed")


@pytest.fixture
def setup(settings: Settings, tmp_path: Path) -> Setup:
    return Setup(models=ModelStore(settings), cache=tmp_path)


def found(setup: Setup, item: Item) -> list[Fingerprint]:
    with Fingerprints(setup) as indexer:
        outcome = next(indexer.index([item]))
    assert outcome.error is None
    return list(outcome.findings)  # type: ignore[arg-type]


def scene(seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC))


def film(*shown: np.ndarray, each_us: int = 2_000_000) -> Item:
    """Ten frames a second."""
    frames = [
        Frame(at * each_us + step, None, picture, picture)
        for at, picture in enumerate(shown)
        for step in range(0, each_us, 100_000)
    ]
    return Item("film", Kind.VIDEO, len(shown) * each_us, frames=frames)


def pictures_of(prints: list[Fingerprint]) -> np.ndarray:
    (packed,) = (one.bits for one in prints if one.kind is FingerprintKind.GREY)
    return np.frombuffer(packed, FRAME_PICTURE)


def sound(samples: np.ndarray) -> Iterator[Sound]:
    for start in range(0, len(samples), 4 * VOICE_HZ):
        voice = samples[start : start + 4 * VOICE_HZ].astype(np.float32)
        yield Sound(start * 1_000_000 // VOICE_HZ, np.repeat(voice, 3)[None], voice)


def melody(seconds: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    at = np.arange(VOICE_HZ // 4) / VOICE_HZ
    return np.concatenate(
        [0.4 * np.sin(2 * np.pi * hz * at) for hz in rng.uniform(200, 1500, seconds * 4)]
    )


def test_a_film_has_a_fingerprint_for_each_look_and_none_where_it_is_black(setup: Setup) -> None:
    black = np.zeros((120, 160, 3), np.uint8)
    first, second, _ = prints = found(setup, film(scene(1), black, scene(2)))
    spans = [(one.span.start_us, one.span.end_us) for one in prints if one.span]
    assert spans == [(0, 2_000_000), (4_000_000, 6_000_000), (0, 6_000_000)]
    assert [one.kind for one in prints] == [*[FingerprintKind.PHASH] * 2, FingerprintKind.GREY]
    assert first.bits != second.bits


def test_a_film_has_a_coarse_picture_of_every_frame_that_is_hashed(setup: Setup) -> None:
    black = np.zeros((120, 160, 3), np.uint8)
    pictures = pictures_of(found(setup, film(scene(1), black, scene(2))))
    assert pictures["at_ms"].tolist() == [0, 500, 1000, 1500, 4000, 4500, 5000, 5500]
    assert np.ptp(pictures["grey"][:4], axis=0).max() == 0
    assert pictures["grey"][0].tolist() != pictures["grey"][4].tolist()
    assert found(setup, film(black)) == []


def test_the_pictures_of_a_long_film_are_fewer_and_still_of_all_of_it(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_PICTURES", 8)
    pictures = pictures_of(found(setup, film(*[scene(1)] * 6)))
    assert pictures["at_ms"].tolist() == list(range(0, 12_000, 2000))


def test_a_still_that_lasts_counts_for_as_long_as_it_lasts(setup: Setup) -> None:
    *looks, _ = found(setup, film(*[scene(1)] * 5))
    assert [one.at_us for one in looks] == [0, 4_000_000, 8_000_000]
    assert len({one.bits for one in looks}) == 1


@needs_fpcalc
def test_sound_is_heard_from_the_samples(setup: Setup) -> None:
    item = Item("sound", Kind.AUDIO, 10_000_000, sound=sound(melody(10)))
    (heard,) = found(setup, item)
    assert heard.kind is FingerprintKind.CHROMAPRINT
    assert len(heard.bits) / 4 == pytest.approx((10 - 2.6) * 8, abs=4)
    quieter = Item("sound", Kind.AUDIO, 10_000_000, sound=sound(melody(10) * 0.3))
    assert found(setup, quieter)[0].bits == heard.bits


@needs_fpcalc
@pytest.mark.parametrize("samples", [np.zeros(10 * VOICE_HZ), melody(1)], ids=["silent", "short"])
def test_silence_and_a_second_of_sound_have_no_fingerprint(
    setup: Setup, samples: np.ndarray
) -> None:
    assert found(setup, Item("sound", Kind.AUDIO, 10_000_000, sound=sound(samples))) == []


def test_without_fpcalc_sound_has_none_pictures_have_theirs_and_the_log_says_why(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with_program = Fingerprints(setup).producer()
    assert find_program() is None or Fingerprints(setup).lacks({Kind.AUDIO}) is None
    monkeypatch.setattr(module, "find_program", lambda: None)
    assert found(setup, Item("sound", Kind.AUDIO, 10_000_000, sound=sound(melody(10)))) == []
    assert "apt install libchromaprint-tools" in caplog.text
    assert "apt install libchromaprint-tools" in (Fingerprints(setup).lacks({Kind.AUDIO}) or "")
    assert Fingerprints(setup).lacks({Kind.PHOTO}) is None  # nothing is missing for those
    photo = Item("photo", Kind.PHOTO, image=scene(1))
    assert {one.kind for one in found(setup, photo)} == {
        FingerprintKind.PHASH,
        FingerprintKind.GREY,
    }
    if find_program() is not None:
        assert Fingerprints(setup).producer() != with_program
