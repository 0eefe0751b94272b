"""Names, titles, tags and reasons that are markup or script: shown as text, run nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.cli import Dam
from tests.e2e.asking import ask
from tests.e2e.conftest import serving
from tests.media import BLUE, GREEN, RED, write_jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.e2e.conftest import Server

# Every one of them sets window.ran when it runs. File names hold no slash, paths of pages no dot.
IMAGE = "<img src=x onerror=ran=1>"
BREAKOUT = "\"'><svg onload=ran=1>"
SCRIPT = "</title></style><script>ran=1</script>"
TEMPLATE = "{ran=1}${ran=1}{{ran=1}}"
ADDRESS = "javascript:ran=1"
MAKE = 0x010F  # the camera's maker, of EXIF

# Elements that only hostile text can have brought in.
PLANTED = """() => [...document.querySelectorAll(
  'img[src="x"], [onerror], [onload], [onclick], script:not([src]), iframe, object, embed, base,' +
  '[href^="javascript:" i], [src^="javascript:" i], [srcdoc]'
)].map((element) => element.outerHTML)"""


@dataclass(frozen=True)
class Hostile:
    server: Server
    library_id: str
    asset_id: str
    trashed_id: str


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    root = tmp_path_factory.mktemp("media") / f"Photos {IMAGE}"
    camera = Image.Exif()
    camera[MAKE] = BREAKOUT
    write_jpeg(root / IMAGE / f"{BREAKOUT}.jpg", RED, exif=camera)
    write_jpeg(root / f"{TEMPLATE}.jpg", GREEN)
    write_jpeg(root / f"{IMAGE}.jpg", BLUE)
    (root / f"broken {IMAGE}.jpg").write_bytes(b"not a picture")
    dam = Dam(tmp_path_factory.mktemp("home"), {"threads": "1", "decoders": "1"})
    dam.run("library", "add", str(root))
    dam.run("index")
    with serving(dam) as server:
        asset_id = server.asset(f"{BREAKOUT}.jpg")
        tags = [{"word": word, "verdict": "approved"} for word in (IMAGE, ADDRESS)]
        texts = {"title": SCRIPT, "caption": f"{SCRIPT} {BREAKOUT}"}
        ask(server, "PATCH", f"/api/v1/assets/{asset_id}", {**texts, "tags": tags})
        trashed_id = server.asset(f"{IMAGE}.jpg")
        ask(server, "PATCH", f"/api/v1/assets/{trashed_id}", {"title": SCRIPT, "trashed": True})
        library_id = server.get("/api/v1/libraries")["libraries"][0]["id"]
        yield Hostile(server, library_id, asset_id, trashed_id)


def check(page: Page) -> None:
    page.wait_for_timeout(500)  # an image that fails to load, fails later
    assert page.evaluate("window.ran") is None
    assert page.evaluate(PLANTED) == []


def visit(page: Page, hostile: Hostile, address: str) -> None:
    page.goto(hostile.server.url + address)
    expect(page.locator("main").first).to_be_visible()
    check(page)


@pytest.mark.parametrize(
    "address",
    [
        *("/", "/folders", "/places", "/libraries", "/work", "/models", "/trash"),
        *(f"/?q={quote(text)}" for text in (IMAGE, SCRIPT, TEMPLATE, ADDRESS)),
        *(f"/?tag={quote(text)}" for text in (IMAGE, ADDRESS)),
        *(f"/?{name}={quote(BREAKOUT)}" for name in ("camera", "place", "folder", "like", "asset")),
        *(f"/{quote(text, safe='')}" for text in (IMAGE, BREAKOUT, ADDRESS)),
        *(f"/folders/{quote(text, safe='')}" for text in (IMAGE, ADDRESS)),
    ],
)
def test_nothing_hostile_runs_on_any_page(
    page: Page, hostile: Hostile, address: str, expected_messages: set[str]
) -> None:
    expected_messages |= {f"status of {status}" for status in (400, 404, 422)}
    visit(page, hostile, address)


def test_hostile_names_are_shown_as_they_are(page: Page, hostile: Hostile) -> None:
    visit(page, hostile, "/work")
    expect(page.get_by_text(f"broken {IMAGE}.jpg").first).to_be_visible()
    visit(page, hostile, "/libraries")
    expect(page.get_by_text(f"Photos {IMAGE}").first).to_be_visible()
    visit(page, hostile, f"/folders/{hostile.library_id}")
    expect(page.get_by_text(IMAGE, exact=True).first).to_be_visible()
    visit(page, hostile, f"/folders/{hostile.library_id}/{quote(IMAGE, safe='')}")
    expect(page.locator(f"[data-asset='{hostile.asset_id}']").first).to_be_visible()


def test_hostile_facts_of_one_asset_are_shown_as_they_are(page: Page, hostile: Hostile) -> None:
    visit(page, hostile, f"/?asset={hostile.asset_id}")
    page.keyboard.press("i")
    dialog = page.get_by_role("dialog").first
    expect(dialog.get_by_text(ADDRESS).first).to_be_visible()
    expect(dialog.get_by_text(IMAGE).first).to_be_visible()
    check(page)


def test_hostile_suggestions_are_shown_as_they_are(page: Page, hostile: Hostile) -> None:
    visit(page, hostile, "/")
    box = page.get_by_role("combobox").first
    box.press_sequentially("java")
    expect(page.get_by_role("option").filter(has_text=ADDRESS).first).to_be_visible()
    check(page)
