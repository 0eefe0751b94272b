"""The sound that indexers get: two renditions of one decode, on the clock of the pictures."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dam.decoded import VOICE_HZ, WIDE_HZ
from dam.errors import UnreadableMedia
from dam.media.sandbox import Limits, Sandbox
from tests.media import BLUE, RED, write_clip, write_sound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dam.contracts import Sound


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Limits(timeout_s=60, memory_mb=1024, max_pixels=250_000_000)) as opened:
        yield opened


def tone(hz: float, seconds: float, rate_hz: int = WIDE_HZ) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate_hz)) / rate_hz)


def pitch_hz(samples: np.ndarray, rate_hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax()) * rate_hz / len(samples)


def heard(pieces: list[Sound]) -> tuple[np.ndarray, np.ndarray]:
    """The whole of both renditions, after a look at how the pieces follow each other."""
    at = 0
    for piece in pieces:
        assert piece.wide.dtype == piece.voice.dtype == np.float32
        assert piece.at_us == at * 1_000_000 // WIDE_HZ
        assert len(piece.voice) == -(-piece.wide.shape[1] * VOICE_HZ // WIDE_HZ)
        at += piece.wide.shape[1]
    wide = np.concatenate([piece.wide for piece in pieces], axis=1)
    return wide, np.concatenate([piece.voice for piece in pieces])


def loud_from_s(samples: np.ndarray, rate_hz: int) -> float:
    return float(np.flatnonzero(np.abs(samples) > 0.1)[0]) / rate_hz


@pytest.mark.parametrize(
    ("name", "codec", "rate_hz"),
    [
        ("a.wav", "pcm_s16le", 44_100),
        ("a.flac", "flac", 96_000),
        ("a.mp3", "libmp3lame", 44_100),
        ("a.m4a", "aac", 48_000),
        ("a.opus", "libopus", 48_000),
        ("a.wav", "pcm_s16le", 8_000),
    ],
)
def test_both_renditions_sound_like_the_file(
    sandbox: Sandbox, tmp_path: Path, name: str, codec: str, rate_hz: int
) -> None:
    both = np.stack([tone(440, 9.5, rate_hz), tone(1000, 9.5, rate_hz)])
    path = write_sound(tmp_path / name, both, rate_hz, codec=codec)
    wide, voice = heard(list(sandbox.sound(path)))
    assert wide.shape[0] == 2
    assert wide.shape[1] / WIDE_HZ == pytest.approx(9.5, abs=0.06)
    middle = slice(3 * WIDE_HZ, 6 * WIDE_HZ)
    assert pitch_hz(wide[0, middle], WIDE_HZ) == pytest.approx(440, abs=1)
    assert pitch_hz(wide[1, middle], WIDE_HZ) == pytest.approx(1000, abs=1)
    spectrum = np.abs(np.fft.rfft(voice[3 * VOICE_HZ : 6 * VOICE_HZ]))
    assert sorted(int(at) for at in np.argsort(spectrum)[-2:]) == [440 * 3, 1000 * 3]


def test_mono_stays_mono_and_surround_becomes_stereo(sandbox: Sandbox, tmp_path: Path) -> None:
    one = write_sound(tmp_path / "one.wav", tone(440, 1)[None], layout="mono")
    six = write_sound(tmp_path / "six.flac", np.tile(tone(440, 1), (6, 1)), codec="flac",
                      layout="5.1")  # fmt: skip
    assert [len(piece.wide) for piece in sandbox.sound(one)] == [1]
    assert [len(piece.wide) for piece in sandbox.sound(six)] == [2]


def test_sound_that_starts_late_lies_where_a_player_has_it(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    stereo = np.tile(tone(440, 2), (2, 1))
    path = write_sound(
        tmp_path / "late.mp4", stereo, codec="aac", starts={0: 1.5}, colours=[RED, BLUE] * 2
    )
    wide, voice = heard(list(sandbox.sound(path, required=False)))
    assert loud_from_s(wide[0], WIDE_HZ) == pytest.approx(1.5, abs=0.05)
    assert loud_from_s(voice, VOICE_HZ) == pytest.approx(1.5, abs=0.05)


def test_a_hole_in_the_sound_is_silence_and_what_follows_keeps_its_time(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    stereo = np.tile(tone(440, 2), (2, 1))
    path = write_sound(tmp_path / "hole.mkv", stereo, starts={WIDE_HZ: 9.0})
    wide, _ = heard(list(sandbox.sound(path)))
    assert wide.shape[1] / WIDE_HZ == pytest.approx(11, abs=0.05)
    loud = np.abs(wide[0]) > 0.1
    assert loud[: WIDE_HZ // 2].any()
    assert not loud[int(1.1 * WIDE_HZ) : int(9.9 * WIDE_HZ)].any()
    assert loud[int(10.1 * WIDE_HZ) :].any()


def test_a_silent_film_has_no_sound_and_that_is_no_error(sandbox: Sandbox, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "silent.mp4", [RED])
    assert list(sandbox.sound(path, required=False)) == []
    with pytest.raises(UnreadableMedia, match=r"silent\.mp4 has no sound"):
        list(sandbox.sound(path))


def test_samples_that_are_no_numbers_are_silence(sandbox: Sandbox, tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", np.tile(tone(440, 1), (2, 1)), codec="pcm_f32le")
    written = bytearray(path.read_bytes())
    at = len(written) - 40_000
    written[at : at + 8] = np.array([np.nan, np.inf], "<f4").tobytes()
    path.write_bytes(written)
    wide, voice = heard(list(sandbox.sound(path)))
    assert np.isfinite(wide).all()
    assert np.isfinite(voice).all()


def test_memory_is_bounded_however_long_it_lasts(sandbox: Sandbox, tmp_path: Path) -> None:
    """Twenty minutes, which are 300 MB of samples at both rates."""
    minutes = np.tile(tone(440, 60, 8000).astype(np.float32), (1, 20))
    path = write_sound(tmp_path / "long.flac", minutes, 8000, codec="flac", layout="mono")
    tracemalloc.start()
    seconds = sum(len(piece.voice) for piece in sandbox.sound(path)) / VOICE_HZ
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds == pytest.approx(1200, abs=1)
    assert most_bytes < 20 << 20
