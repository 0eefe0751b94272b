"""What the machine is doing, what it could not do, and the first minute of a newcomer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from tests.e2e.conftest import write_library

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Server


def test_panel_shows_every_indexer_and_why_a_file_failed(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.get_by_role("button", name="Library").click()
    panel = page.get_by_role("dialog", name="Library")
    for indexer in server.get("/api/v1/jobs")["indexers"]:
        bar = panel.get_by_role("progressbar", name=indexer["indexer"])
        expect(bar).to_have_count(1)
    expect(panel.get_by_text("broken.jpg", exact=True)).to_be_visible()
    expect(panel.get_by_text("cannot be read:")).to_be_visible()
    expect(panel.get_by_text("Holiday", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Library")).to_be_focused()


def test_newcomer_adds_a_folder_and_finds_a_picture(
    page: Page, empty_server: Server, tmp_path: Path, expected_messages: set[str]
) -> None:
    expected_messages |= {"status of 400", "status of 404", "status of 409", "status of 422"}
    folder = write_library(tmp_path / "Pictures")
    page.goto(empty_server.url)
    expect(page.get_by_role("heading", name="Find anything you have seen")).to_be_visible()
    expect(page.get_by_text("dam library add")).to_be_visible()
    field = page.get_by_label("Folder on the machine that runs dam")
    field.fill(str(tmp_path / "not-there"))
    page.get_by_role("button", name="Add folder").click()
    expect(page.get_by_role("alert").filter(has_text="not-there")).to_be_visible()

    field.fill(str(folder))
    page.get_by_role("button", name="Add folder").click()
    expect(page.locator("[data-asset]")).to_have_count(5, timeout=60_000)
    page.get_by_role("searchbox").fill("meadow")
    expect(page.locator("[data-asset]").first).to_have_attribute(
        "data-asset", empty_server.asset("green-meadow.jpg"), timeout=15_000
    )

    # No model is on this machine: said where it matters, with the command that mends it.
    command = page.get_by_text("dam models pull", exact=False).first
    expect(command).to_be_visible()
    page.get_by_role("button", name="Copy the command").first.wait_for()
