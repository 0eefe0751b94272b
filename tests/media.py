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


def write_sound(
    path: Path,
    samples: np.ndarray,
    rate_hz: int = 48_000,
    *,
    codec: str = "pcm_s16le",
    layout: str = "stereo",
    starts: dict[int, float] | None = None,
    colours: list[Colour] | None = None,
) -> Path:
    """Writes `samples` (channels, n), full scale 1; the suffix of `path` chooses the container.

    `starts`: from sample number on everything is so many seconds later than it would be.
    `colours`: with a picture, a second of each.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        film = container.add_stream("libx264", rate=10) if colours else None
        if film is not None:
            film.width, film.height, film.pix_fmt = 320, 240, "yuv420p"
        for number, colour in enumerate(colours or []):
            for step in range(10):
                image = picture(colour, seed=number * 1000 + step)
                container.mux(film.encode(av.VideoFrame.from_image(image)))
        whole = (samples * 32767).astype(np.int16)
        step = stream.codec_context.frame_size or 1024
        late_s = 0.0
        for first in range(0, whole.shape[1], step):
            part = np.ascontiguousarray(whole[:, first : first + step])
            late_s = max([late_s, *(late for at, late in (starts or {}).items() if at <= first)])
            frame = av.AudioFrame.from_ndarray(
                part.T.reshape(1, -1).copy(), format="s16", layout=layout
            )
            frame.sample_rate, frame.pts = rate_hz, first + int(late_s * rate_hz)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if film is not None:
            container.mux(film.encode(None))
    return path
