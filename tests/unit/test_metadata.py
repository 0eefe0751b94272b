"""What files say about themselves, read by ExifTool and without it."""

from __future__ import annotations

import logging
import os
import random
import shutil
import stat
import subprocess
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import psutil
import pytest
from PIL import ExifTags, Image
from pillow_heif import register_heif_opener

from dam.contracts import Kind
from dam.media.decoder_process import Limits
from dam.media.metadata import Metadata, MetadataReader
from dam.media.probe import Probe
from tests.broadcast_wave import IXML, bext, broadcast_wave

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXIFTOOL = shutil.which("exiftool")
needs_exiftool = pytest.mark.skipif(EXIFTOOL is None, reason="ExifTool is not installed")
LIMITS = Limits(timeout_s=60, memory_mb=2048, max_pixels=100_000_000)
PHOTO, VIDEO, AUDIO = (Probe(kind, "any") for kind in (Kind.PHOTO, Kind.VIDEO, Kind.AUDIO))

register_heif_opener()


@pytest.fixture(scope="module", params=["exiftool", "/nonexistent/exiftool"])
def reader(request: pytest.FixtureRequest) -> Iterator[MetadataReader]:
    if request.param == "exiftool" and EXIFTOOL is None:
        pytest.skip("ExifTool is not installed")
    with MetadataReader(request.param, LIMITS) as opened:
        yield opened


@pytest.fixture(scope="module")
def full() -> Iterator[MetadataReader]:
    """The reader with ExifTool."""
    with MetadataReader("exiftool", LIMITS) as opened:
        yield opened


def packet(properties: str) -> bytes:
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
 xmlns:digiKam="http://www.digikam.org/ns/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0/">{properties}</rdf:Description>
</rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()


def bag(name: str, *words: str, kind: str = "Bag") -> str:
    items = "".join(f"<rdf:li>{word}</rdf:li>" for word in words)
    return f"<{name}><rdf:{kind}>{items}</rdf:{kind}></{name}>"


def alt(name: str, text: str) -> str:
    return f'<{name}><rdf:Alt><rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt></{name}>'


def exif(
    first: dict[str, Any] | None = None,
    detailed: dict[str, Any] | None = None,
    gps: dict[int, Any] | None = None,
) -> Image.Exif:
    made = Image.Exif()
    for name, value in (first or {}).items():
        made[ExifTags.Base[name]] = value
    for name, value in (detailed or {}).items():
        made.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base[name]] = value
    if gps:
        made.get_ifd(ExifTags.IFD.GPSInfo).update(gps)
    read = Image.Exif()  # Pillow writes the parts of EXIF into a TIFF only when it has read them
    read.load(made.tobytes())
    return read


def at(latitude: tuple[float, str], longitude: tuple[float, str]) -> dict[int, Any]:
    def parts(degrees: float) -> tuple[float, float, float]:
        minutes = degrees % 1 * 60
        return (int(degrees), int(minutes), round(minutes % 1 * 60, 4))

    return {1: latitude[1], 2: parts(latitude[0]), 3: longitude[1], 4: parts(longitude[0])}


def photo(path: Path, **options: Any) -> Path:
    Image.new("RGB", (32, 24), "teal").save(path, **options)
    return path


CANON = exif(
    {"Make": "Canon", "Model": "Canon EOS R5", "ImageDescription": "Low tide"},
    {
        "DateTimeOriginal": "2020:01:02 03:04:05",
        "OffsetTimeOriginal": "+05:30",
        "SubsecTimeOriginal": "12",
        "LensModel": "RF24-70mm F2.8 L IS USM",
        "ExposureTime": 0.004,
        "FNumber": 2.8,
        "ISOSpeedRatings": 400,
        "FocalLength": 50.0,
        "Flash": 0x19,
    },
    at((48.2, "N"), (16.37, "E")),
)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "a.heic", "a.avif"])
def test_the_camera_s_own_data_are_read_from_every_format(
    name: str, reader: MetadataReader, tmp_path: Path
) -> None:
    said = reader.read(photo(tmp_path / name, exif=CANON), PHOTO)
    assert (said.captured_local, said.captured_offset_min) == ("2020-01-02T03:04:05.120000", 330)
    assert said.captured_us == 1_577_914_445_120_000
    assert said.camera == "Canon EOS R5"
    assert said.lens == "RF24-70mm F2.8 L IS USM"
    assert (said.latitude, said.longitude) == (pytest.approx(48.2), pytest.approx(16.37))
    assert (said.place, said.country) == ("Vienna, Austria", "Austria")
    assert said.caption == "Low tide"
    exposure = {"exposure_s": 0.004, "aperture": 2.8, "iso": 400, "focal_length_mm": 50}
    assert exposure.items() <= said.details.items()
    assert said.details["flash"] is True
    assert "warnings" not in said.details


def test_exif_text_in_utf_8_is_read(reader: MetadataReader, tmp_path: Path) -> None:
    told = Image.Exif()
    told[ExifTags.Base.ImageDescription] = "Käfer 浜辺".encode()
    assert reader.read(photo(tmp_path / "a.jpg", exif=told), PHOTO).caption == "Käfer 浜辺"


WORDS = packet(
    alt("dc:title", "Low tide")
    + alt("dc:description", "Mud &amp; sky")
    + bag("dc:subject", "beach", "sea")
    + bag("dc:creator", "Ada", kind="Seq")
    + "<xmp:Rating>4</xmp:Rating><xmp:Label>Red</xmp:Label>"
)


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.tif", "a.heic", "a.png"])
def test_xmp_is_read_from_every_format_that_carries_it(
    name: str, reader: MetadataReader, tmp_path: Path
) -> None:
    path = tmp_path / name
    if name == "a.png":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", WORDS.decode())
        photo(path, pnginfo=info)
    elif name == "a.tif":
        photo(path, tiffinfo={700: WORDS})
    else:
        photo(path, xmp=WORDS)
    said = reader.read(path, PHOTO)
    assert (said.title, said.caption) == ("Low tide", "Mud & sky")
    assert said.keywords == ("beach", "sea")
    assert (said.rating, said.label) == (4, "Red")
    assert said.details["creator"] == ["Ada"]


@needs_exiftool
def test_iptc_and_the_windows_fields_are_read(reader: MetadataReader, tmp_path: Path) -> None:
    iptc, windows = photo(tmp_path / "iptc.jpg"), photo(tmp_path / "windows.jpg")
    options = "-codedcharacterset=utf8 -IPTC:ObjectName=Küste -IPTC:Caption-Abstract=Flut"
    more = ["-IPTC:Keywords=a", "-IPTC:Keywords=b", "-IPTC:DateCreated=2020:01:02"]
    write(iptc, *options.split(), *more, "-IPTC:TimeCreated=03:04:05+05:30")
    write(windows, "-XPTitle=Küste", "-XPKeywords=a;b", "-XPComment=Flut", "-RatingPercent=75")
    for said in reader.read_many([(iptc, PHOTO), (windows, PHOTO)]):
        assert (said.title, said.caption, said.keywords) == ("Küste", "Flut", ("a", "b"))
    said = reader.read(iptc, PHOTO)
    assert (said.captured_local, said.captured_offset_min) == ("2020-01-02T03:04:05", 330)
    assert reader.read(windows, PHOTO).rating == 4


def write(path: Path, *options: str) -> None:
    assert EXIFTOOL
    command = [EXIFTOOL, "-q", "-overwrite_original", *options, str(path)]
    subprocess.run(command, check=True, timeout=60)


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        ((33.86, "S"), (151.2, "E"), (-33.86, 151.2)),
        ((22.9, "S"), (43.2, "W"), (-22.9, -43.2)),
        ((0.0, "N"), (0.0, "E"), None),
        ((0.0, "N"), (9.45, "E"), (0.0, 9.45)),
        ((95.0, "N"), (10.0, "E"), None),
        ((45.0, "N"), (190.0, "E"), None),
    ],
)
def test_coordinates_have_their_sign_and_impossible_ones_are_dropped(
    latitude: tuple[float, str],
    longitude: tuple[float, str],
    expected: tuple[float, float] | None,
    reader: MetadataReader,
    tmp_path: Path,
) -> None:
    path = photo(tmp_path / "a.jpg", exif=exif(gps=at(latitude, longitude)))
    said = reader.read(path, PHOTO)
    if expected is None:
        assert (said.latitude, said.longitude, said.place) == (None, None, None)
    else:
        assert (said.latitude, said.longitude) == pytest.approx(expected)


def film(path: Path, metadata: dict[str, str], **options: str) -> Path:
    with av.open(str(path), "w", options=options) as container:
        container.metadata.update(metadata)
        stream: Any = container.add_stream("mpeg4", rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(3):
            image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(image))
        container.mux(stream.encode())
    return path


def test_an_apple_film_tells_its_zone_place_and_partner(
    reader: MetadataReader, tmp_path: Path
) -> None:
    apple = "com.apple.quicktime."
    path = film(
        tmp_path / "a.mov",
        {
            "creation_time": "2020-01-01T21:34:05Z",
            f"{apple}creationdate": "2020-01-02T03:04:05+0530",
            f"{apple}location.ISO6709": "+48.2000+016.3700+190.000/",
            f"{apple}make": "Apple",
            f"{apple}model": "iPhone 12",
            f"{apple}content.identifier": "6F4A-11",
        },
        movflags="use_metadata_tags",
    )
    said = reader.read(path, VIDEO)
    assert (said.captured_local, said.captured_offset_min) == ("2020-01-02T03:04:05", 330)
    assert said.camera == "Apple iPhone 12"
    assert (said.latitude, said.longitude) == (48.2, 16.37)
    assert said.details["altitude_m"] == 190
    assert said.details["content_identifier"] == "6F4A-11"


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_film_dated_in_utc_keeps_its_instant(
    name: str, reader: MetadataReader, tmp_path: Path
) -> None:
    metadata = {"creation_time": "2020-01-01T21:34:05Z", "title": "Ebb"}
    said = reader.read(film(tmp_path / name, metadata), VIDEO)
    assert (said.captured_us, said.captured_offset_min) == (1_577_914_445_000_000, 0)
    assert said.details["offset_source"] == "container time is UTC"
    assert said.title == "Ebb"


def test_a_film_without_a_date_has_none(reader: MetadataReader, tmp_path: Path) -> None:
    said = reader.read(film(tmp_path / "a.mp4", {}), VIDEO)
    assert (said.captured_local, said.captured_us, said.captured_offset_min) == (None, None, None)


def test_a_broadcast_wave_tells_its_origin(reader: MetadataReader, tmp_path: Path) -> None:
    said = reader.read(broadcast_wave(tmp_path / "a.wav", bext=bext()), AUDIO)
    assert (said.captured_local, said.captured_offset_min) == ("2021-05-06T07:08:09", None)
    assert said.caption == "Surf, wide"
    assert said.details["originator"] == "Recorder"
    assert "source_timecode" not in said.details


def test_a_recorder_s_notes_are_read_with_every_track(
    reader: MetadataReader, tmp_path: Path
) -> None:
    path = broadcast_wave(tmp_path / "a.wav", bext=bext(172_972_800), iXML=IXML.encode() + bytes(9))
    told = reader.read(path, AUDIO).details
    assert {key: told[key] for key in ("project", "scene", "take", "tape")} == {
        "project": "Ebb", "scene": "12A", "take": "3", "tape": "DAY7",
    }  # fmt: skip
    assert (told["note"], told["tracks"]) == ("plane overhead & wind", ["Boom", "Lav Möwe"])
    assert told["circled"] is True
    assert (told["source_timecode"], told["timecode_rate"]) == ("01:00:00:00", "24000/1001")
    assert "warnings" not in told


def test_a_time_reference_without_frames_is_told_in_milliseconds(
    reader: MetadataReader, tmp_path: Path
) -> None:
    told = reader.read(broadcast_wave(tmp_path / "a.wav", bext=bext(1_728_012_000)), AUDIO).details
    assert told["source_timecode"] == "10:00:00.250"
    assert "timecode_rate" not in told


def test_notes_that_cannot_be_read_cost_nothing_else(
    reader: MetadataReader, tmp_path: Path
) -> None:
    bomb = b"<!DOCTYPE r [<!ENTITY a 'aaaa'>]><BWFXML><SCENE>&a;</SCENE></BWFXML>"
    told = reader.read(broadcast_wave(tmp_path / "a.wav", bext=bext(), iXML=bomb), AUDIO)
    assert told.caption == "Surf, wide"
    assert "document type" in told.details["warnings"][0]


def test_a_sidecar_wins_value_by_value(reader: MetadataReader, tmp_path: Path) -> None:
    path = photo(tmp_path / "a.jpg", exif=CANON, xmp=WORDS)
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(packet("<xmp:Rating>-1</xmp:Rating>" + bag("dc:subject", "mud")))
    (tmp_path / "a.xmp").write_bytes(packet("<xmp:Rating>2</xmp:Rating>"))
    said = reader.read(path, PHOTO)
    assert (said.rating, said.keywords) == (-1, ("mud",))
    assert (said.title, said.label, said.captured_offset_min) == ("Low tide", "Red", 330)
    before = said.sidecar
    sidecar.write_bytes(packet("<xmp:Rating>3</xmp:Rating>"))
    said = reader.read(path, PHOTO)
    assert (said.rating, said.keywords) == (3, ("beach", "sea"))
    assert said.sidecar != before


@pytest.mark.parametrize(
    ("bomb", "reason"),
    [
        (b"<!DOCTYPE r [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><r>&b;</r>", "document type"),
        (b"<a>" * 500, "too deep"),
        (b"not XML", "cannot be read"),
        (b" " * (17 << 20), "larger than 16 MiB"),
    ],
)
def test_a_hostile_sidecar_is_left_out_with_a_warning(
    bomb: bytes, reason: str, reader: MetadataReader, tmp_path: Path
) -> None:
    path = photo(tmp_path / "a.jpg", exif=CANON)
    (tmp_path / "a.xmp").write_bytes(bomb)
    said = reader.read(path, PHOTO)
    assert said.camera == "Canon EOS R5"
    assert said.sidecar is None
    assert reason in said.details["warnings"][0]


def test_a_sidecar_that_leads_elsewhere_is_not_read(reader: MetadataReader, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(packet(alt("dc:title", "Secret")))
    path = photo(tmp_path / "a.jpg")
    (tmp_path / "a.xmp").symlink_to(tmp_path / "secret")
    assert reader.read(path, PHOTO).title is None


ODD_NAMES = [
    b"new\nline -execute\n.jpg",
    b"pipe.jpg|",
    b"touch owned |",
    b"-delete_original!.jpg",
    b"-overwrite_original",
    b"no utf-8 \xff\xfe.jpg",
    "nfd e\u0301.jpg".encode(),
    "rtl \u202egpj.jpg".encode(),
    b"#comment.jpg",
    b" spaces and $HOME `id` %d.jpg ",
    b"x" * 251 + b".jpg",
]


def test_names_are_never_options_nor_commands(reader: MetadataReader, tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    made = photo(tmp_path / "made.jpg", exif=CANON).read_bytes()
    paths = [folder / os.fsdecode(name) for name in ODD_NAMES]
    for path in paths:
        path.write_bytes(made)
    before = {entry.name: entry.stat().st_mtime_ns for entry in os.scandir(folder)}
    said = reader.read_many([(path, PHOTO) for path in paths])
    assert [one.camera for one in said] == ["Canon EOS R5"] * len(paths)
    assert {entry.name: entry.stat().st_mtime_ns for entry in os.scandir(folder)} == before
    assert {path.read_bytes() for path in paths} == {made}


def test_originals_on_a_read_only_disk_are_read(reader: MetadataReader, tmp_path: Path) -> None:
    path = photo(tmp_path / "a.jpg", exif=CANON)
    path.chmod(stat.S_IRUSR)
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert reader.read(path, PHOTO).camera == "Canon EOS R5"
        assert [entry.name for entry in os.scandir(tmp_path)] == ["a.jpg"]
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_many_files_are_answered_in_order(reader: MetadataReader, tmp_path: Path) -> None:
    paths = [
        photo(tmp_path / f"{number}.jpg", exif=exif({"ImageDescription": f"Number {number}"}))
        for number in range(120)
    ]
    said = reader.read_many([(path, PHOTO) for path in reversed(paths)])
    assert [one.caption for one in said] == [f"Number {n}" for n in reversed(range(120))]


def test_broken_and_vanished_files_harm_no_other(reader: MetadataReader, tmp_path: Path) -> None:
    good = photo(tmp_path / "good.jpg", exif=CANON)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(good.read_bytes()[:300])
    text, empty = tmp_path / "text.jpg", tmp_path / "empty.jpg"
    text.write_text("no picture")
    empty.touch()
    gone, fifo = tmp_path / "gone.jpg", tmp_path / "fifo.jpg"
    os.mkfifo(fifo)
    paths = [good, broken, text, empty, gone, fifo, good]
    said = reader.read_many([(path, PHOTO) for path in paths])
    assert said[0] == said[-1]
    assert said[0].camera == "Canon EOS R5"
    assert all(one.camera is None for one in said[2:-1])


def test_damaged_files_end_neither_the_process_nor_a_batch(
    reader: MetadataReader, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    seeds = [
        photo(tmp_path / "a.jpg", exif=CANON, xmp=WORDS).read_bytes(),
        photo(tmp_path / "a.webp", exif=CANON, xmp=WORDS).read_bytes(),
        photo(tmp_path / "a.png", exif=CANON).read_bytes(),
        photo(tmp_path / "a.tif", exif=CANON).read_bytes(),
    ]
    dice, files = random.Random(7), []
    for number in range(120):
        broken = bytearray(seeds[number % len(seeds)])
        for _ in range(dice.randrange(1, 30)):
            broken[dice.randrange(min(len(broken), 2000))] = dice.choice((0, 255, 0xE9))
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(broken)
        files.append((path, PHOTO))
    said = reader.read_many(files)
    assert len(said) == 120
    assert sum(one.camera == "Canon EOS R5" for one in said) > 10
    assert "one by one" not in caplog.text


def test_without_exiftool_people_learn_what_is_not_read() -> None:
    with MetadataReader("/nonexistent/exiftool", LIMITS) as reader:
        assert reader.missing
        assert "/nonexistent/exiftool was not found" in reader.missing
        assert "DAM_EXIFTOOL" in reader.missing


@needs_exiftool
def test_with_exiftool_nothing_is_missing(full: MetadataReader) -> None:
    assert full.missing is None


def pretender(path: Path, rest: str) -> Path:
    """A program that starts like ExifTool and then behaves badly."""
    path.write_text(
        "#!/bin/sh\n"
        'if [ "$3" = -ver ]; then echo 12.57; exit; fi\n'
        'while read -r line; do case "$line" in\n'
        "-ver) version=1 ;;\n"
        "-execute*) n=${line#-execute}\n"
        'if [ "$version" ]; then version=; echo 12.57; echo "{ready$n}"; echo "=0=post$n" >&2\n'
        f"else {rest}; fi ;;\n"
        "esac; done\n"
    )
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("rest", ["sleep 600", "kill -9 $$"])
def test_an_exiftool_that_hangs_or_dies_is_replaced_and_blocks_nothing(
    rest: str, tmp_path: Path
) -> None:
    program = pretender(tmp_path / "exiftool", rest)
    path = photo(tmp_path / "a.jpg", exif=exif({"Make": "Canon"}))
    limits = Limits(timeout_s=3, memory_mb=2048, max_pixels=1_000_000)
    others = set(psutil.Process().children(recursive=True))
    with MetadataReader(str(program), limits) as reader:
        assert reader.read(path, PHOTO).camera == "Canon"
        assert reader.missing is None
        family = set(psutil.Process().children(recursive=True)) - others
        assert family
    assert not psutil.wait_procs(family, timeout=30)[1]


def test_a_program_that_is_not_exiftool_is_told_about(tmp_path: Path) -> None:
    program = tmp_path / "exiftool"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    path = photo(tmp_path / "a.jpg", exif=exif({"Make": "Canon"}))
    with MetadataReader(str(program), LIMITS) as reader:
        assert reader.read(path, PHOTO).camera == "Canon"
        assert "is no ExifTool" in (reader.missing or "")


@needs_exiftool
def test_the_configuration_of_a_person_s_exiftool_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".ExifTool_config").write_text(f"open(F, '>{tmp_path}/ran'); 1;")
    monkeypatch.setenv("HOME", str(tmp_path))
    path = photo(tmp_path / "a.jpg", exif=exif({"Make": "Canon"}))
    with MetadataReader("exiftool", LIMITS) as reader:
        assert reader.read(path, PHOTO).camera == "Canon"
    assert not (tmp_path / "ran").exists()


@needs_exiftool
def test_both_readers_say_the_same_of_real_photos(full: MetadataReader, shared: Path) -> None:
    files = [(path, PHOTO) for path in sorted((shared / "media/photos").glob("*.jpg"))[:40]]
    with MetadataReader("/nonexistent/exiftool", LIMITS) as plain:
        for one, other in zip(full.read_many(files), plain.read_many(files), strict=True):
            assert (one.captured_us, one.camera, one.title, one.keywords, one.rating) == (
                *(other.captured_us, other.camera, other.title, other.keywords, other.rating),
            )


def test_nothing_said_is_nothing_made_up(reader: MetadataReader, tmp_path: Path) -> None:
    said = reader.read(photo(tmp_path / "a.png"), PHOTO)
    assert said == Metadata(details=said.details)
    assert "warnings" not in said.details
