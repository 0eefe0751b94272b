"""A sound that begins while another goes on is noticed where it begins; one that goes on is not."""

from __future__ import annotations

import numpy as np
import pytest

from dam.contracts import VOICE_HZ
from indexers.onsets import KNOWN_AFTER, Onsets

STEP = VOICE_HZ // 20
STEPS_A_SECOND = 20


def tone(hz: float, seconds: float, level: float = 0.2) -> np.ndarray:
    times = np.arange(int(seconds * VOICE_HZ)) / VOICE_HZ
    return (level * np.sin(2 * np.pi * hz * times)).astype(np.float32)


def noise(seconds: float, level: float = 0.1) -> np.ndarray:
    samples = np.random.default_rng(1).normal(0, level, int(seconds * VOICE_HZ))
    return samples.astype(np.float32)


def seconds_of(samples: np.ndarray, piece: int = 10**9) -> list[float]:
    onsets = Onsets(VOICE_HZ, STEP)
    steps = samples[: len(samples) // STEP * STEP].reshape(-1, STEP)
    for at in range(0, len(steps), piece):
        onsets.add(steps[at : at + piece])
    onsets.end()
    return [step / STEPS_A_SECOND for step in onsets.steps]


@pytest.mark.parametrize("piece", [1, 7, 40, 10**9])
def test_another_sound_is_noticed_where_it_begins_however_it_arrives(piece: int) -> None:
    samples = np.concatenate([noise(4), tone(440, 3), noise(5, 0.2)])
    assert seconds_of(samples, piece) == pytest.approx([4, 7], abs=0.1)


def test_a_sound_that_goes_on_begins_once() -> None:
    assert seconds_of(noise(20)) == []
    assert seconds_of(tone(440, 20)) == []
    swelling = noise(20) * np.linspace(0.2, 1, 20 * VOICE_HZ).astype(np.float32)
    assert seconds_of(swelling) == []


def test_beats_are_no_beginnings() -> None:
    beat = np.concatenate([noise(0.1), np.zeros(VOICE_HZ * 4 // 10, np.float32)])
    assert seconds_of(np.tile(beat, 40)) == []


def test_a_short_quiet_between_two_sounds_belongs_to_neither() -> None:
    quiet = noise(0.5, 0.0005)
    (begins,) = seconds_of(np.concatenate([noise(4), quiet, tone(440, 4)]))
    assert begins == pytest.approx(4.5, abs=0.1)


def test_hours_are_not_held() -> None:
    onsets = Onsets(VOICE_HZ, STEP)
    minute = noise(60).reshape(-1, STEP)
    for _ in range(60):
        onsets.add(minute)
    assert len(onsets._levels) <= len(minute) + 3 * KNOWN_AFTER
