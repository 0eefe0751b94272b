"""Writes the pictures that people see instead of the original.

Child side. Every function writes into an unfinished folder (`dam.media.previews.unfinished`).
None of them carries metadata over from the original; the JPEGs say that they are sRGB.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import thumbhash
from PIL import Image

from dam.media.colour import SRGB_BYTES
from dam.media.image import fit
from dam.media.previews import PREVIEW, THUMB

if TYPE_CHECKING:
    from pathlib import Path

THUMB_PX = 250
JPEG_QUALITY = 85
WHOLE_QUALITY = 92
WEBP_QUALITY = 80
_WEBP_EFFORT = 2  # of 6: 4 doubles the time for 3 % fewer bytes
# A thumbhash keeps 7 × 7 waves at most: 24 px hold them all, and the library's loops in Python
# take 25 ms at its largest size of 100 px, 1.6 ms at this one.
_HASH_PX = 24


def write_photo(image: Image.Image, thumb: Image.Image, folder: Path) -> None:
    write_jpeg(image, folder / PREVIEW)
    write_webp(thumb, folder / THUMB)


def thumbnail(image: Image.Image) -> Image.Image:
    return image.resize(fit(image.size, THUMB_PX), Image.Resampling.BICUBIC, reducing_gap=1.5)


def write_jpeg(image: Image.Image, path: Path) -> None:
    _save(image, path, "JPEG", quality=JPEG_QUALITY, icc_profile=SRGB_BYTES)


def write_whole(image: Image.Image, path: Path) -> None:
    """For looking at single pixels: colour at full resolution too."""
    _save(image, path, "JPEG", quality=WHOLE_QUALITY, subsampling=0, icc_profile=SRGB_BYTES)


def write_webp(image: Image.Image, path: Path) -> None:
    _save(image, path, "WEBP", quality=WEBP_QUALITY, method=_WEBP_EFFORT)


def _save(image: Image.Image, path: Path, format_: str, **options: Any) -> None:
    """By way of memory: Pillow would call a full disk an "encoder error"."""
    encoded = io.BytesIO()
    image.save(encoded, format_, **options)
    path.write_bytes(encoded.getbuffer())


def thumbhash_of(image: Image.Image) -> bytes:
    """About 25 bytes that blur into a placeholder (https://evanw.github.io/thumbhash/)."""
    tiny = image.resize(fit(image.size, _HASH_PX), Image.Resampling.BOX)
    rgba = tiny.convert("RGBA")
    return bytes(thumbhash.rgba_to_thumb_hash(rgba.width, rgba.height, list(rgba.tobytes())))
