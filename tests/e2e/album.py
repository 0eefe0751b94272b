"""A library as people have them: trips with dates and places, a disk that is away, a failure."""

from __future__ import annotations

import json
import shutil
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from PIL import Image

from tests.cli import Dam
from tests.conftest import SHARED
from tests.e2e.conftest import REAL_CLIPS, serving, write_library
from tests.e2e.viewing import EXIF_IFD, GPS_IFD, Studio
from tests.media import GREY, picture, write_jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


HOLIDAY = "holiday"  # a tag that somebody gave


@dataclass(frozen=True)
class Trip:
    folder: str
    first_day: datetime
    position: tuple[float, float] | None  # degrees north and east
    photos: tuple[int, ...]  # which of the real ones, in the order of their names


TRIPS = (
    Trip(
        "2024/Bergen",
        datetime(2024, 7, 6, 9, 30),
        (60.3913, 5.3221),
        (13, 2, 1, 30, 71, 31, 10, 18, 4, 21, 34, 8),
    ),
    Trip(
        "2024/Kyoto",
        datetime(2024, 4, 2, 8, 15),
        (35.0116, 135.7681),
        (14, 24, 17, 36, 15, 28, 33, 45, 26, 22, 20, 23),
    ),
    Trip(
        "2023/Lisbon",
        datetime(2023, 9, 17, 10, 0),
        (38.7223, -9.1393),
        (42, 44, 46, 68, 27, 19, 12, 49, 55, 40, 25, 35),
    ),
    Trip(
        "2023/At home",
        datetime(2023, 2, 11, 14, 45),
        None,
        (0, 5, 9, 16, 29, 32, 39, 48, 53, 54, 69, 3),
    ),
)


@contextmanager
def album(folder: Path, home: Path) -> Iterator[Studio]:
    """A server over it, with one picture in the trash and one run that failed."""
    pictures, disk = folder / "Pictures", folder / "Old disk"
    write_library(pictures / "Odds and ends")
    write_trips(pictures)
    write_smaller(pictures / "2024" / "Bergen" / "IMG_4203.jpg", pictures / "2023" / "sent.jpg")
    write_jpeg(disk / "1998.jpg", GREY, seed=98)
    settings = {"threads": "1", "decoders": "1", "folder_roots": str(folder)}
    if SHARED.is_dir():
        settings["models"] = str(SHARED / "models")
        for clip in REAL_CLIPS:
            shutil.copy(SHARED / "media" / "video" / clip, pictures / "2023" / "Lisbon")
    dam = Dam(home, settings)
    for root in (pictures, disk):
        dam.run("library", "add", str(root))
    dam.run("index")
    disk.rename(folder / "unplugged")
    with serving(dam) as running:
        studio = Studio(running.url, home)
        change(studio, "green-meadow.jpg", {"trashed": True})
        change(studio, "IMG_4211.jpg", {"tags": [{"word": HOLIDAY, "verdict": "approved"}]})
        studio.fail_run("blue-lagoon.jpg", "previews", "The decoder took longer than 120 s.")
        yield studio


def write_trips(folder: Path) -> None:
    """Real photos where they are to be had, each a few hours after the one before."""
    found: Sequence[Path] = ()
    if SHARED.is_dir():
        found = sorted((SHARED / "media" / "photos").glob("*.jpg"))
    name = count(4200)
    for trip in TRIPS:
        (folder / trip.folder).mkdir(parents=True)
        for step, photo in enumerate(trip.photos):
            shown = Image.open(found[photo]) if photo < len(found) else picture(GREY, seed=photo)
            exif = _exif(trip.first_day + timedelta(hours=5 * step), trip.position)
            place = folder / trip.folder / f"IMG_{next(name)}.jpg"
            shown.convert("RGB").save(place, quality=92, exif=exif)


def write_smaller(photo: Path, copy: Path) -> None:
    """As somebody sends it: a duplicate."""
    with Image.open(photo) as shown:
        shown.resize((shown.width // 2, shown.height // 2)).save(copy, quality=80)


def change(server: Studio, name: str, body: dict[str, object]) -> None:
    request = urllib.request.Request(
        f"{server.url}/api/v1/assets/{server.asset(name)}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
        method="PATCH",
    )
    urllib.request.urlopen(request, timeout=30).close()


def _exif(taken: datetime, position: tuple[float, float] | None) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "FUJIFILM", "X-T5"
    exif.get_ifd(EXIF_IFD)[0x9003] = taken.strftime("%Y:%m:%d %H:%M:%S")
    if position is not None:
        north, east = position
        gps = exif.get_ifd(GPS_IFD)
        gps[1], gps[2] = "N" if north > 0 else "S", _degrees(north)
        gps[3], gps[4] = "E" if east > 0 else "W", _degrees(east)
    return exif


def _degrees(angle: float) -> tuple[float, float, float]:
    whole, rest = divmod(abs(angle) * 3600, 3600)
    minutes, seconds = divmod(rest, 60)
    return whole, minutes, round(seconds, 2)
