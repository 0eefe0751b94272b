"""People: off until somebody says so, named in a queue, mended on their pages and on pictures."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.cli import Dam
from tests.conftest import SHARED
from tests.e2e.asking import add_library, ask
from tests.e2e.conftest import PATIENCE_MS, serving
from tests.e2e.test_every_page import faults_of
from tests.e2e.viewing import Studio
from tests.media import GREY, write_jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator

    from tests.e2e.conftest import Server

WHO = ("amy", "howard", "sheldon")


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Three people, five portraits of each."""
    if not SHARED.is_dir():
        pytest.skip("no faces to look for: ../shared is absent")
    folder, home = tmp_path_factory.mktemp("faces"), tmp_path_factory.mktemp("home")
    for name in WHO:
        for portrait in sorted((SHARED / "media" / "faces" / name).iterdir()):
            shutil.copy(portrait, folder)
    settings = {"threads": "1", "decoders": "1", "indexers": "faces"}
    dam = Dam(home, settings | {"models": str(SHARED / "models")})
    dam.run("library", "add", str(folder), "--name", "Series")
    dam.run("people", "enable", "Series")
    dam.run("index")
    with serving(dam) as running:
        yield Studio(running.url, home)


@pytest.fixture
def sharp(browser: Browser) -> Iterator[Page]:
    """A page into which axe-core may be put past the content policy."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, reduced_motion="reduce", bypass_csp=True
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def said(page: Page, text: str) -> Locator:
    return page.get_by_role("status", name="Messages").get_by_text(text, exact=False)


def undo(page: Page) -> None:
    page.get_by_role("button", name="Undo").last.click()
    expect(said(page, "Taken back").last).to_be_visible()


def test_faces_are_off_until_a_library_is_chosen_and_a_missing_model_is_explained(
    page: Page, empty_server: Server, tmp_path: Path
) -> None:
    write_jpeg(tmp_path / "Trip" / "one.jpg", GREY, seed=1)
    add_library(empty_server, tmp_path / "Trip")
    page.goto(f"{empty_server.url}/people")
    notice = ask(empty_server, "GET", "/api/v1/people/settings")["notice"]
    expect(page.get_by_text(notice)).to_be_visible()
    switch = page.get_by_role("switch", name="Look for faces in Trip")
    expect(switch).not_to_be_checked()
    switch.click()
    expect(switch).to_be_checked()
    expect(page.get_by_text(re.compile("^dam models (pull|import)"))).to_be_visible()
    page.get_by_role("link", name="Back to the people").click()
    expect(page.get_by_role("heading", name="No people yet")).to_be_visible()
    expect(page.get_by_text(re.compile("^dam models (pull|import)"))).to_be_visible()
    page.get_by_role("link", name="Settings").click()
    switch.click()
    expect(switch).not_to_be_checked()


def test_a_queue_asks_for_names_and_knows_whom_it_has(
    page: Page, gallery: Studio, expected_messages: set[str]
) -> None:
    expected_messages.add("status of 409")
    page.goto(f"{gallery.url}/people")
    page.get_by_role("link", name="Name people").click()
    left = page.get_by_text(re.compile("without a name"))
    field = page.get_by_role("combobox", name=re.compile("who", re.IGNORECASE))
    expect(left).to_have_text("3 people without a name")
    field.fill("Ada")
    field.press("Enter")
    expect(said(page, "Named Ada")).to_be_visible()
    expect(left).to_have_text("2 people without a name")
    field.fill("ada")
    field.press("Escape")
    field.press("Enter")
    prompt = page.get_by_role("dialog", name="There is Ada already")
    expect(prompt).to_be_visible()
    page.keyboard.press("Enter")
    expect(left).to_have_text("1 person without a name")
    undo(page)
    expect(left).to_have_text("2 people without a name")
    field.press("Escape")
    page.keyboard.press("h")
    expect(left).to_have_text("1 person without a name")
    undo(page)
    expect(left).to_have_text("2 people without a name")
    page.keyboard.press("ArrowRight")
    expect(left).to_have_text(re.compile("1 skipped"))


def test_a_persons_page_mends_names_and_faces(sharp: Page, gallery: Studio) -> None:
    page = sharp
    page.goto(f"{gallery.url}/people")
    first = page.get_by_role("region", name="Without a name").get_by_role("link").first
    expect(first).to_be_visible()
    assert faults_of(page) == []
    first.click()
    page.get_by_role("button", name="Add a name").click()
    page.get_by_role("textbox", name="Name of the person").fill("Lise")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Lise", exact=True)).to_be_visible()
    expect(page.get_by_role("gridcell")).to_have_count(5)
    page.get_by_role("button", name="Faces", exact=True).click()
    faces = page.get_by_role("listbox", name="Faces of Lise").get_by_role("option")
    expect(faces).to_have_count(5)
    faces.first.click()
    assert faults_of(page) == []
    page.get_by_role("button", name="Somebody else…").click()
    page.get_by_role("button", name="Split out without a name").click()
    expect(faces).to_have_count(4)
    undo(page)
    expect(faces).to_have_count(5)
    faces.first.press(" ")
    page.get_by_role("button", name="Not Lise").click()
    expect(faces).to_have_count(4)
    undo(page)
    expect(faces).to_have_count(5)


def test_faces_are_named_and_drawn_on_their_picture(page: Page, gallery: Studio) -> None:
    viewer = gallery.open(page, "sheldon1.png")
    expect(viewer.get_by_role("button", name="Faces")).to_be_visible()
    page.keyboard.press("p")
    viewer.get_by_role("button", name=re.compile("^Face: ")).click()
    # By another name where it has one already.
    field = page.get_by_role("combobox", name=re.compile("^(Name|Or who else is it.)$"))
    field.fill("Emmy")
    field.press("Enter")
    expect(viewer.get_by_role("button", name="Face: Emmy")).to_be_visible()
    page.keyboard.press("Shift+P")
    expect(page.get_by_text("Draw a box around the face.", exact=False)).to_be_visible()
    middle_x, middle_y = 640, 420
    page.mouse.move(middle_x, middle_y)
    page.mouse.down()
    page.mouse.move(middle_x + 60, middle_y + 60, steps=3)
    page.mouse.up()
    field.fill("Marie")
    page.keyboard.press("Enter")
    expect(viewer.get_by_role("button", name="Face: Marie")).to_be_visible()
    undo(page)
    expect(viewer.get_by_role("button", name="Face: Marie")).to_have_count(0)
    expect(viewer.get_by_role("button", name="Face: Emmy")).to_be_visible()


def test_all_that_is_known_of_faces_can_be_deleted(page: Page, gallery: Studio) -> None:
    page.goto(f"{gallery.url}/people/settings")
    page.get_by_role("button", name="Delete all faces and people…").click()
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_role("switch", name="Look for faces in Series")).not_to_be_checked()
    expect(page.get_by_role("button", name="Delete all faces and people…")).to_have_count(0)
    assert ask(gallery, "GET", "/api/v1/people/settings")["stored"]["faces"] == 0
