"""Every pixel layout that Pillow knows, brought to 8-bit RGB in sRGB.

Child side. Called in this order by `dam.media.image`: 8 bit at full size (resizing needs it),
then alpha and colour on the reduced picture.
"""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

_DEEP_MODES = frozenset(("I", "F", "I;16", "I;16B", "I;16L", "I;16N"))
_ALPHA_MODES = frozenset(("LA", "La", "PA", "RGBa"))
_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK", "LAB": "LAB"}

SRGB = ImageCms.createProfile("sRGB")
SRGB_BYTES = ImageCms.ImageCmsProfile(SRGB).tobytes()


def eight_bit(image: Image.Image) -> Image.Image:
    """L, RGB, RGBA, CMYK or LAB."""
    if image.mode in _DEEP_MODES:
        return Image.fromarray(_levels(np.asarray(image)))
    if image.mode in _ALPHA_MODES or (image.mode == "P" and image.has_transparency_data):
        return image.convert("RGBA")
    if image.mode in ("L", "RGB") and "transparency" in image.info:  # one colour is see-through
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB", "RGBA", "CMYK", "LAB") else image.convert("RGB")


def _levels(values: np.ndarray) -> np.ndarray:
    """Deep grey to 8 bit by the range its numbers use: 8, 12 or 16 bit, or stretched to fit."""
    if values.dtype.kind == "f":
        values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low >= 0:
        white = next((top for top in (1.0, 255.0, 4095.0, 65535.0) if high <= top), high)
        if values.dtype.kind != "f":
            white = max(white, 255.0)
        low = 0.0
    else:
        white = high
    scale = 255.0 / (white - low) if white > low else 0.0
    return ((values.astype(np.float32) - low) * scale).round().astype(np.uint8)


def over_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image).convert("RGB")


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB in sRGB. A profile that is broken or meant for another layout is passed over."""
    transform = _transform(profile, image.mode) if profile else None
    if transform is not None:
        converted = ImageCms.applyTransform(image, transform)
        if converted is not None:
            return converted
    if image.mode == "LAB":
        lab = ImageCms.buildTransform(ImageCms.createProfile("LAB"), SRGB, "LAB", "RGB")
        return ImageCms.applyTransform(image, lab) or image.convert("RGB")
    return image.convert("RGB")


@lru_cache(maxsize=8)  # a camera writes the same profile into every picture
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        name = source.profile.profile_description or ""
        if space != _SPACES.get(mode) or name.startswith("sRGB"):
            return None
        return ImageCms.buildTransform(source, SRGB, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
