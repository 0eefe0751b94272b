"""Photos: from any picture file to upright 8-bit sRGB of at most 1600 px, decoded once.

Child side. JPEG is shrunk while it is decoded (DCT scaling), everything else right after, so the
costly steps (colour, alpha, rotation) work on the small picture.
"""

from __future__ import annotations

import struct
import warnings
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from dam.contracts import Kind
from dam.errors import OverLimit, UnreadableMedia
from dam.media.colour import eight_bit, over_white, to_srgb
from dam.media.formats import SIGNED_FORMATS, UNSIGNED_FORMATS
from dam.media.probe import Probe
from dam.media.scaling import shrunk
from dam.media.source import shown

if TYPE_CHECKING:
    from pathlib import Path

    from dam.contracts import Pixels

PREVIEW_PX = 1600
WHOLE_PX = 65_500  # libjpeg writes no longer side
_HEIF_SUFFIXES = frozenset((".heic", ".heif", ".hif"))

_TURNED_BY_PILLOW = ("TIFF",)  # its size is the upright one as soon as it is opened
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def fit(size: tuple[int, int], long_side_px: int) -> tuple[int, int]:
    """The size at the same aspect with at most this long side; never larger than it was.

    Rounded down, for Pillow's `draft` takes the DCT scale whose result is at least what was asked
    for: one pixel more and a picture of exactly twice the size would be decoded whole.
    """
    scale = min(1.0, long_side_px / max(size))
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def open_picture(file: BinaryIO, path: Path, max_pixels: int) -> Image.Image:
    """Reads the header only. Raises `UnreadableMedia` or `OverLimit`."""
    suffix = path.suffix.lower()
    formats = list(SIGNED_FORMATS)
    if suffix in UNSIGNED_FORMATS:
        formats.append(UNSIGNED_FORMATS[suffix])
    head = file.read(32)
    file.seek(0)
    if head[4:8] == b"ftyp" or suffix in _HEIF_SUFFIXES:
        _register_heif()
        formats.insert(0, "HEIF")
    # Our own check below names the numbers; what a decoder finds inside later is refused by this.
    Image.MAX_IMAGE_PIXELS = None
    try:
        image = Image.open(file, formats=formats)
    except UnidentifiedImageError as error:
        raise UnreadableMedia(
            f"{shown(path)} is no picture in a known format; it begins with {head[:16]!r}"
        ) from error
    check_pixels(path, image.size, max_pixels)
    Image.MAX_IMAGE_PIXELS = max_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    return image


def check_pixels(path: Path, size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise OverLimit(
            f"{shown(path)} has {width:,} × {height:,} = {width * height:,} pixels; "
            f"the limit is {max_pixels:,} (DAM_MAX_PIXELS)"
        )


def _register_heif() -> None:
    """On demand: loading libheif doubles the start time of a decoder process."""
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False, decode_threads=1)


def probe_picture(file: BinaryIO, path: Path, max_pixels: int) -> Probe:
    with open_picture(file, path, max_pixels) as image:
        orientation = orientation_of(image)
        swapped = orientation >= 5 and image.format not in _TURNED_BY_PILLOW
        width_px, height_px = image.size[:: -1 if swapped else 1]
        animated = bool(getattr(image, "is_animated", False)) and image.format != "MPO"
        # Every browser turns a JPEG; what it does with other formats depends on the browser.
        turned = orientation != 1 and image.format not in ("JPEG", "MPO")
        return Probe(
            kind=Kind.PHOTO,
            format=_format_name(image),
            width_px=width_px,
            height_px=height_px,
            orientation=orientation,
            details={"mode": image.mode}
            | ({"animated": True} if animated else {})
            | ({"turned": True} if turned else {}),
        )


def _format_name(image: Image.Image) -> str:
    name = (image.format or "").lower()
    return {"mpo": "jpeg", "heif": "heif"}.get(name, name)  # MPO: a JPEG with more behind it


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation, 1 where it is absent or damaged. Decodes nothing."""
    try:
        if image.format == "TIFF":
            value = image.getexif().get(ExifTags.Base.Orientation, 1)
        else:  # `getexif` of a PNG would decode it to look for a chunk behind the pixels
            exif = Image.Exif()
            exif.load(image.info.get("exif") or b"")
            value = exif.get(ExifTags.Base.Orientation, 1)
    except (ValueError, SyntaxError, TypeError, OSError, struct.error):
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def decode_picture(
    file: BinaryIO, path: Path, max_pixels: int, long_side_px: int = PREVIEW_PX
) -> Image.Image:
    """RGB, upright, sRGB, no larger than that; of an animation the first frame."""
    with open_picture(file, path, max_pixels) as image:
        return reduced(image, long_side_px)


def reduced(image: Image.Image, long_side_px: int, orientation: int | None = None) -> Image.Image:
    """Loads an opened picture and makes it small, then 8-bit sRGB, then upright."""
    if orientation is None:
        orientation = 1 if image.format in _TURNED_BY_PILLOW else orientation_of(image)
    size = fit(image.size, long_side_px)
    image.draft(None, size)  # the true aspect: a square box would not scale at all
    image.load()
    profile = image.info.get("icc_profile")
    small = eight_bit(image)
    if small.size != size:
        small = shrunk(small, size)
    small = to_srgb(over_white(small), profile)
    if orientation in _UPRIGHT:
        small = small.transpose(_UPRIGHT[orientation])
    small.info.clear()  # else the encoders below would carry comments and profiles over
    return small


def pixels_of(image: Image.Image) -> Pixels:
    return np.asarray(image, dtype=np.uint8)
