"""Essence: unchanged by what people write into a file, changed by anything that shows."""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
import wave
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import av
import numpy as np
import pytest
from blake3 import blake3
from PIL import Image
from pillow_heif import register_heif_opener

from dam.contracts import Kind
from dam.media.essence import essence_hash

if TYPE_CHECKING:
    from pathlib import Path

    from dam.media.probe import Probe

EXIFTOOL = shutil.which("exiftool")
needs_exiftool = pytest.mark.skipif(EXIFTOOL is None, reason="ExifTool is not installed")

register_heif_opener()


@dataclass
class Seen:
    """What the essence asks of a probe."""

    kind: Kind = Kind.PHOTO
    orientation: int = 1


def essence(path: Path, kind: Kind = Kind.PHOTO, orientation: int = 1) -> str:
    return essence_hash(path, probe(kind, orientation), content(path))


def probe(kind: Kind = Kind.PHOTO, orientation: int = 1) -> Probe:
    seen: Any = Seen(kind, orientation)
    return cast("Probe", seen)


def content(path: Path) -> str:
    return blake3(path.read_bytes()).hexdigest()


def rewrite(path: Path, *options: str) -> None:
    assert EXIFTOOL
    subprocess.run(
        [EXIFTOOL, "-q", "-overwrite_original", *options, str(path)], check=True, timeout=60
    )


def picture(seed: int = 1, size: tuple[int, int] = (96, 64)) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1] // 8, size[0] // 8, 3))
    return Image.fromarray(pixels.astype(np.uint8)).resize(size)


def save(path: Path, seed: int = 1, **options: Any) -> Path:
    picture(seed).save(path, **options)
    return path


def film(path: Path, seed: int = 1, codec: str = "mpeg4", **options: Any) -> Path:
    with av.open(str(path), "w", **options) as container:
        stream = container.add_stream(codec, rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(8):
            frame = av.VideoFrame.from_image(picture(seed + number))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def tone(path: Path, seed: int = 1, codec: str = "pcm_s16le") -> Path:
    noise = np.random.default_rng(seed).integers(-9000, 9000, (1, 16000)).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(noise, format="s16", layout="mono")
        frame.sample_rate = 16000
        resampler = av.AudioResampler(stream.format, "mono", 16000, stream.frame_size or None)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode())
    return path


PHOTOS: dict[str, dict[str, Any]] = {
    "plain.jpg": {"quality": 90},
    "progressive.jpg": {"quality": 90, "progressive": True},
    "profile.jpg": {"icc_profile": b"\0" * 36 + b"acsp" + b"\0" * 88},
    "still.png": {},
    "still.heic": {"quality": 80},
    "still.avif": {"quality": 60},
    "still.webp": {"quality": 80},
}
WORDS = ("-XMP:Rating=4", "-XMP-dc:Title=A much longer title than before", "-XMP:Subject=beach")


@needs_exiftool
@pytest.mark.parametrize("name", PHOTOS)
def test_a_rating_title_and_keyword_written_into_a_photo_keep_its_essence(
    name: str, tmp_path: Path
) -> None:
    path = save(tmp_path / name, **PHOTOS[name])
    before, bytes_before = essence(path), content(path)
    assert before != bytes_before, "the structure was not understood"
    rewrite(
        path, *WORDS, "-EXIF:ImageDescription=The sea", "-EXIF:DateTimeOriginal=2020:01:02 03:04:05"
    )
    assert content(path) != bytes_before
    assert essence(path) == before
    rewrite(path, "-all=", "--icc_profile:all")
    assert essence(path) == before


@needs_exiftool
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "faststart.mp4"])
def test_a_rating_title_and_keyword_written_into_a_film_keep_its_essence(
    name: str, tmp_path: Path
) -> None:
    options = {"options": {"movflags": "faststart"}} if "faststart" in name else {}
    path = film(tmp_path / name, **options)
    before, bytes_before = essence(path, Kind.VIDEO), content(path)
    assert before != bytes_before, "the structure was not understood"
    rewrite(path, *WORDS, "-QuickTime:Title=The sea", "-QuickTime:CreateDate=2020:01:02 03:04:05")
    assert content(path) != bytes_before
    assert essence(path, Kind.VIDEO) == before


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "lossless.webp", "a.heic"])
def test_other_pixels_are_another_essence(name: str, tmp_path: Path) -> None:
    options = {"lossless": True} if "lossless" in name else {}
    first = essence(save(tmp_path / name, seed=1, **options))
    again = essence(save(tmp_path / f"again-{name}", seed=1, **options))
    other = essence(save(tmp_path / f"other-{name}", seed=2, **options))
    assert first == again != other


def test_the_same_picture_encoded_again_is_another_essence(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", quality=90)
    again = tmp_path / "again.jpg"
    Image.open(path).save(again, quality=70)
    assert essence(path) != essence(again)


def test_a_turned_picture_is_another_essence(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg")
    assert len({essence(path, orientation=turn) for turn in range(1, 9)}) == 8


def test_exif_and_xmp_that_make_a_webp_extended_keep_its_essence(tmp_path: Path) -> None:
    plain = save(tmp_path / "plain.webp", quality=80)
    exif = Image.Exif()
    exif[0x010E] = "The sea"
    told = save(tmp_path / "told.webp", quality=80, exif=exif, xmp=b"<x:xmpmeta/>")
    assert content(plain) != content(told)
    assert essence(plain) == essence(told)


def test_a_colour_profile_is_part_of_the_essence(tmp_path: Path) -> None:
    profile = {"icc_profile": b"\1" * 128}
    for suffix in ("jpg", "png", "webp"):
        plain = save(tmp_path / f"plain.{suffix}")
        coloured = save(tmp_path / f"coloured.{suffix}", **profile)
        assert essence(plain) != essence(coloured), suffix


def test_bytes_after_the_end_of_a_jpeg_are_left_out(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", quality=90)
    before = essence(path)
    path.write_bytes(path.read_bytes() + b"a trailer that a photo browser keeps its rating in")
    assert essence(path) == before


def test_a_jpeg_larger_than_one_piece_is_read_to_its_end(tmp_path: Path) -> None:
    noise = np.random.default_rng(5).integers(0, 255, (1500, 1500, 3)).astype(np.uint8)
    path = tmp_path / "large.jpg"
    Image.fromarray(noise).save(path, quality=97)
    data = bytearray(path.read_bytes())
    assert len(data) > 2 << 20
    before = essence(path)
    at = len(data) - 5000
    data[at] = 0x55 if data[at] != 0x55 else 0x56
    path.write_bytes(data)
    assert essence(path) != before


def test_a_jpeg_marker_across_two_pieces_is_seen(tmp_path: Path) -> None:
    head = b"\xff\xd8\xff\xda\x00\x02"
    for filling in range((1 << 20) - 4, (1 << 20) + 4):
        path = tmp_path / "edge.jpg"
        path.write_bytes(head + b"\x11" * filling + b"\xff\xd9")
        before = essence(path)
        path.write_bytes(path.read_bytes() + b"trailer")
        assert essence(path) == before != content(path)


def riff(kind: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)
        for name, data in chunks
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + kind + body


def test_broadcast_and_info_chunks_of_a_wav_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16000)
        out.writeframes(bytes(range(200)) * 40)
    before = essence(path, Kind.AUDIO)
    form, sound = path.read_bytes()[20:36], path.read_bytes()[44:]
    told = tmp_path / "told.wav"
    told.write_bytes(
        riff(
            b"WAVE",
            (b"bext", b"x" * 603),
            (b"fmt ", form),
            (b"LIST", b"INFOINAM\x04\0\0\0sea\0"),
            (b"data", sound),
            (b"iXML", b"<BWFXML/>"),
        )
    )
    assert essence(told, Kind.AUDIO) == before != content(path)
    louder = tmp_path / "louder.wav"
    louder.write_bytes(riff(b"WAVE", (b"fmt ", form), (b"data", sound[::-1])))
    assert essence(louder, Kind.AUDIO) != before


def test_a_wav_beyond_four_gigabytes_finds_its_size_in_ds64(tmp_path: Path) -> None:
    sizes = struct.pack("<QQQI", 0, 4, 2, 0)
    body = b"ds64" + struct.pack("<I", 28) + sizes + b"fmt " + struct.pack("<I", 16) + b"f" * 16
    sound = b"data\xff\xff\xff\xff" + b"abcd"
    path = tmp_path / "a.wav"
    path.write_bytes(b"RF64\xff\xff\xff\xffWAVE" + body + sound)
    before = essence(path, Kind.AUDIO)
    path.write_bytes(path.read_bytes() + b"LIST\x04\0\0\0INFO")
    assert essence(path, Kind.AUDIO) == before != content(path)


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.aiff", "a.m4a"])
def test_other_sound_is_another_essence(name: str, tmp_path: Path) -> None:
    codec = {"mp3": "libmp3lame", "flac": "flac", "aiff": "pcm_s16be", "m4a": "aac"}[name[2:]]
    first = tone(tmp_path / name, 1, codec)
    other = tone(tmp_path / f"other-{name}", 2, codec)
    assert essence(first, Kind.AUDIO) != essence(other, Kind.AUDIO)
    assert essence(first, Kind.AUDIO) != content(first)


def test_tags_around_mp3_frames_are_left_out(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.mp3", codec="libmp3lame")
    before, sound = essence(path, Kind.AUDIO), path.read_bytes()
    id3 = b"ID3\x04\0\0" + bytes((0, 0, 2, 1)) + b"t" * 257
    ape = b"APETAGEX" + struct.pack("<IIII", 2000, 32 + 10, 1, 0) + b"\0" * 8
    path.write_bytes(id3 + sound + b"i" * 10 + ape + b"TAG" + b"s" * 125)
    assert essence(path, Kind.AUDIO) == before


def test_comments_and_padding_of_a_flac_are_left_out(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.flac", codec="flac")
    before, data = essence(path, Kind.AUDIO), path.read_bytes()
    information = data[:42]  # magic and STREAMINFO
    path.write_bytes(information + b"\x01\x00\x00\x10" + b"\0" * 16 + data[42:])
    assert essence(path, Kind.AUDIO) == before != content(path)


@pytest.mark.parametrize("name", ["a.tif", "a.gif", "a.bmp", "a.mkv"])
def test_formats_that_are_not_taken_apart_fall_back_to_the_content_hash(
    name: str, tmp_path: Path
) -> None:
    path = film(tmp_path / name) if name == "a.mkv" else save(tmp_path / name)
    assert essence(path) == content(path)


@pytest.mark.parametrize(
    "name", ["a.jpg", "p.jpg", "a.png", "a.webp", "a.heic", "a.mp4", "a.flac", "a.mp3", "a.aiff"]
)
def test_broken_bytes_end_in_a_hash_and_never_in_an_error(name: str, tmp_path: Path) -> None:
    good = tmp_path / name
    match good.suffix:
        case ".mp4":
            film(good)
        case ".flac" | ".mp3" | ".aiff":
            tone(good, codec={"flac": "flac", "mp3": "libmp3lame"}.get(name[2:], "pcm_s16be"))
        case _:
            save(good, **({"progressive": True} if name == "p.jpg" else {}))
    data, dice = good.read_bytes(), random.Random(name)
    path = tmp_path / f"broken{good.suffix}"
    for _ in range(150):
        broken = bytearray(data[: dice.randrange(len(data))] if dice.random() < 0.4 else data)
        for _ in range(dice.randrange(6)):
            if broken:
                at = dice.randrange(min(len(broken), 400 if dice.random() < 0.7 else len(broken)))
                broken[at] = dice.choice((0, 0xFF, dice.randrange(256)))
        path.write_bytes(broken)
        assert len(essence(path)) == 64


def test_links_and_fifos_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link.jpg").symlink_to(save(tmp_path / "a.jpg"))
    with pytest.raises(OSError):
        essence_hash(tmp_path / "link.jpg", probe(), "0" * 64)
    os.mkfifo(tmp_path / "fifo.jpg")
    with pytest.raises(OSError):
        essence_hash(tmp_path / "fifo.jpg", probe(), "0" * 64)
