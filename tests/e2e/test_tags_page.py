"""All tags, and one looked through by keyboard, by range and all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from dam.config import Settings
from dam.schema import open_database
from tests.cli import Dam
from tests.e2e.asking import ask
from tests.e2e.conftest import serving
from tests.search_world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Server

SURE = (0.95, 0.85, 0.75, 0.65, 0.55)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """“dog” is suggested on five photos, surer and surer; nothing is there to be indexed."""
    home = tmp_path_factory.mktemp("home")
    database = open_database(Settings(home=home))
    world = World(database, tmp_path_factory.mktemp("media"))
    for number, score in enumerate(SURE):
        world.add(f"{number}.jpg", tags=[("dog", score)], width_px=400, height_px=300)
    database.close()
    with serving(Dam(home, {"indexers": "shots", "threads": "1", "decoders": "1"})) as running:
        yield running


def said(server: Server, state: str) -> int:
    return int(server.get(f"/api/v1/tags/review?word=dog&state={state}")["total"])


def test_a_tag_is_looked_through_and_every_step_can_be_undone(page: Page, machine: Server) -> None:
    page.goto(f"{machine.url}/tags")
    row = page.get_by_role("row", name="dog")
    expect(row.get_by_role("cell").nth(0)).to_have_text("5")
    row.get_by_role("link", name="dog").click()
    tiles = page.locator("[data-asset]")
    expect(tiles).to_have_count(5)
    expect(tiles.first).to_have_attribute("aria-label", "0.jpg, photo, 95 % sure")

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


def test_a_tag_is_renamed_and_merged_only_when_that_is_said(page: Page, machine: Server) -> None:
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
    page.get_by_label("New name").fill("foal")
    page.get_by_role("button", name="Rename", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("is there already")
    page.get_by_role("button", name="Merge").click()
    expect(page.get_by_text("“colt” is “foal” now")).to_be_visible()
    words = {one["word"] for one in machine.get("/api/v1/tags")["tags"]}
    assert "colt" not in words
    assert "foal" in words
