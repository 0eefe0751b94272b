"""Tempo and key of music, and nothing of what is none."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from dam.contracts import VOICE_HZ, Item, Kind, Setup, Sound
from dam.errors import Permanent
from dam.models import ModelStore
from indexers.music import Music
from tests.music import swelling_chords, write_music

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dam.config import Settings
    from dam.findings import Music as MusicFound

NOTHING = np.zeros((1, 0), np.float32)


@pytest.fixture
def music(settings: Settings, tmp_path: Path) -> Iterator[Music]:
    with Music(Setup(models=ModelStore(settings), cache=tmp_path)) as indexer:
        yield indexer


def pieces(samples: np.ndarray) -> Iterator[Sound]:
    step = 4 * VOICE_HZ
    for at in range(0, len(samples), step):
        yield Sound(at * 1_000_000 // VOICE_HZ, NOTHING, samples[at : at + step])


def heard(music: Music, samples: np.ndarray) -> list[MusicFound]:
    item = Item("a", Kind.AUDIO, sound=pieces(samples.astype(np.float32)))
    (outcome,) = music.index([item])
    assert outcome.error is None
    return list(outcome.findings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tempo_bpm", "key"),
    [(72, "A minor"), (100, "D major"), (125.5, "F# minor"), (140, "D# minor"), (160, "C# major")],
)
def test_tempo_and_key_are_those_it_was_written_in(
    music: Music, tempo_bpm: float, key: str
) -> None:
    (found,) = heard(music, write_music(tempo_bpm, key, lasts_s=20))
    assert found.tempo_bpm == pytest.approx(tempo_bpm, abs=0.3)
    assert found.key == key
    assert found.confidence > 0.2
    assert found.span is None


def test_an_instrument_tuned_elsewhere_has_its_key(music: Music) -> None:
    samples = write_music(100, "G major", lasts_s=20)
    shift = 2 ** (0.4 / 12)  # 40 cents higher, and as much faster
    at = np.arange(int(len(samples) / shift)) * shift
    (found,) = heard(music, np.interp(at, np.arange(len(samples)), samples))
    assert found.key == "G major"
    assert found.tempo_bpm == pytest.approx(100 * shift, abs=0.5)


def test_chords_without_a_beat_have_a_key_and_no_tempo(music: Music) -> None:
    (found,) = heard(music, swelling_chords(20))
    assert (found.tempo_bpm, found.key) == (None, "A minor")


def test_a_song_in_much_noise_is_not_the_music_of_it(music: Music) -> None:
    song = write_music(120, "E major", lasts_s=16)
    noise = np.random.default_rng(2).normal(0, 0.1, 64 * VOICE_HZ)
    assert heard(music, np.concatenate([noise, song])) == []
    (found,) = heard(music, np.concatenate([noise[: 16 * VOICE_HZ], song]))
    assert (found.tempo_bpm, found.key) == (pytest.approx(120, abs=0.3), "E major")


@pytest.mark.parametrize("kind", ["silence", "noise", "tone", "short"])
def test_what_is_no_music_has_no_tempo(music: Music, kind: str) -> None:
    count = 10 * VOICE_HZ
    sounds = {
        "silence": np.zeros(count),
        "noise": np.random.default_rng(1).normal(0, 0.1, count),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * np.arange(count) / VOICE_HZ),
        "short": write_music(120, "E major", lasts_s=3),
    }
    assert heard(music, sounds[kind]) == []


def test_neither_voices_nor_noises_are_music(music: Music, shared: Path) -> None:
    speech = [shared / "media" / "speech" / name for name in ("LJ001-0002.wav", "digits-00.wav")]
    noises = sorted((shared / "media" / "sounds").glob("*.ogg"))[::12]
    assert len(noises) >= 8
    for path in (*speech, *noises):
        assert heard(music, voice_of(path)) == [], path.name


def voice_of(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("fltp", "mono", VOICE_HZ)
        frames = [one for frame in container.decode(audio=0) for one in resampler.resample(frame)]
        frames += resampler.resample(None)
        return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def test_memory_does_not_grow_with_what_is_listened_to(music: Music) -> None:
    def most_bytes(minutes: int) -> int:
        silence = np.zeros(4 * VOICE_HZ, np.float32)
        sound = (Sound(n * 4_000_000, NOTHING, silence) for n in range(15 * minutes))
        tracemalloc.start()
        try:
            list(music.index([Item("a", Kind.AUDIO, sound=sound)]))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert most_bytes(6) < most_bytes(1) + (1 << 20)


def test_samples_that_are_no_numbers_fail_alone(music: Music) -> None:
    bad = np.full(4 * VOICE_HZ, np.nan, np.float32)
    outcomes = list(
        music.index(
            Item(name, Kind.AUDIO, sound=pieces(samples))
            for name, samples in (("bad", bad), ("good", np.zeros(10, np.float32)))
        )
    )
    assert isinstance(outcomes[0].error, Permanent)
    assert outcomes[1].error is None


def test_librosa_loads_with_the_indexer_and_not_before() -> None:
    code = (
        "import sys, indexers.music; sys.exit('librosa' in sys.modules or 'numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
