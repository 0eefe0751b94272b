"""All tags, and one looked through by keyboard, by range and all at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from dam.config import Settings
from dam.schema import open_database
from dam.tables import TagRow, TagSource
from tests.cli import Dam
from tests.e2e.asking import ask, wait_for_previews
from tests.e2e.conftest import serving
from tests.media import BLUE, GREEN, RED, write_jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Server

SURE = (0.95, 0.85, 0.75, 0.65, 0.55)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """“dog” is suggested on five photos, surer and surer."""
    folder = tmp_path_factory.mktemp("media") / "Dogs"
    for number in range(len(SURE)):
        write_jpeg(folder / f"{number}.jpg", (RED, GREEN, BLUE)[number % 3], seed=number)
    dam = Dam(tmp_path_factory.mktemp("home"), {"indexers": "shots", "threads": "1"})
    dam.run("library", "add", str(folder))
    with serving(dam) as running:
        wait_for_previews(running, len(SURE))
        suggest(running, dam)
        yield running


def suggest(server: Server, dam: Dam) -> None:
    database = open_database(Settings(home=dam.home))
    with database.write() as session:
        for number, score in enumerate(SURE):
            asset_id = server.asset(f"{number}.jpg")
            row = TagRow(asset_id=asset_id, source=TagSource.MODEL, vocabulary="objects")
            row.word, row.score = "dog", score
            session.add(row)
    database.close()


def said(server: Server, state: str) -> int:
    return int(server.get(f"/api/v1/tags/review?word=dog&state={state}")["total"])


def test_a_tag_is_looked_through_and_every_step_can_be_undone(
    page: Page, machine: Server, expected_messages: set[str]
) -> None:
    page.goto(f"{machine.url}/tags")
    row = page.get_by_role("row", name="dog")
    expect(row.get_by_role("cell").nth(0)).to_have_text("5")
    row.get_by_role("link", name="dog").click()
    tiles = page.locator("[data-asset]")
    expect(tiles).to_have_count(5)
    expect(tiles.first).to_have_attribute("aria-label", re.compile("^0.jpg.* 95 % sure$"))

    tiles.first.focus()
    page.keyboard.press("a")
    expect(tiles).to_have_count(4)
    page.wait_for_function("document.activeElement?.ariaLabel?.startsWith('1.jpg')")
    page.keyboard.press("Shift+ArrowRight")  # from this one on: two are chosen
    page.keyboard.press("r")
    expect(tiles).to_have_count(2)
    assert (said(machine, "approved"), said(machine, "rejected")) == (1, 2)

    page.get_by_role("button", name="Undo").last.click()
    expect(tiles).to_have_count(4)
    assert said(machine, "rejected") == 0

    page.get_by_role("button", name="70 % sure or surer").click()
    page.get_by_role("button", name="Approve 2").click()
    expect(tiles).to_have_count(2)
    assert said(machine, "approved") == 3

    expected_messages.add("status of 400")
    page.get_by_role("button", name="Teach this tag").click()
    expect(page.get_by_text("No picture model has looked at your pictures yet")).to_be_visible()


def test_a_tag_is_renamed_taken_back_and_deleted(page: Page, machine: Server) -> None:
    asset = machine.get("/api/v1/assets?limit=1")["assets"][0]["id"]
    body = {
        "asset_ids": [asset],
        "tags": [{"word": word, "verdict": "approved"} for word in ("colt", "foal")],
    }
    ask(machine, "POST", "/api/v1/assets/bulk", body)
    page.goto(f"{machine.url}/tags")
    page.get_by_label("Find a tag").fill("colt")
    page.get_by_role("button", name="Change colt").click()
    page.get_by_role("button", name="Rename or merge…").click()
    page.get_by_label("New name").fill("mare")
    page.get_by_role("button", name="Rename", exact=True).click()
    expect(page.get_by_text("“colt” is “mare” now")).to_be_visible()
    page.get_by_role("button", name="Undo").last.click()
    page.get_by_role("link", name="colt").click()
    expect(page.get_by_role("heading", name="colt")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("“colt” taken off 1 item")).to_be_visible()
    words = {one["word"] for one in machine.get("/api/v1/tags")["tags"]}
    assert "colt" not in words
    assert "foal" in words
