"""The pictures that stand for a film: a poster, a thumbnail, and tiles for scrubbing.

Child side. Fed with the frames that are decoded anyway, in time order; knows no decoder.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from PIL import Image

from dam.media import renditions
from dam.media.image import fit
from dam.media.previews import POSTER, SPRITE, SPRITE_TIMES, THUMB

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dam.contracts import Pixels

_TILE_PX = 160  # long side
_MAX_TILES = 100
_COLUMNS = 10
_FIRST_STEP_US = 500_000  # between tiles, until there are too many
_POSTER_AT = 0.1  # of the duration: behind logos and fades, before anything is given away
# A frame with less light and contrast than this (0 to 255) says nothing.
_DARK_MEAN, _FLAT_DEVIATION = 24.0, 8.0


class FilmPictures:
    def __init__(self, duration_us: int | None) -> None:
        duration_us = duration_us or 0
        self._poster_from_us = int(duration_us * _POSTER_AT)
        self._poster: Image.Image | None = None
        self._poster_rank = (False, False, 0.0)
        self._step_us = max(_FIRST_STEP_US, duration_us // _MAX_TILES)
        self._tiles: list[tuple[int, Image.Image]] = []

    def take(self, at_us: int, small: Pixels, large: Callable[[], Pixels]) -> None:
        """`large` renders the same frame at preview size; asked for only when it is wanted."""
        self._consider_poster(at_us, small, large)
        if not self._tiles or at_us - self._tiles[-1][0] >= self._step_us:
            self._add_tile(at_us, small)

    def _consider_poster(self, at_us: int, small: Pixels, large: Callable[[], Pixels]) -> None:
        telling, late = self._poster_rank[:2]
        if telling and late:
            return
        mean, deviation = float(small.mean()), float(small.std())
        telling = mean >= _DARK_MEAN and deviation >= _FLAT_DEVIATION
        # Among frames that are all dark or flat the liveliest; among telling ones the first late.
        rank = (telling, at_us >= self._poster_from_us, 0.0 if telling else deviation)
        if self._poster is None or rank > self._poster_rank:
            self._poster_rank = rank
            self._poster = Image.fromarray(large())

    def _add_tile(self, at_us: int, small: Pixels) -> None:
        image = Image.fromarray(small)
        size = fit(image.size, _TILE_PX)
        self._tiles.append((at_us, image.resize(size, Image.Resampling.BILINEAR)))
        if len(self._tiles) > _MAX_TILES:  # longer than the header said, or it said nothing
            self._step_us *= 2
            kept = self._tiles[:1]
            for tile in self._tiles[1:]:
                if tile[0] - kept[-1][0] >= self._step_us:
                    kept.append(tile)
            self._tiles = kept

    def write(self, folder: Path) -> None:
        """Needs at least one frame."""
        if self._poster is None:
            raise ValueError("no frame was taken")
        renditions.write_jpeg(self._poster, folder / POSTER)
        renditions.write_webp(renditions.thumbnail(self._poster), folder / THUMB)
        width, height = self._tiles[0][1].size
        columns = min(_COLUMNS, len(self._tiles))
        rows = -(-len(self._tiles) // columns)
        sheet = Image.new("RGB", (columns * width, rows * height))
        for place, (_, tile) in enumerate(self._tiles):
            sheet.paste(tile, (place % columns * width, place // columns * height))
        renditions.write_webp(sheet, folder / SPRITE)
        times = {
            "tile_width_px": width,
            "tile_height_px": height,
            "columns": columns,
            "times_us": [at_us for at_us, _ in self._tiles],
        }
        (folder / SPRITE_TIMES).write_text(json.dumps(times))
