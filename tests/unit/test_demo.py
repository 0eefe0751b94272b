"""The sample library of `make demo`: its table is true, and what it makes is what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import pytest
from PIL import ExifTags, Image

from demo.library import save_clip, save_picture
from demo.pictures import CLIPS, PICTURES, Clip, Shot

if TYPE_CHECKING:
    from pathlib import Path

ROCKET = next(picture for picture in PICTURES if picture.taken)


def test_every_picture_ships_with_its_package_and_names_its_licence() -> None:
    for picture in PICTURES:
        assert picture.locate().is_file(), picture.path
        assert picture.licence and picture.creator and picture.caption


def test_clips_show_pictures_of_the_library() -> None:
    shown = {shot.source for clip in CLIPS for shot in clip.shots}
    assert shown <= {picture.path for picture in PICTURES}


def test_picture_carries_the_facts_that_are_known(tmp_path: Path) -> None:
    save_picture(ROCKET, tmp_path / "rocket.jpg")
    with Image.open(tmp_path / "rocket.jpg") as image:
        exif = image.getexif()
    details, position = exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)
    assert exif[ExifTags.Base.ImageDescription] == ROCKET.caption
    assert details[ExifTags.Base.DateTimeOriginal] == ROCKET.taken
    assert position[ExifTags.GPS.GPSLongitudeRef] == "W"
    degrees, minutes, seconds = map(float, position[ExifTags.GPS.GPSLongitude])
    assert ROCKET.place
    assert degrees + minutes / 60 + seconds / 3600 == pytest.approx(-ROCKET.place[1], abs=1e-4)


def test_clip_cuts_at_the_seconds_of_its_shots(tmp_path: Path) -> None:
    for name, colour in (("dark.png", (20, 20, 20)), ("light.png", (230, 230, 230))):
        Image.new("RGB", (320, 180), colour).save(tmp_path / name)
    still = ((1.0, 1.1), (0.0, 1.0))
    clip = Clip(
        "clip.mp4", "Two shots", (Shot("dark.png", 1, *still), Shot("light.png", 2, *still))
    )
    save_clip(clip, tmp_path)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert container.metadata["title"] == "Two shots"
        light = [
            frame.to_ndarray(format="gray").mean() > 128 for frame in container.decode(video=0)
        ]
    assert light == [False] * 25 + [True] * 50
