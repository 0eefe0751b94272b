"""Media made on the spot: pictures by Pillow, clips by PyAV."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
from av.video.frame import PictureType
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

RED, GREEN, BLUE, GREY = (200, 30, 30), (30, 180, 40), (30, 40, 200), (120, 120, 120)
Colour = tuple[int, int, int]


def picture(
    colour: Colour, width_px: int = 320, height_px: int = 240, seed: int = 0
) -> Image.Image:
    """One colour with a little noise of its own, so that no two seeds have the same bytes."""
    noise = np.random.default_rng(seed).integers(-12, 12, (height_px, width_px, 3))
    pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels)


def write_jpeg(path: Path, colour: Colour, seed: int = 0, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(colour, seed=seed).save(path, "JPEG", **options)
    return path


def write_clip(
    path: Path,
    colours: list[Colour],
    seconds_each: float = 2.0,
    rate: int = 10,
    **options: str,
) -> Path:
    """H.264 with a cut from each colour to the next; a keyframe at every cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number, colour in enumerate(colours):
            for step in range(int(seconds_each * rate)):
                image = picture(colour, seed=number * 1000 + step)
                frame = av.VideoFrame.from_image(image)
                frame.pict_type = PictureType.I if step == 0 else PictureType.NONE
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
