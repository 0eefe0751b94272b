"""Photos of every make, decoded in a child process as a library would have them."""

from __future__ import annotations

import io
import json
import os
import re
import struct
import zlib
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from dam.contracts import Kind
from dam.errors import LibraryOffline, OverLimit, UnreadableMedia
from dam.media.sandbox import Limits, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dam.contracts import Pixels

pillow_heif.register_heif_opener()

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
QUARTERS = [RED, GREEN, BLUE, WHITE]  # top left, top right, bottom left, bottom right
GREYS = [(76,) * 3, (150,) * 3, (29,) * 3, WHITE]  # the same, as luma
INKS = [(0,) * 3, WHITE, (0,) * 3, WHITE]  # the same in black and white


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Limits(timeout_s=60, memory_mb=2048, max_pixels=250_000_000)) as opened:
        yield opened


def quarters(width_px: int = 320, height_px: int = 240) -> Image.Image:
    pixels = np.empty((2, 2, 3), np.uint8)
    pixels[:] = np.array(QUARTERS).reshape(2, 2, 3)
    return Image.fromarray(pixels).resize((width_px, height_px), Image.Resampling.NEAREST)


def seen(image: Pixels) -> list[tuple[int, ...]]:
    """The middle of each quarter."""
    height, width = image.shape[:2]
    places = [(y, x) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    return [tuple(int(value) for value in image[place]) for place in places]


def close(seen: list[tuple[int, ...]], wanted: list[tuple[int, ...]], by: int = 6) -> bool:
    return bool(np.abs(np.array(seen) - np.array(wanted)).max() <= by)


def png(width_px: int, height_px: int) -> bytes:
    """A PNG whose header promises any size and whose body holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("suffix", "written", "mode", "wanted"),
    [
        ("jpg", "JPEG", "RGB", QUARTERS),
        ("png", "PNG", "RGB", QUARTERS),
        ("webp", "WEBP", "RGB", QUARTERS),
        ("avif", "AVIF", "RGB", QUARTERS),
        ("heic", "HEIF", "RGB", QUARTERS),
        ("tif", "TIFF", "RGB", QUARTERS),
        ("gif", "GIF", "P", QUARTERS),
        ("bmp", "BMP", "RGB", QUARTERS),
        ("jp2", "JPEG2000", "RGB", QUARTERS),
        ("ppm", "PPM", "RGB", QUARTERS),
        ("tga", "TGA", "RGB", QUARTERS),
        ("qoi", "QOI", "RGB", QUARTERS),
        ("pcx", "PCX", "RGB", QUARTERS),
        ("sgi", "SGI", "RGB", QUARTERS),
        ("dds", "DDS", "RGB", QUARTERS),
        ("ico", "ICO", "RGB", QUARTERS),
        ("1.png", "PNG", "1", INKS),
        ("l.png", "PNG", "L", GREYS),
        ("la.png", "PNG", "LA", GREYS),
        ("p.png", "PNG", "P", QUARTERS),
        ("rgba.png", "PNG", "RGBA", QUARTERS),
        ("cmyk.jpg", "JPEG", "CMYK", QUARTERS),
        ("cmyk.tif", "TIFF", "CMYK", QUARTERS),
        ("xbm", "XBM", "1", INKS),
    ],
)
def test_every_picture_format_and_pixel_layout_shows_its_colours(
    sandbox: Sandbox, tmp_path: Path, suffix: str, written: str, mode: str, wanted: list[Any]
) -> None:
    path = tmp_path / f"picture.{suffix}"
    quarters(256, 256).convert(mode, dither=Image.Dither.NONE).save(path, written)
    probe = sandbox.probe(path)
    image = sandbox.photo(path).image
    assert (probe.kind, probe.width_px, probe.height_px) == (Kind.PHOTO, 256, 256)
    assert image.shape == (256, 256, 3)
    assert image.dtype == np.uint8
    assert close(seen(image), wanted)


@pytest.mark.parametrize(("codec", "pixel_format"), [("png", "rgb48be"), ("tiff", "rgb48le")])
def test_sixteen_bit_colour_is_not_clipped(
    sandbox: Sandbox, tmp_path: Path, codec: str, pixel_format: str
) -> None:
    path = tmp_path / f"deep.{codec}"
    deep = np.asarray(quarters()).astype(np.uint16) * 100
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream(codec, rate=1)
        stream.width, stream.height, stream.pix_fmt = 320, 240, pixel_format
        container.mux(stream.encode(av.VideoFrame.from_ndarray(deep, format="rgb48le")))
        container.mux(stream.encode(None))
    image = sandbox.photo(path).image
    assert close(seen(image), [tuple(v * 100 // 257 for v in colour) for colour in QUARTERS])


@pytest.mark.parametrize(
    ("values", "suffix"),
    [
        (np.asarray(quarters().convert("L")).astype(np.uint16) * 257, "png"),
        (np.asarray(quarters().convert("L")).astype(np.uint16) * 16, "tif"),  # 12 bit
        (np.asarray(quarters().convert("L")).astype(np.int32) * 257, "tif"),
        (np.asarray(quarters().convert("L")).astype(np.float32) / 255, "tif"),
    ],
    ids=["16 bit", "12 bit in 16", "32 bit", "float"],
)
def test_deep_greys_keep_their_range(
    sandbox: Sandbox, tmp_path: Path, values: np.ndarray, suffix: str
) -> None:
    path = tmp_path / f"deep.{suffix}"
    Image.fromarray(values).save(path)
    assert close(seen(sandbox.photo(path).image), GREYS)


def test_what_is_see_through_shows_white(sandbox: Sandbox, tmp_path: Path) -> None:
    picture = quarters().convert("RGBA")
    picture.putalpha(Image.new("L", picture.size, 0))
    picture.save(tmp_path / "clear.png")
    palette = quarters().convert("P", palette=Image.Palette.ADAPTIVE)
    palette.save(tmp_path / "clear.gif", transparency=palette.getpixel((0, 0)))
    assert seen(sandbox.photo(tmp_path / "clear.png").image) == [WHITE] * 4
    assert close(seen(sandbox.photo(tmp_path / "clear.gif").image), [WHITE, *QUARTERS[1:]])


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_an_animation_shows_its_first_frame(sandbox: Sandbox, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"moving.{suffix}"
    quarters().save(path, save_all=True, append_images=[quarters().rotate(180)], duration=100)
    probe = sandbox.probe(path)
    assert probe.kind is Kind.PHOTO
    assert probe.details["animated"]
    assert close(seen(sandbox.photo(path).image), QUARTERS)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "heic"])
def test_photos_are_turned_upright(
    sandbox: Sandbox, tmp_path: Path, orientation: int, suffix: str
) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    lying = quarters().transpose(undo[orientation]) if orientation in undo else quarters()
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{suffix}"
    lying.save(path, exif=exif.tobytes())
    probe = sandbox.probe(path)
    image = sandbox.photo(path).image
    assert (probe.width_px, probe.height_px) == (320, 240)
    assert image.shape == (240, 320, 3)
    assert close(seen(image), QUARTERS)
    if suffix != "heic":  # libheif turns the picture itself
        assert probe.orientation == orientation


def test_colours_of_another_profile_are_converted_to_srgb(sandbox: Sandbox, tmp_path: Path) -> None:
    """A profile with red and green swapped: whoever passes it over shows red for green."""
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at = {}
    for number in range(struct.unpack_from(">I", swapped, 128)[0]):
        name, offset, size = struct.unpack_from(">4sII", swapped, 132 + 12 * number)
        at[name] = (offset, size)
        if name == b"desc":
            swapped[offset : offset + size] = swapped[offset : offset + size].replace(
                "sRGB".encode("utf-16-be"), "sGRB".encode("utf-16-be")
            )
    (red, size), (green, _) = at[b"rXYZ"], at[b"gXYZ"]
    first, second = swapped[red : red + size], swapped[green : green + size]
    swapped[red : red + size], swapped[green : green + size] = second, first
    path = tmp_path / "profile.png"
    quarters().save(path, icc_profile=bytes(swapped))
    assert close(seen(sandbox.photo(path).image), [GREEN, RED, BLUE, WHITE])


def test_a_broken_profile_is_passed_over(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "profile.png"
    quarters().save(path, icc_profile=b"no profile at all")
    assert close(seen(sandbox.photo(path).image), QUARTERS)


def test_previews_are_small_upright_and_free_of_metadata(sandbox: Sandbox, tmp_path: Path) -> None:
    path, folder = tmp_path / "large.jpg", tmp_path / "previews" / "ab" / "abcd"
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a private caption"
    turned = quarters(4000, 3000).transpose(Image.Transpose.ROTATE_90)
    turned.save(path, exif=exif, comment=b"a private comment")
    photo = sandbox.photo(path, previews=folder)
    assert photo.image.shape == (1200, 1600, 3)
    assert 5 <= len(photo.thumbhash) <= 25
    assert {entry.name for entry in folder.iterdir()} == {"preview.jpg", "thumb.webp"}
    assert [entry.name for entry in folder.parent.iterdir()] == ["abcd"]
    for name, size in (("preview.jpg", (1600, 1200)), ("thumb.webp", (250, 187))):
        assert b"private" not in (folder / name).read_bytes()
        with Image.open(folder / name) as preview:
            assert preview.size == size
            assert not preview.getexif()
            assert close(seen(np.asarray(preview.convert("RGB"))), QUARTERS, by=10)
    with Image.open(folder / "preview.jpg") as preview:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(preview.info["icc_profile"]))
        assert ImageCms.getProfileDescription(profile).startswith("sRGB")
    assert close(seen(sandbox.preview(folder / "preview.jpg")), QUARTERS)


def test_a_small_photo_is_not_enlarged(sandbox: Sandbox, tmp_path: Path) -> None:
    quarters(60, 40).save(tmp_path / "small.png")
    quarters(5000, 2).save(tmp_path / "strip.png")
    assert sandbox.photo(tmp_path / "small.png", previews=tmp_path / "p").image.shape == (40, 60, 3)
    assert sandbox.photo(tmp_path / "strip.png", previews=tmp_path / "q").image.shape == (
        1,
        1600,
        3,
    )


def test_previews_of_a_photo_that_fails_do_not_appear(sandbox: Sandbox, tmp_path: Path) -> None:
    path, folder = tmp_path / "cut.jpg", tmp_path / "previews" / "ab"
    quarters(2000, 1500).save(path)
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(UnreadableMedia, match=r"cut\.jpg is damaged or cut short: .*truncated"):
        sandbox.photo(path, previews=folder)
    assert list((tmp_path / "previews").iterdir()) == []


def test_previews_made_again_replace_the_old_ones(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = tmp_path / "previews" / "ab"
    quarters().save(tmp_path / "photo.png")
    sandbox.photo(tmp_path / "photo.png", previews=folder)
    (folder / "preview.jpg").write_bytes(b"damaged")
    sandbox.photo(tmp_path / "photo.png", previews=folder)
    assert close(seen(sandbox.preview(folder / "preview.jpg")), QUARTERS)
    assert [entry.name for entry in folder.parent.iterdir()] == ["ab"]


def test_a_picture_of_too_many_pixels_is_refused_by_its_header(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png(30_000, 30_000))
    for read in (sandbox.probe, sandbox.photo):
        with pytest.raises(
            OverLimit, match=r"900,000,000 pixels; .* 250,000,000 \(DAM_MAX_PIXELS\)"
        ):
            read(path)
    path.write_bytes(png(2**31 - 1, 2**31 - 1))
    with pytest.raises(OverLimit, match="DAM_MAX_PIXELS"):
        sandbox.probe(path)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.jpg", b"", r"empty\.jpg is empty \(0 bytes\)"),
        (
            "notes.jpg",
            b"Dear diary, today",
            r"notes\.jpg is no picture .* begins with b'Dear diary",
        ),
        ("notes.heic", b"Dear diary, today", r"notes\.heic is no picture"),
        ("notes.cr2", b"Dear diary, today", r"notes\.cr2 is no RAW photo that can be read"),
        ("script.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\nshowpage\n", r"script\.jpg is no picture"),
        ("head.jpg", b"\xff\xd8\xff\xe0", r"head\.jpg is no picture"),
    ],
)
def test_files_that_are_no_pictures_say_why(
    sandbox: Sandbox, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableMedia, match=reason):
        sandbox.probe(tmp_path / name)


def test_only_regular_files_are_opened(sandbox: Sandbox, tmp_path: Path) -> None:
    quarters().save(tmp_path / "real.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name, reason in {
        "link.png": "is a symbolic link",
        "pipe.png": "is not a regular file",
        "folder.png": "cannot be opened|is not a regular file",
    }.items():
        with pytest.raises(UnreadableMedia, match=reason):
            sandbox.probe(tmp_path / name)


def test_a_file_that_is_gone_is_no_verdict_on_the_file(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(LibraryOffline, match=r"gone\.jpg cannot be read now"):
        sandbox.probe(tmp_path / "gone.jpg")


def test_odd_names_reach_the_decoder_unchanged(sandbox: Sandbox, tmp_path: Path) -> None:
    quarters().save(tmp_path / "plain.jpg")
    content = (tmp_path / "plain.jpg").read_bytes()
    for name in (b"-rf|\n.jpg", b"latin-\xe9.jpg", "\u202egpj.jpg".encode(), b"a" * 250 + b".jpg"):
        path = tmp_path / os.fsdecode(name)
        path.write_bytes(content)
        assert sandbox.probe(path).format == "jpeg"
    damaged = tmp_path / os.fsdecode(b"\xff.jpg")
    damaged.write_bytes(b"no picture")
    with pytest.raises(UnreadableMedia, match=re.escape("\ufffd.jpg is no picture")):
        sandbox.probe(damaged)


def test_a_wrong_suffix_does_not_hide_a_picture(sandbox: Sandbox, tmp_path: Path) -> None:
    for name in ("really.jpg", "really.mp4", "really.wav", "really"):
        quarters().save(tmp_path / name, "PNG")
        assert (sandbox.probe(tmp_path / name).kind, sandbox.probe(tmp_path / name).format) == (
            Kind.PHOTO,
            "png",
        )


def dng(path: Path, orientation: int) -> None:
    """A RAW photo without an embedded preview: one plane of 16-bit RGGB (DNG 1.4, chapter 4)."""
    width, height = 320, 240
    colours = np.asarray(quarters()).astype(np.uint16) * 200
    plane = np.empty((height, width), np.uint16)
    for row, column, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        plane[row::2, column::2] = colours[row::2, column::2, channel]
    to_srgb = (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570)
    longs = {256: width, 257: height, 278: height, 279: plane.nbytes, 50717: 51_000, 254: 0}
    shorts = {258: 16, 259: 1, 262: 32803, 274: orientation, 277: 1, 50778: 21}
    entries = {tag: (4, 1, struct.pack("<I", value)) for tag, value in longs.items()}
    entries |= {tag: (3, 1, struct.pack("<H", value)) for tag, value in shorts.items()}
    entries[271] = entries[272] = (2, 4, b"dam\0")
    entries[33421] = (3, 2, struct.pack("<2H", 2, 2))
    entries[33422] = (1, 4, bytes((0, 1, 1, 2)))
    entries[50706] = (1, 4, bytes((1, 4, 0, 0)))
    entries[50708] = (2, 4, b"dam\0")
    ratios = b"".join(struct.pack("<2i", int(value * 10_000), 10_000) for value in to_srgb)
    entries[50721] = (10, 9, ratios)
    entries[50728] = (5, 3, struct.pack("<6I", *(1, 1) * 3))
    entries[273] = (4, 1, b"")  # where the plane begins, filled in below
    beside = 8 + 2 + 12 * len(entries) + 4
    plane_at = beside + sum(len(body) for _, _, body in entries.values() if len(body) > 4)
    entries[273] = (4, 1, struct.pack("<I", plane_at))
    table, values = struct.pack("<H", len(entries)), b""
    for tag in sorted(entries):
        kind, count, body = entries[tag]
        place = body if len(body) <= 4 else struct.pack("<I", beside + len(values))
        values += body if len(body) > 4 else b""
        table += struct.pack("<2HI", tag, kind, count) + place.ljust(4, b"\0")
    path.write_bytes(b"II*\0" + struct.pack("<I", 8) + table + bytes(4) + values + plane.tobytes())


@pytest.mark.parametrize(
    ("orientation", "size", "wanted"),
    [(1, (320, 240), QUARTERS), (6, (240, 320), [BLUE, RED, WHITE, GREEN])],
)
def test_raw_photos_without_a_preview_are_developed_upright(
    sandbox: Sandbox,
    tmp_path: Path,
    orientation: int,
    size: tuple[int, int],
    wanted: list[tuple[int, ...]],
) -> None:
    path = tmp_path / "camera.dng"
    dng(path, orientation)
    probe = sandbox.probe(path)
    photo = sandbox.photo(path, previews=tmp_path / "previews")
    assert (probe.kind, probe.format, probe.width_px, probe.height_px) == (Kind.PHOTO, "dng", *size)
    assert probe.orientation == orientation
    assert photo.image.shape == (size[1] // 2, size[0] // 2, 3)
    assert close(seen(photo.image), wanted)
    with path.open("rb") as original:
        sandbox.whole_picture(original, path.name, tmp_path / "whole.jpg")
    with Image.open(tmp_path / "whole.jpg") as whole:
        assert whole.size == size
        assert close(seen(np.asarray(whole)), wanted, by=20)


def test_probing_and_previews_are_not_counted_as_decoding(tmp_path: Path) -> None:
    quarters().save(tmp_path / "photo.jpg")
    with Sandbox(Limits(timeout_s=60, memory_mb=2048, max_pixels=10**8)) as sandbox:
        sandbox.probe(tmp_path / "photo.jpg")
        sandbox.preview(tmp_path / "photo.jpg")
        assert sandbox.counters.photos == 0
        sandbox.photo(tmp_path / "photo.jpg")
        assert sandbox.counters.photos == 1


def test_real_photographs_decode_whole(sandbox: Sandbox, shared: Path) -> None:
    named = json.loads((shared / "media/photos/captions.json").read_text())
    paths = sorted((shared / "media/photos").glob("*.jpg"))[:20]
    assert named
    for path in paths:
        probe = sandbox.probe(path)
        assert sandbox.photo(path).image.shape == (probe.height_px, probe.width_px, 3)
