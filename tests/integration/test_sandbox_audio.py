"""Sound files of every make: what they are and how loud they are when."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from PIL import Image

from dam.contracts import Kind
from dam.errors import UnreadableMedia
from dam.media.sandbox import Limits, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HZ = 48_000


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Limits(timeout_s=60, memory_mb=1024, max_pixels=250_000_000)) as opened:
        yield opened


def swell(seconds: float) -> np.ndarray:
    """(n,) float in [-1, 1]: a tone that is silent, then loud, then half as loud."""
    at_s = np.arange(int(seconds * HZ)) / HZ
    loud = np.select([at_s < seconds / 3, at_s < 2 * seconds / 3], [0.0, 0.9], 0.45)
    return loud * np.sin(2 * np.pi * 440 * at_s)


def write_sound(path: Path, codec: str, seconds: float = 3.0) -> Path:
    samples = (swell(seconds) * 32767).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=HZ, layout="stereo")
        step = stream.codec_context.frame_size or 1024
        for start in range(0, len(samples), step):
            pair = np.repeat(samples[start : start + step], 2)[None]
            frame = av.AudioFrame.from_ndarray(pair, format="s16", layout="stereo")
            frame.sample_rate, frame.pts = HZ, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def waveform(sandbox: Sandbox, path: Path, folder: Path) -> dict[str, Any]:
    assert list(sandbox.sound(path, previews=folder, samples=False)) == []
    drawn: dict[str, Any] = json.loads((folder / "waveform.json").read_text())
    return drawn


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        ("wav", "pcm_s16le"),
        ("wav", "pcm_s24le"),
        ("wav", "pcm_f32le"),
        ("wav", "pcm_u8"),
        ("mp3", "libmp3lame"),
        ("m4a", "aac"),
        ("aac", "aac"),
        ("flac", "flac"),
        ("ogg", "libopus"),
        ("opus", "libopus"),
        ("aiff", "pcm_s16be"),
        ("w64", "pcm_s16le"),
        ("caf", "pcm_s16be"),
        ("mka", "flac"),
        ("mp4", "aac"),
    ],
)
def test_peaks_follow_the_loudness(
    sandbox: Sandbox, tmp_path: Path, suffix: str, codec: str
) -> None:
    path = write_sound(tmp_path / f"sound.{suffix}", codec)
    probe = sandbox.probe(path)
    assert (probe.kind, probe.has_audio, probe.width_px) == (Kind.AUDIO, True, None)
    assert probe.duration_us == pytest.approx(3_000_000, abs=100_000)
    drawn = waveform(sandbox, path, tmp_path / "previews")
    peaks = drawn["peaks"]
    assert drawn["duration_us"] == pytest.approx(3_000_000, abs=100_000)
    assert 900 <= len(peaks) <= 1100
    assert max(peaks[: len(peaks) // 4]) <= 2
    assert np.median(peaks[len(peaks) // 3 : 2 * len(peaks) // 3]) == pytest.approx(114, abs=12)
    assert np.median(peaks[3 * len(peaks) // 4 :]) == pytest.approx(57, abs=8)
    assert {entry.name for entry in (tmp_path / "previews").iterdir()} == {
        "waveform.json",
        "thumb.webp",
    }
    with Image.open(tmp_path / "previews" / "thumb.webp") as thumb:
        assert max(thumb.size) <= 400


def with_cover(mp3: bytes) -> bytes:
    """An ID3v2.3 tag with a front cover (APIC), put before the sound."""
    cover = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(cover, "JPEG")
    body = b"\0image/jpeg\0\x03\0" + cover.getvalue()
    frame = b"APIC" + len(body).to_bytes(4, "big") + b"\0\0" + body
    size = bytes((len(frame) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + frame + mp3


def test_cover_art_makes_no_film_of_a_song(sandbox: Sandbox, tmp_path: Path) -> None:
    path = write_sound(tmp_path / "plain.mp3", "libmp3lame")
    path.write_bytes(with_cover(path.read_bytes()))
    with av.open(str(path)) as container:
        assert container.streams.video
    assert sandbox.probe(path).kind is Kind.AUDIO
    assert max(waveform(sandbox, path, tmp_path / "previews")["peaks"]) > 100


def test_the_loudest_channel_counts(sandbox: Sandbox, tmp_path: Path) -> None:
    """Left and right in opposite phase would vanish in a mix."""
    left = (np.sin(np.arange(HZ) / 20) * 30_000).astype(np.int16)
    with av.open(str(tmp_path / "phase.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=HZ, layout="stereo")
        both = np.stack([left, -left], axis=1).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(both, format="s16", layout="stereo")
        frame.sample_rate = HZ
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    peaks = waveform(sandbox, tmp_path / "phase.wav", tmp_path / "previews")["peaks"]
    assert np.median(peaks) == pytest.approx(116, abs=3)


def test_a_sound_shorter_than_its_buckets(sandbox: Sandbox, tmp_path: Path) -> None:
    path = write_sound(tmp_path / "click.wav", "pcm_s16le", seconds=0.001)
    assert len(waveform(sandbox, path, tmp_path / "previews")["peaks"]) == 48


def test_a_sound_cut_short_shows_what_is_there(sandbox: Sandbox, tmp_path: Path) -> None:
    path = write_sound(tmp_path / "cut.flac", "flac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    drawn = waveform(sandbox, path, tmp_path / "previews")
    assert 1_000_000 < drawn["duration_us"] < 2_900_000
    assert max(drawn["peaks"]) > 100


@pytest.mark.parametrize("name", ["notes.mp3", "notes.wav", "notes.flac", "notes.m4a"])
def test_a_text_is_no_sound(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("Dear diary, today I sang. " * 400)
    with pytest.raises(UnreadableMedia, match=name.replace(".", r"\.")):
        sandbox.probe(tmp_path / name)
    with pytest.raises(UnreadableMedia):
        list(sandbox.sound(tmp_path / name, previews=tmp_path / "previews", samples=False))
    assert not (tmp_path / "previews").exists()


def test_real_recordings(sandbox: Sandbox, shared: Path, tmp_path: Path) -> None:
    before = sandbox.counters.sounds
    for name in ("speech/jfk.flac", "speech/interview.wav", "sounds/rain-1-17367-A.ogg"):
        path = shared / "media" / name
        probe = sandbox.probe(path)
        drawn = waveform(sandbox, path, tmp_path / path.stem)
        assert probe.kind is Kind.AUDIO
        assert drawn["duration_us"] == pytest.approx(probe.duration_us, abs=50_000)
        assert max(drawn["peaks"]) > 40
    assert sandbox.counters.sounds == before + 3
