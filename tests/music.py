"""Music of a known tempo and key: a beat, chords of the key and a melody over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dam.contracts import VOICE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
CHORDS = (0, 3, 4, 0)  # steps of the scale: tonic, subdominant, dominant
MELODY = (0, 2, 4, 2, 3, 1, 4, 0)
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def write_music(tempo_bpm: float, key: str, *, lasts_s: float, seed: int = 0) -> NDArray:
    """(n,) float32 at `VOICE_HZ`."""
    name, mode = key.split()
    tonic, scale = NAMES.index(name), SCALES[mode]
    rng = np.random.default_rng(seed)
    beat_s = 60 / tempo_bpm
    sound = np.zeros(int(lasts_s * VOICE_HZ) + 4 * VOICE_HZ)

    def add(at_s: float, samples: NDArray) -> None:
        start = int(at_s * VOICE_HZ)
        sound[start : start + len(samples)] += samples[: len(sound) - start]

    def step(number: int, octave: int) -> float:
        octaves, at = divmod(number, 7)
        return 440 * 2 ** ((12 * (octave + octaves) + tonic + scale[at] - 57) / 12)

    for beat in range(int(lasts_s / beat_s)):
        at_s = beat * beat_s
        click = rng.standard_normal(VOICE_HZ // 20) * np.exp(-np.arange(VOICE_HZ // 20) / 150)
        add(at_s, 0.3 * click)
        add(at_s, 0.12 * _note(step(MELODY[beat % 8], 4), beat_s))
        if beat % 4 == 0:
            chord = CHORDS[beat // 4 % 4]
            for third in (0, 2, 4):
                add(at_s, 0.1 * _note(step(chord + third, 3), 4 * beat_s))
    return (sound[: int(lasts_s * VOICE_HZ)] / np.abs(sound).max() * 0.7).astype(np.float32)


def swelling_chords(lasts_s: float) -> NDArray:
    """Three tones at a time that come and go slowly, each as long as it likes: no beat."""
    rng = np.random.default_rng(3)
    sound = np.zeros(int(lasts_s * VOICE_HZ))
    start = 0
    while start < len(sound) - 4 * VOICE_HZ:
        length = int(rng.uniform(1.5, 4) * VOICE_HZ)
        for semitones in rng.choice([0, 3, 7, 12, 15], 3, replace=False):
            turns = 220 * 2 ** (semitones / 12) * np.arange(length) / VOICE_HZ
            sound[start : start + length] += np.hanning(length) * np.sin(2 * np.pi * turns)
        start += int(length * rng.uniform(0.3, 0.9))
    return (sound / np.abs(sound).max() * 0.5).astype(np.float32)


def _note(frequency_hz: float, lasts_s: float) -> NDArray:
    """A few partials that fade."""
    at_s = np.arange(int(lasts_s * VOICE_HZ)) / VOICE_HZ
    partials = (np.sin(2 * np.pi * n * frequency_hz * at_s) / n for n in (1, 2, 3, 4))
    return sum(partials, np.zeros(len(at_s))) * np.exp(-at_s / lasts_s)
