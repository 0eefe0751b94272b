"""The first minute of a newcomer: a folder, its pictures, the first search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from tests.e2e.conftest import write_library

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Server

INDEXED_MS = 90_000  # other tests run beside this one


def test_newcomer_picks_a_folder_and_finds_a_picture(
    page: Page, empty_server: Server, tmp_path: Path
) -> None:
    write_library(tmp_path / "Pictures")
    page.goto(empty_server.url)
    expect(page.get_by_role("heading", name="Find anything you have seen")).to_be_visible()
    expect(page.get_by_text("dam library add")).to_be_visible()
    model = page.get_by_role("region", name="To find things by what pictures show")
    expect(model.get_by_role("button", name="Download")).to_be_visible()

    page.get_by_role("button", name="Choose a folder…").click()
    picker = page.get_by_role("dialog", name="Choose a folder")
    picker.get_by_role("button", name="Pictures").click()
    picker.get_by_role("button", name="Add “Pictures”").click()
    expect(page.locator("[data-asset]")).to_have_count(5, timeout=INDEXED_MS)

    box = page.get_by_role("combobox", name="Search photos, videos and sounds")
    box.fill("meadow")
    box.press("Enter")
    expect(page.locator("[data-asset]").first).to_have_attribute(
        "data-asset", empty_server.asset("green-meadow.jpg"), timeout=INDEXED_MS
    )
    # No picture model is here: said where it matters, with what mends it.
    expect(page.get_by_text("dam models pull", exact=False).first).to_be_visible()
    page.get_by_role("link", name="To the models").first.click()
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()


def test_a_newcomer_who_mistypes_a_folder_is_told(
    page: Page, newcomer: Server, tmp_path: Path, expected_messages: set[str]
) -> None:
    expected_messages |= {"status of 400", "status of 404", "status of 422"}
    page.goto(newcomer.url)
    page.get_by_label("Or type the path of a folder").fill(str(tmp_path / "not-there"))
    page.get_by_role("button", name="Add folder").click()
    expect(page.get_by_role("alert").filter(has_text="not-there")).to_be_visible()
