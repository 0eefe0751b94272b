"""Camera RAW: the preview the camera embedded, or a half-size development where there is none.

Child side. LibRaw reads from memory, never from a name.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

import rawpy
from PIL import Image

from dam.contracts import Kind
from dam.errors import UnreadableMedia
from dam.media.image import PREVIEW_PX, check_pixels, orientation_of, reduced
from dam.media.probe import Probe
from dam.media.source import shown

if TYPE_CHECKING:
    from pathlib import Path

# Below this an embedded picture is a thumbnail for the camera's screen, not something to look at.
_ENOUGH_PX = 1000
_WHOLE = 0.9  # cameras cut a little off the sensor's sides: such a picture is all of it
_EXIF_OF_FLIP = {3: 3, 5: 8, 6: 6}  # LibRaw's flip → EXIF orientation


def _open(file: BinaryIO, path: Path, max_pixels: int) -> rawpy.RawPy:
    try:
        raw = rawpy.imread(file)
    except rawpy.LibRawError as error:
        raise UnreadableMedia(
            f"{shown(path)} is no RAW photo that can be read: {_why(error)}"
        ) from error
    check_pixels(path, (raw.sizes.raw_width, raw.sizes.raw_height), max_pixels)
    return raw


def probe_raw(file: BinaryIO, path: Path, max_pixels: int) -> Probe:
    with _open(file, path, max_pixels) as raw:
        orientation = _EXIF_OF_FLIP.get(raw.sizes.flip, 1)
        size = (raw.sizes.width, raw.sizes.height)
        width_px, height_px = size if orientation < 5 else size[::-1]
        return Probe(
            kind=Kind.PHOTO,
            format=path.suffix.lower().lstrip("."),
            width_px=width_px,
            height_px=height_px,
            orientation=orientation,
            details={"raw": True},
        )


def decode_raw(
    file: BinaryIO, path: Path, max_pixels: int, long_side_px: int = PREVIEW_PX
) -> Image.Image:
    """RGB, upright, no larger than that; above 1600 px as large as the sensor."""
    whole = long_side_px > PREVIEW_PX
    with _open(file, path, max_pixels) as raw:
        sensor_px = max(raw.sizes.width, raw.sizes.height)
        enough_px = min(long_side_px, int(_WHOLE * sensor_px)) if whole else _ENOUGH_PX
        embedded = _embedded(raw, max_pixels, enough_px, long_side_px)
        if embedded is not None:
            return embedded
        try:
            developed = raw.postprocess(half_size=not whole, use_camera_wb=True, output_bps=8)
        except rawpy.LibRawError as error:
            raise UnreadableMedia(f"{shown(path)} cannot be developed: {_why(error)}") from error
        return reduced(Image.fromarray(developed), long_side_px)  # LibRaw turned it already


def _embedded(
    raw: rawpy.RawPy, max_pixels: int, enough_px: int, long_side_px: int
) -> Image.Image | None:
    try:
        thumb = raw.extract_thumb()
    except rawpy.LibRawError:
        return None
    try:
        if isinstance(thumb.data, bytes):
            image: Image.Image = Image.open(io.BytesIO(thumb.data), formats=["JPEG"])
        else:
            image = Image.fromarray(thumb.data)
    except OSError:
        return None
    if max(image.size) < enough_px or image.width * image.height > max_pixels:
        return None
    try:
        return reduced(image, long_side_px, _orientation(raw, image))
    except OSError:  # the preview is damaged; the sensor's data may be whole
        return None


def _orientation(raw: rawpy.RawPy, image: Image.Image) -> int:
    """Of the embedded picture: its own flag, else the sensor's, unless it was turned already."""
    own = orientation_of(image)
    if own != 1:
        return own
    turned = (image.width > image.height) != (raw.sizes.width > raw.sizes.height)
    return 1 if turned else _EXIF_OF_FLIP.get(raw.sizes.flip, 1)


def _why(error: Exception) -> str:
    reason = error.args[0] if error.args else error
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
