"""Pictures with writing, made on the spot with fonts that come with Pillow and OpenCV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LIGHT, DARK = (245, 240, 225), (35, 45, 60)
HERSHEY = {
    "simplex": cv2.FONT_HERSHEY_SIMPLEX,
    "complex": cv2.FONT_HERSHEY_COMPLEX,
    "duplex": cv2.FONT_HERSHEY_DUPLEX,
}


@dataclass(frozen=True)
class Sign:
    text: str  # lines parted by "\n"
    height_px: int = 40  # of a letter with its ascender, about
    font: str = "pillow"  # or one of `HERSHEY`
    angle: float = 0.0  # degrees, against the clock
    light_on_dark: bool = False
    at: tuple[float, float] = (0.5, 0.5)  # its middle, in parts of the picture

    def board(self) -> Image.Image:
        """The sign by itself, upright."""
        ink, ground = (LIGHT, DARK) if self.light_on_dark else (DARK, LIGHT)
        lines = [_line(line, self, ink, ground) for line in self.text.split("\n")]
        pad = self.height_px // 2
        width = max(line.width for line in lines) + 2 * pad
        board = Image.new("RGB", (width, sum(line.height for line in lines) + 2 * pad), ground)
        down = pad
        for line in lines:
            board.paste(line, (pad, down))
            down += line.height
        return board


def _line(text: str, sign: Sign, ink: tuple[int, ...], ground: tuple[int, ...]) -> Image.Image:
    if sign.font == "pillow":
        font = ImageFont.load_default(size=round(sign.height_px * 1.3))
        left, top, right, bottom = font.getbbox(text)
        line = Image.new("RGB", (round(right - left) + 4, round(bottom - top) + 12), ground)
        ImageDraw.Draw(line).text((2 - left, 6 - top), text, font=font, fill=ink)
        return line
    face, thickness = HERSHEY[sign.font], max(1, sign.height_px // 12)
    scale = cv2.getFontScaleFromHeight(face, sign.height_px, thickness)
    (width, height), baseline = cv2.getTextSize(text, face, scale, thickness)
    canvas = np.full((height + baseline + 12, width + 4, 3), ground, np.uint8)
    cv2.putText(canvas, text, (2, height + 6), face, scale, ink, thickness, cv2.LINE_AA)
    return Image.fromarray(canvas)


def scene(width_px: int = 960, height_px: int = 640, seed: int = 0) -> Image.Image:
    """Soft and rough parts as photographs have them: slow changes are strong, fine ones weak."""
    random = np.random.default_rng(seed)
    waves = np.hypot(np.fft.fftfreq(height_px)[:, None], np.fft.fftfreq(width_px)) + 1 / width_px
    noise = np.fft.ifft2(np.fft.fft2(random.normal(size=(3, height_px, width_px))) / waves).real
    pixels = 128 + 45 * noise / noise.std(axis=(1, 2), keepdims=True)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8).transpose(1, 2, 0).copy())


def photo(*signs: Sign, width_px: int = 960, height_px: int = 640, seed: int = 0) -> Image.Image:
    picture = scene(width_px, height_px, seed)
    for sign in signs:
        board = (
            sign.board()
            .convert("RGBA")
            .rotate(sign.angle, expand=True, resample=Image.Resampling.BICUBIC)
        )
        left = round(sign.at[0] * width_px - board.width / 2)
        top = round(sign.at[1] * height_px - board.height / 2)
        picture.paste(board, (left, top), board)
    return picture


def write_film(
    path: Path, shown: Mapping[tuple[int, int], Sign], *, seconds: int, rate: int = 5
) -> Path:
    """640 × 360; a sign is seen from one second to another, and nothing else changes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ground = scene(640, 360)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for second in range(seconds):
            signs = [sign for (first, end), sign in shown.items() if first <= second < end]
            picture = photo(*signs, width_px=640, height_px=360) if signs else ground
            for _ in range(rate):
                container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode(None))
    return path
