"""What was put away, and how it comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.cli import Dam
from tests.e2e.asking import ask, wait_for_previews
from tests.e2e.conftest import serving
from tests.media import BLUE, GREEN, RED, write_jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Server


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Three photos."""
    folder = tmp_path_factory.mktemp("media") / "Holiday"
    for name, colour in (("red", RED), ("green", GREEN), ("blue", BLUE)):
        write_jpeg(folder / f"{name}.jpg", colour, seed=len(name))
    dam = Dam(tmp_path_factory.mktemp("home"), {"threads": "1", "decoders": "1"})
    dam.run("library", "add", str(folder))
    with serving(dam) as running:
        wait_for_previews(running, 3)
        yield running


@pytest.fixture
def three(machine: Server) -> Iterator[Server]:
    """None of them is in the trash yet, nor afterwards."""
    yield machine
    trashed = machine.get("/api/v1/assets?trashed=true")["assets"]
    if trashed:
        move(machine, [card["id"] for card in trashed], trashed=False)


def move(server: Server, asset_ids: list[str], *, trashed: bool) -> None:
    body = {"asset_ids": asset_ids, "trashed": trashed}
    ask(server, "POST", "/api/v1/assets/bulk", body)


def put_away(server: Server, *names: str) -> None:
    move(server, [server.asset(name) for name in names], trashed=True)


def test_an_empty_trash_says_so(page: Page, three: Server) -> None:
    page.goto(three.url)
    page.get_by_role("link", name="Trash").click()
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()


def test_what_is_chosen_comes_back(page: Page, three: Server) -> None:
    red, blue = three.asset("red.jpg"), three.asset("blue.jpg")
    put_away(three, "red.jpg", "blue.jpg")
    page.goto(f"{three.url}/trash")
    tiles = page.locator("[data-asset]")
    expect(tiles).to_have_count(2)
    page.locator(f'[data-asset="{red}"]').click(modifiers=["Control"])
    page.get_by_role("toolbar", name="Selection").get_by_role("button", name="Restore").click()
    expect(tiles).to_have_count(1)
    expect(tiles).to_have_attribute("data-asset", blue)
    page.get_by_role("link", name="Library", exact=True).first.click()
    expect(page.locator(f'[data-asset="{red}"]')).to_be_visible()
    expect(tiles).to_have_count(2)


def test_all_of_it_comes_back_and_that_can_be_undone(page: Page, three: Server) -> None:
    put_away(three, "red.jpg", "blue.jpg", "green.jpg")
    page.goto(f"{three.url}/trash")
    page.get_by_role("button", name="Restore all 3").click()
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    assert three.get("/api/v1/assets")["total"] == 3
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-asset]")).to_have_count(3)
    assert three.get("/api/v1/assets")["total"] == 0


def test_what_lies_in_the_trash_can_be_looked_at(page: Page, three: Server) -> None:
    put_away(three, "green.jpg")
    page.goto(f"{three.url}/trash")
    page.locator("[data-asset]").click()
    expect(page.get_by_role("dialog").get_by_role("img").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-asset]")).to_be_focused()
