"""What the tests of the viewer share: a library of its own, and how to ask a page what it shows."""

from __future__ import annotations

import re
import shutil
import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import IFDRational
from playwright.sync_api import expect

from tests.cli import Dam
from tests.conftest import SHARED
from tests.e2e.conftest import REAL_CLIPS, SEEING, Server, serving, write_library, write_tone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import FloatRect, Locator, Page

LARGE = (4000, 3000)
LOAD_S = 60
EXIF_IFD, GPS_IFD = 0x8769, 0x8825
STILL = """() => { const v = document.querySelector('video, audio');
                   return v.readyState >= 2 && !v.seeking; }"""
CURRENT_TIME = "() => document.querySelector('video, audio').currentTime"
RATE = "() => { const v = document.querySelector('video'); return v.paused ? 0 : v.playbackRate; }"


@dataclass(frozen=True)
class Studio(Server):
    """A running server and the home it keeps its data in."""

    home: Path

    def detail(self, name: str) -> Any:
        return self.get(f"/api/v1/assets/{self.asset(name)}")

    def fail_run(self, name: str, indexer: str, error: str) -> None:
        """Leaves a run as a decoder that gave up would."""
        with closing(sqlite3.connect(self.home / "dam.sqlite3", timeout=30)) as database, database:
            done = database.execute(
                "UPDATE runs SET state = 'failed', error = ? WHERE asset_id = ? AND producer_id IN"
                " (SELECT id FROM producers WHERE indexer = ? AND active)",
                (error, self.asset(name), indexer),
            )
        assert done.rowcount == 1

    def open(self, page: Page, name: str, query: str = "", at: str = "") -> Locator:
        page.goto(f"{self.url}/?{query}&asset={self.asset(name)}{at}")
        # Named by kind and title once the asset is there; before, it is just a viewer.
        expect(page.get_by_role("dialog", name=re.compile("^(photo|video|audio) "))).to_be_visible()
        return page.get_by_role("dialog")

    def found(self, query: str, part: str) -> Any:
        """The hit whose path has this part, once the model that finds it is loaded."""
        deadline = time.monotonic() + LOAD_S
        while True:
            hits = self.get(f"/api/v1/search?{query}")["results"]
            if hit := next((hit for hit in hits if part in hit["path"]), None):
                return hit
            assert time.monotonic() < deadline, f"{part} is not among {len(hits)} hits"
            time.sleep(1)


@contextmanager
def studio(folder: Path, home: Path) -> Iterator[Studio]:
    """Every kind, a photo larger than any screen, and real clips where they are to be had."""
    media = write_library(folder / "Studio")
    write_large(media / "large.jpg")
    write_tone(media / "long-tone.wav", seconds=12)
    settings = {"threads": "1", "decoders": "1", "indexers": SEEING}
    if SHARED.is_dir():
        settings["models"] = str(SHARED / "models")
        for clip in REAL_CLIPS:
            shutil.copy(SHARED / "media" / "video" / clip, media)
    dam = Dam(home, settings)
    dam.run("library", "add", str(media))
    dam.run("index")
    with serving(dam) as running:
        yield Studio(running.url, home)


def write_large(path: Path) -> None:
    """Columns tell x, rows tell y; with an exposure and a place in Rome."""
    y, x = np.mgrid[0 : LARGE[1], 0 : LARGE[0]]
    pixels = np.stack([x * 255 // LARGE[0], y * 255 // LARGE[1], (x // 100 + y // 100) % 2 * 200])
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "NIKON CORPORATION", "NIKON D850"
    shot = exif.get_ifd(EXIF_IFD)
    shot[0x9003] = "2024:05:03 18:22:10"
    shot[0x829A], shot[0x829D] = IFDRational(1, 250), IFDRational(28, 10)
    shot[0x8827], shot[0x920A] = 100, IFDRational(85)
    gps = exif.get_ifd(GPS_IFD)
    gps[1], gps[2], gps[3], gps[4] = "N", (41.0, 53.0, 24.0), "E", (12.0, 29.0, 32.0)
    Image.fromarray(np.moveaxis(pixels, 0, -1).astype(np.uint8)).save(path, quality=92, exif=exif)


def seconds(page: Page) -> float:
    """Where the clip or sound stands, once it stands there."""
    page.locator("dialog video, dialog audio").wait_for(state="attached")
    page.wait_for_function(STILL)
    return float(page.evaluate(CURRENT_TIME))


def box(place: Locator) -> FloatRect:
    found = place.bounding_box()
    assert found
    return found


def frames(code: str, rate: int) -> int:
    """The frame that a time code names, counted as it counts."""
    hours, minutes, whole, frame = (int(part) for part in code.split(":"))
    return ((hours * 60 + minutes) * 60 + whole) * rate + frame


def position(viewer: Locator) -> str:
    """The time code that is shown."""
    text = viewer.locator(".position").text_content()
    assert text
    return text.strip()
