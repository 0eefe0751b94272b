"""Builds the sample library: pictures with real metadata, clips with cuts at known seconds."""

from __future__ import annotations

import io
import shutil
from itertools import accumulate
from typing import TYPE_CHECKING

import av
import numpy as np
from PIL import ExifTags, Image

from demo.pictures import CLIPS, PICTURES, Clip, Picture, Shot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

FRAME_RATE = 25
FRAME_PX = (960, 540)


def build_library(folder: Path) -> None:
    """Makes `folder` with pictures, clips and a README; complete or absent, never in between."""
    building = folder.with_name(folder.name + ".new")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    for picture in PICTURES:
        save_picture(picture, building / picture.path)
    for clip in CLIPS:
        save_clip(clip, building)
    (building / "README.md").write_text(_readme(), encoding="utf-8")
    building.rename(folder)


def save_picture(picture: Picture, path: Path) -> None:
    """Writes the picture to `path` with its EXIF; the suffix decides the format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(io.BytesIO(picture.locate().read_bytes())) as image:
        pixels = image.convert("RGB")
    pixels.save(path, exif=_exif(picture), quality=92)


def _exif(picture: Picture) -> Image.Exif:
    """What is known about the picture, in EXIF's terms."""
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = picture.caption
    exif[ExifTags.Base.Artist] = picture.creator
    exif[ExifTags.Base.Copyright] = picture.licence
    if picture.taken and picture.offset:
        details = exif.get_ifd(ExifTags.IFD.Exif)
        details[ExifTags.Base.DateTimeOriginal] = picture.taken
        details[ExifTags.Base.OffsetTimeOriginal] = picture.offset
    if picture.place:
        latitude, longitude = picture.place
        position = exif.get_ifd(ExifTags.IFD.GPSInfo)
        position[ExifTags.GPS.GPSLatitudeRef] = "N" if latitude >= 0 else "S"
        position[ExifTags.GPS.GPSLatitude] = _degrees(latitude)
        position[ExifTags.GPS.GPSLongitudeRef] = "E" if longitude >= 0 else "W"
        position[ExifTags.GPS.GPSLongitude] = _degrees(longitude)
    return exif


def _degrees(angle: float) -> tuple[float, float, float]:
    """EXIF's degrees, minutes and seconds of an angle's absolute value."""
    minutes, seconds = divmod(round(abs(angle) * 3600, 2), 60)
    degrees, minutes = divmod(minutes, 60)
    return degrees, minutes, round(seconds, 2)


def save_clip(clip: Clip, library: Path) -> None:
    """Writes the clip into the library, from pictures that already lie in it."""
    path = library / clip.path
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        container.metadata["title"] = clip.title
        stream = container.add_stream("libx264", rate=FRAME_RATE, options={"preset": "veryfast"})
        stream.width, stream.height = FRAME_PX
        stream.pix_fmt = "yuv420p"
        stream.gop_size = FRAME_RATE  # a keyframe each second, as cameras and phones write them
        for shot in clip.shots:
            for picture in _moving_window(shot, library):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode(None))


def _moving_window(shot: Shot, library: Path) -> Iterator[NDArray[np.uint8]]:
    """The frames of one shot: a window that glides over the picture while it zooms."""
    with Image.open(library / shot.source) as opened:
        picture = opened.convert("RGB")
    aspect = FRAME_PX[0] / FRAME_PX[1]
    widest = min(picture.width, picture.height * aspect)
    frames = shot.seconds * FRAME_RATE
    for number in range(frames):
        done = number / (frames - 1)
        zoom, pan = (start + (end - start) * done for start, end in (shot.zoom, shot.pan))
        width, height = widest / zoom, widest / aspect / zoom
        left, top = (picture.width - width) * pan, (picture.height - height) * pan
        window = (left, top, left + width, top + height)
        yield np.asarray(picture.resize(FRAME_PX, Image.Resampling.BILINEAR, box=window))


def _readme() -> str:
    lines = [
        "# Sample library",
        "",
        "Made by `make demo`; delete it whenever you like. The pictures ship inside scikit-image",
        "and scikit-learn. Colours and pixels are theirs; saved again as JPEG with EXIF.",
        "",
        "| picture | what | by | licence |",
        "|---|---|---|---|",
    ]
    lines += [f"| {p.path} | {p.caption} | {p.creator} | {p.licence} |" for p in PICTURES]
    lines += [
        "",
        "The clips move over these pictures (same licences) and cut at known seconds:",
        "",
    ]
    for clip in CLIPS:
        starts = accumulate((shot.seconds for shot in clip.shots), initial=0)
        shots = ", ".join(
            f"{start} s {shot.source}" for start, shot in zip(starts, clip.shots, strict=False)
        )
        lines.append(f"- {clip.path}: {shots}")
    return "\n".join(lines) + "\n"
