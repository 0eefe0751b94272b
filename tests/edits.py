"""What people and programs do to pictures between one copy and the next, seeded."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageEnhance

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    Edit = Callable[[Image.Image, np.random.Generator], Image.Image]


def resized(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    factor = rng.uniform(0.25, 0.7)
    return image.resize((int(image.width * factor), int(image.height * factor)))


def recompressed(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=int(rng.integers(15, 60)))
    return Image.open(kept).convert("RGB")


def cropped(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """5 % of width and height are gone, somewhere."""
    width, height = image.size
    left, top = rng.uniform(0, 0.05, 2)
    return image.crop(
        (int(left * width), int(top * height), int((left + 0.95) * width),
         int((top + 0.95) * height))
    )  # fmt: skip


def cropped_around(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """5 % are gone at each edge."""
    width, height = image.size
    return image.crop(
        (int(width * 0.05), int(height * 0.05), int(width * 0.95), int(height * 0.95))
    )


def turned(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    quarters = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    return image.transpose(quarters[int(rng.integers(3))])


def straightened(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    degrees = rng.uniform(1, 5) * rng.choice([-1, 1])
    return image.rotate(degrees, resample=Image.Resampling.BICUBIC, expand=bool(rng.integers(2)))


def brightened(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(rng.uniform(0.6, 1.35))


def marked(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    copy = image.copy()
    place = (image.width * rng.uniform(0, 0.3), image.height * rng.uniform(0.1, 0.8))
    ImageDraw.Draw(copy, "RGBA").text(
        place, "SAMPLE PICTURE", fill=(255, 255, 255, 150), font_size=image.width // 12
    )
    return copy


EDITS: dict[str, Edit] = {
    edit.__name__: edit
    for edit in (
        resized,
        recompressed,
        cropped,
        cropped_around,
        turned,
        straightened,
        brightened,
        marked,
    )
}
