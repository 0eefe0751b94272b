"""What the page weighs, what it is made of, and how it looks."""

from __future__ import annotations

import gzip
import re
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import REPOSITORY, SHARED
from tests.e2e.conftest import SCREENSHOTS

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.e2e.conftest import Server

UI = REPOSITORY / "web" / "ui"
STATIC = REPOSITORY / "web" / "static"
FIRST_LOAD_BYTES = 150_000
SMALLEST_PX = 43.5  # 44, less what rounding takes
TOO_SMALL = f"""() => [...document.querySelectorAll('button, a, input')]
  .map((e) => ({{ name: e.getAttribute('aria-label') || e.textContent.trim() || e.id,
                 box: e.getBoundingClientRect() }}))
  .filter(({{ box }}) => box.width && Math.min(box.width, box.height) < {SMALLEST_PX})
  .map(({{ name, box }}) => `${{name}}: ${{box.width}} x ${{box.height}}`)"""
LOOKS = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "light",
        "has_touch": True,
        "is_mobile": True,
        "device_scale_factor": 2,
    },
}


def test_first_load_is_small() -> None:
    scripts = list((STATIC / "assets").glob("*.js"))
    assert scripts
    assert sum(len(gzip.compress(path.read_bytes())) for path in scripts) <= FIRST_LOAD_BYTES


def test_page_has_nothing_inline_and_asks_nobody_else() -> None:
    page = (STATIC / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page)
    for path in (STATIC / "assets").glob("*.[cj]s*"):
        outside = re.findall(r"https?://[^\"'`\s)]+", path.read_text())
        names = {"http://www.w3.org", "https://svelte.dev", "https://github.com"}  # never fetched
        assert not [url for url in outside if not any(url.startswith(name) for name in names)]


def test_types_are_those_of_the_api(server: Server, tmp_path: Path) -> None:
    made = tmp_path / "schema.d.ts"
    url = f"{server.url}/api/v1/openapi.json"
    command = ["npm", "run", "--silent", "types", "--", url, "-o", str(made)]
    subprocess.run(command, cwd=UI, check=True, capture_output=True, timeout=120)
    mend = "with dam serve running: npm run types -- URL/api/v1/openapi.json -o src/api/schema.d.ts"
    assert made.read_text() == (UI / "src" / "api" / "schema.d.ts").read_text(), mend


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_in_every_look(look: str, browser: Browser, server: Server) -> None:
    """Writes the screenshots; everything that can be pressed is large enough for a thumb."""
    context = browser.new_context(**LOOKS[look], locale="en-GB", reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    try:
        for name, address, seen in _views(server):
            page.goto(server.url + address)
            expect(page.locator(seen).first).to_be_visible()
            page.wait_for_load_state("load")
            page.wait_for_timeout(700)  # pictures decode, bars fill: for the eye only
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=SCREENSHOTS / f"{name}-{look}.png")
            wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{name} scrolls sideways by {wide} px"
            assert page.evaluate(TOO_SMALL) == [], name
        _open_panel(page, server, look)
    finally:
        context.close()


def _views(server: Server) -> list[tuple[str, str, str]]:
    """Name, address, and what is there once the page is ready."""
    real = SHARED.is_dir()
    photos = "elephants" if real else "lagoon"
    clips = "bottles of water" if real else "traffic lights"
    clip = server.asset("bottle-detection.mp4" if real else "traffic-lights.mp4")
    still = server.get(f"/api/v1/search?q={photos}&kind=photo")["results"][0]["asset_id"]
    return [
        ("library", "/", "[data-asset] img"),
        ("search", f"/?q={photos}", "[data-asset] img"),
        ("videos", f"/?q={quote(clips)}&kind=video", "[data-asset] img"),
        ("video", f"/?q={quote(clips)}&asset={clip}&at=4", "dialog video"),
        ("sound", f"/?asset={server.asset('tuning-fork.wav')}", "dialog canvas"),
        ("photo", f"/?q={photos}&kind=photo&asset={still}", "dialog img"),
        ("nothing", '/?q="xyzzyplugh"', "h1"),
    ]


def _open_panel(page: Page, server: Server, look: str) -> None:
    page.goto(server.url)
    page.get_by_role("button", name="Library").click()
    expect(page.get_by_role("progressbar").first).to_be_visible()
    page.wait_for_timeout(400)
    page.screenshot(path=SCREENSHOTS / f"work-{look}.png")
