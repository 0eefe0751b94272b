"""What a model finds in the sample library of `make demo`, by its vectors alone."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from demo.pictures import PICTURES, SHOWN
from tools.mini.figure import Figure

if TYPE_CHECKING:
    from indexers.clip import Clip


def sample_figures(clip: Clip) -> list[Figure]:
    """The rank of each asked picture among all photos. Raises `ModuleNotFoundError` without the
    packages of the `demo` extra."""
    pixels = []
    for picture in PICTURES:
        with Image.open(io.BytesIO(picture.locate().read_bytes())) as opened:
            pixels.append(np.asarray(opened.convert("RGB")))
    vectors = clip.encode_images([clip.prepare(each) for each in pixels])
    paths = [picture.path for picture in PICTURES]
    found = []
    for text, path in SHOWN.items():
        scores = vectors @ clip.encode_texts([text])[0]
        rank = 1 + int((scores > scores[paths.index(path)]).sum())
        chance = (len(paths) + 1) / 2
        found.append(Figure(f"sample library, rank for “{text}”", rank, chance, len(paths)))
    return found
