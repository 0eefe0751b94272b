"""A real server over a real library, and Debian's Chromium to use it as a person does."""

from __future__ import annotations

import json
import shutil
import signal
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.cli import Dam, free_port
from tests.conftest import REPOSITORY, SHARED
from tests.media import BLUE, GREEN, RED, write_clip, write_jpeg
from tests.unit.test_metadata import at, exif

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.e2e.viewing import Studio

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_S = 60
PATIENCE_MS = 20_000  # the first search waits for the model to be loaded
expect.set_options(timeout=PATIENCE_MS)
REAL_PHOTOS = 24
SEEING = "shots,tags,visual"  # the indexers of most tests; those of sound load models of their own
REAL_CLIPS = ("testvideo.mp4", "bottle-detection.mp4")
SCREENSHOTS = REPOSITORY / "build" / "screenshots"


@dataclass(frozen=True)
class Server:
    url: str

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def asset(self, name: str) -> str:
        """The id of the asset whose file has this name."""
        cards = self.get("/api/v1/assets?limit=200")["assets"]
        return next(str(card["id"]) for card in cards if card["name"] == name)


@contextmanager
def serving(dam: Dam) -> Iterator[Server]:
    port = free_port()
    process = dam.start("serve", "--port", str(port))
    server = Server(f"http://127.0.0.1:{port}")
    try:
        _wait(server)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def _wait(server: Server) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            server.get("/health")
            return
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < deadline, "dam serve did not start"
            time.sleep(0.2)


def write_tone(path: Path, seconds: float = 3.0, rate: int = 16_000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    at_s = np.arange(int(seconds * rate)) / rate
    wave = (np.sin(at_s * 440 * 2 * np.pi) * np.sin(at_s * np.pi) ** 2 * 20_000).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave[np.newaxis], format="s16", layout="mono")
        frame.rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_library(folder: Path) -> Path:
    """Every kind and a file that is none. The clip is red for 3 s, then green, then blue."""
    write_jpeg(folder / "red-kite.jpg", RED, seed=1)
    write_jpeg(folder / "green-meadow.jpg", GREEN, seed=2)
    write_jpeg(folder / "blue-lagoon.jpg", BLUE, seed=3)
    write_clip(folder / "traffic-lights.mp4", [RED, GREEN, BLUE], seconds_each=3.0)
    write_tone(folder / "tuning-fork.wav")
    (folder / "broken.jpg").write_bytes(b"not a picture at all")
    return folder


def write_travels(folder: Path) -> Path:
    """Two pictures of Lisbon, one of Paris, one of nowhere; "100 % rain" tries the addresses."""
    lisbon, paris = at((38.7223, "N"), (9.1393, "W")), at((48.8584, "N"), (2.2945, "E"))
    write_jpeg(folder / "Portugal" / "Day 1" / "tram.jpg", RED, seed=1, exif=exif(gps=lisbon))
    write_jpeg(folder / "Portugal" / "tiles.jpg", BLUE, seed=2, exif=exif(gps=lisbon))
    write_jpeg(folder / "France" / "tower.jpg", GREEN, seed=3, exif=exif(gps=paris))
    write_jpeg(folder / "100 % rain" / "window.jpg", BLUE, seed=4)
    return folder


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Generated media, and real ones with a model that has seen them where they are to be had;
    elsewhere the evaluation encoder that comes with dam."""
    folder = write_library(tmp_path_factory.mktemp("media") / "Holiday")
    roots = str(tmp_path_factory.getbasetemp())
    settings = {"threads": "1", "decoders": "1", "folder_roots": roots, "indexers": SEEING}
    if SHARED.is_dir():
        settings["models"] = str(SHARED / "models")
        for photo in sorted((SHARED / "media" / "photos").glob("*.jpg"))[:REAL_PHOTOS]:
            shutil.copy(photo, folder)
        for clip in REAL_CLIPS:
            shutil.copy(SHARED / "media" / "video" / clip, folder)
    else:
        settings["built_in_model"] = "true"
    dam = Dam(tmp_path_factory.mktemp("home"), settings)
    dam.run("library", "add", str(folder))
    dam.run("index")
    with serving(dam) as running:
        yield running


@pytest.fixture(scope="session")
def travels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Folders in folders, with pictures that know where they were taken; no model."""
    folder = write_travels(tmp_path_factory.mktemp("travels") / "Travels")
    dam = Dam(tmp_path_factory.mktemp("home"), {"threads": "1", "decoders": "1"})
    dam.run("library", "add", str(folder))
    dam.run("index")
    with serving(dam) as running:
        yield running


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """What the viewer is tried with. Tests leave names, kinds and dates as they found them."""
    from tests.e2e.viewing import studio

    with studio(tmp_path_factory.mktemp("desk"), tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="session")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """No folder, no model, and nothing that a test would leave there."""
    roots = str(tmp_path_factory.getbasetemp())
    settings = {"threads": "1", "decoders": "1", "folder_roots": roots}
    with serving(Dam(tmp_path_factory.mktemp("newcomer"), settings)) as running:
        yield running


@pytest.fixture
def empty_server(tmp_path: Path) -> Iterator[Server]:
    """What a newcomer has, for a test that adds to it."""
    settings = {"threads": "1", "decoders": "1", "folder_roots": str(tmp_path)}
    with serving(Dam(tmp_path / "empty", settings)) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (make deps installs it on Debian and Ubuntu)")
    if not (REPOSITORY / "web" / "static" / "index.html").is_file():
        pytest.fail("The web app is not built: make ui")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="en-GB", reduced_motion="reduce"
    )
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, expected_messages: set[str]) -> Iterator[Page]:
    """A page on which every script error, refused style and failed request fails the test."""
    said: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on(
        "console",
        lambda message: said.append(message.text) if message.type in ("error", "warning") else None,
    )
    yield opened
    unexpected = [text for text in said if not any(part in text for part in expected_messages)]
    assert not unexpected, unexpected


@pytest.fixture
def expected_messages() -> set[str]:
    """Parts of console messages that a test provokes on purpose. Streams of pages that were left
    are given back at their next heartbeat: until then one more may be refused and polled for."""
    return {"status of 503"}
