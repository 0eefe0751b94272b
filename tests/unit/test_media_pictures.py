"""Pieces of the decoders that can be seen without a process: scaling, tiles, peaks, previews."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from dam.media.film_pictures import FilmPictures
from dam.media.image import PREVIEW_PX, fit, reduced
from dam.media.previews import UNFINISHED, preview_folder, unfinished
from dam.media.shared_memory import SharedMedia, create
from dam.media.waveform import Peaks

if TYPE_CHECKING:
    from pathlib import Path

    from dam.contracts import Pixels


@pytest.mark.parametrize(
    ("size", "scaled"),
    [((4000, 3000), (2000, 1500)), ((6000, 4000), (3000, 2000)), ((3200, 1801), (1600, 901))],
)
def test_jpegs_are_shrunk_while_they_are_decoded(
    tmp_path: Path, size: tuple[int, int], scaled: tuple[int, int]
) -> None:
    """A square box of 1600 px would decode a 4:3 picture of 4000 px whole."""
    Image.new("RGB", size, "olive").save(tmp_path / "large.jpg")
    with Image.open(tmp_path / "large.jpg") as image:
        small = reduced(image, PREVIEW_PX)
        assert image.size == scaled
    assert small.size == fit(size, PREVIEW_PX)


@pytest.mark.parametrize(
    ("size", "fitted"),
    [
        ((4000, 3000), (1600, 1200)),
        ((3000, 4000), (1200, 1600)),
        ((1600, 10), (1600, 10)),
        ((20, 10), (20, 10)),
        ((50_000, 3), (1600, 1)),
    ],
)
def test_pictures_fit_and_never_grow(size: tuple[int, int], fitted: tuple[int, int]) -> None:
    assert fit(size, 1600) == fitted


def picture(level: int, *, flat: bool = False) -> Pixels:
    pixels = np.full((90, 160, 3), level, np.uint8)
    if not flat:
        pixels[:, :80] //= 2
    return pixels


def poster_level(frames: list[tuple[int, Pixels]], duration_us: int, folder: Path) -> int:
    pictures = FilmPictures(duration_us)
    for at_us, pixels in frames:
        pictures.take(at_us, pixels, lambda pixels=pixels: pixels)
    folder.mkdir()
    pictures.write(folder)
    with Image.open(folder / "poster.jpg") as poster:
        return int(np.asarray(poster)[:, 90:].mean())


def test_the_poster_is_a_telling_frame_behind_the_first_tenth(tmp_path: Path) -> None:
    telling = [(n * 1_000_000, picture(100 + n)) for n in range(100)]
    assert poster_level(telling, 100_000_000, tmp_path / "a") == pytest.approx(110, abs=2)
    dark = [(n * 1_000_000, picture(2 if n < 50 else 200)) for n in range(100)]
    assert poster_level(dark, 100_000_000, tmp_path / "b") == pytest.approx(200, abs=2)
    early = [(n * 1_000_000, picture(200 if n < 5 else 2)) for n in range(100)]
    assert poster_level(early, 100_000_000, tmp_path / "c") == pytest.approx(200, abs=2)
    black = [(n * 1_000_000, picture(0, flat=True)) for n in range(10)]
    assert poster_level(black, 10_000_000, tmp_path / "d") == 0


@pytest.mark.parametrize("duration_us", [None, 10_000_000, 3_600_000_000])
def test_a_sprite_has_at_most_a_hundred_tiles_over_the_whole_film(
    tmp_path: Path, duration_us: int | None
) -> None:
    pictures = FilmPictures(duration_us)
    for at_s in range(3600):
        pictures.take(at_s * 1_000_000, picture(99), lambda: picture(99))
    pictures.write(tmp_path)
    times = json.loads((tmp_path / "sprite.json").read_text())["times_us"]
    assert 50 <= len(times) <= 100
    assert times[0] == 0
    assert times[-1] > 3_500_000_000
    assert max(np.diff(times)) <= 2 * min(np.diff(times))


@pytest.mark.parametrize("samples", [999, 1000, 16_001, 1_234_567])
def test_peaks_stay_few_and_in_place(samples: int) -> None:
    peaks = Peaks()
    for start in range(0, samples, 4096):
        peaks.add(np.arange(start, min(start + 4096, samples)) * 32767 // samples)
    drawn = peaks.scaled()
    assert len(drawn) == min(samples, 1000)
    assert drawn == pytest.approx(np.arange(1, len(drawn) + 1) * 127 / len(drawn), abs=2)


def test_previews_appear_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = preview_folder(tmp_path, "abcdef")
    assert folder == tmp_path / "ab" / "abcdef"
    with pytest.raises(RuntimeError), unfinished(folder) as draft:
        (draft / "preview.jpg").write_bytes(b"half")
        assert draft.name.startswith(UNFINISHED)
        raise RuntimeError
    assert list(folder.parent.iterdir()) == []
    with unfinished(folder) as draft:
        (draft / "preview.jpg").write_bytes(b"whole")
        assert not folder.exists()
    assert (folder / "preview.jpg").read_bytes() == b"whole"


def test_a_decoder_cannot_make_the_parent_read_past_the_shared_memory() -> None:
    pixels = SharedMedia(create())
    patch = pixels.write(picture(7), offset=96).as_message()
    assert (pixels.read(patch) == picture(7)).all()
    for message in ([-3, 10, 10], [0, 10**6, 10**6], [16 << 20, 1, 1], [0, -1, -1]):
        with pytest.raises(ValueError, match=r"patch|buffer|offset"):
            pixels.read(message)
