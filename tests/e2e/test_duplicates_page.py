"""Reviewing copies: what is shown of a group, what is decided about it, and how that is undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.cli import Dam
from tests.e2e.asking import ask
from tests.e2e.conftest import PATIENCE_MS, SCREENSHOTS, serving
from tests.e2e.test_every_page import LOOKS, faults_of, unreached
from tests.integration.test_duplicates import scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.e2e.conftest import Server


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A hill in three sizes, a lake in two, and a tree that lies in two folders."""
    folder = tmp_path_factory.mktemp("media") / "Holiday"
    (folder / "b").mkdir(parents=True)
    for name, seed, size in (
        ("hill.jpg", 1, (960, 720)),
        ("hill-small.jpg", 1, (480, 360)),
        ("hill-tiny.png", 1, (240, 180)),
        ("lake.jpg", 2, (800, 600)),
        ("lake-web.jpg", 2, (400, 300)),
        ("tree.jpg", 3, (640, 480)),
    ):
        scene(seed, size).save(folder / name)
    (folder / "b" / "tree-again.jpg").write_bytes((folder / "tree.jpg").read_bytes())
    (folder / "b" / "tree-again.xmp").write_text('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')
    settings = {"threads": "1", "decoders": "1", "indexers": "fingerprints"}
    dam = Dam(tmp_path_factory.mktemp("home"), settings)
    dam.run("library", "add", str(folder))
    dam.run("index")
    with serving(dam) as running:
        yield running


def of(page: Page, name: str) -> None:
    """Waits until the page looks at this group."""
    expect(page.locator("main .path").filter(has_text=name).first).to_be_visible()


def test_groups_are_walked_by_kind_and_decided_by_keyboard_and_every_decision_is_undone(
    page: Page, machine: Server
) -> None:
    page.goto(machine.url)
    page.get_by_role("link", name="Duplicates").first.click()
    of(page, "tree-again.jpg")
    where = page.get_by_role("navigation", name="Groups").get_by_role("status")
    expect(where).to_have_text("Group 1 of 3")
    page.keyboard.press("ArrowRight")
    of(page, "hill-tiny.png")
    expect(page.get_by_text("proposed to be kept: it has the most pixels")).to_be_visible()
    copies = page.locator("main li.copy")
    expect(copies.first.locator(".differs").filter(has_text="Resolution")).to_contain_text(
        "960 × 720"
    )
    page.keyboard.press("2")
    expect(copies.nth(1).get_by_role("button")).to_have_text("Kept: copy 2")
    for key, said in (
        ("d", "Not shown as duplicates again"),
        ("a", "All are kept"),
        ("s", "stacked"),
    ):
        page.keyboard.press(key)
        expect(page.get_by_role("status", name="Messages")).to_contain_text(said)
        expect(where).to_have_text("Group 2 of 2")
        of(page, "lake-web.jpg")
        page.keyboard.press("Control+z")
        expect(where).to_have_text("Group 2 of 3")
        of(page, "hill-tiny.png")
    page.get_by_role("button", name="Exact").click()
    expect(where).to_have_text("Group 1 of 1")
    page.get_by_role("button", name="Videos").click()
    expect(page.get_by_role("heading", name="None of this kind")).to_be_visible()


def test_trashing_says_what_happens_first_and_comes_back(page: Page, machine: Server) -> None:
    lake = machine.asset("lake-web.jpg")
    change = {"rating": 4, "tags": [{"word": "calm", "verdict": "approved"}]}
    ask(machine, "PATCH", f"/api/v1/assets/{lake}", change)
    page.goto(f"{machine.url}/duplicates")
    page.get_by_role("button", name="Near").click()
    of(page, "hill-tiny.png")
    page.keyboard.press("ArrowRight")
    of(page, "lake-web.jpg")
    page.keyboard.press("Delete")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Kept: ")
    expect(dialog.get_by_role("listitem").nth(1)).to_contain_text("lake-web.jpg")
    expect(dialog).to_contain_text("gains: the rating 4 stars, the tag calm")
    assert machine.get("/api/v1/assets?trashed=true")["total"] == 0  # nothing has happened yet
    dialog.get_by_role("button", name="Move to the trash").click()
    of(page, "hill-tiny.png")
    trashed = machine.get("/api/v1/assets?trashed=true")["assets"]
    assert [card["id"] for card in trashed] == [lake]
    kept = machine.get(f"/api/v1/assets/{machine.asset('lake.jpg')}")
    assert kept["card"]["rating"] == 4
    page.get_by_role("button", name="Undo").click()
    of(page, "lake-web.jpg")
    assert machine.get("/api/v1/assets?trashed=true")["total"] == 0
    kept = machine.get(f"/api/v1/assets/{machine.asset('lake.jpg')}")
    assert kept["card"]["rating"] is None


def test_an_exact_copy_is_put_away_by_file_and_restored_from_the_trash(
    page: Page, machine: Server
) -> None:
    page.goto(f"{machine.url}/duplicates")
    of(page, "tree-again.jpg")
    page.get_by_role("button", name="Remove this copy…, copy 1").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("tree-again.xmp lies beside this copy only")
    expect(dialog).to_contain_text("No file and no sidecar is removed from disk")
    dialog.get_by_role("button", name="Put away").click()
    of(page, "hill-tiny.png")
    page.get_by_role("link", name="Trash").first.click()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    assert machine.get("/api/v1/duplicates?kind=exact")["total"] == 1


@pytest.mark.parametrize("look", LOOKS)
def test_the_page_suits_every_look(look: str, browser: Browser, machine: Server) -> None:
    """Exact and near, the comparison and the question; by keyboard where there is one."""
    context = browser.new_context(
        **LOOKS[look], locale="en-GB", reduced_motion="reduce", bypass_csp=True
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def look_at(name: str) -> None:
        page.wait_for_timeout(500)
        page.screenshot(path=SCREENSHOTS / f"duplicates-{name}-{look}.png", full_page=True)
        assert faults_of(page) == []

    page.goto(f"{machine.url}/duplicates")
    of(page, "tree-again.jpg")
    look_at("exact")
    page.get_by_role("button", name="Next").click()
    of(page, "hill-tiny.png")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("slider")).to_be_visible()
    look_at("near")
    if look == "light":
        assert unreached(page) == []
        page.emulate_media(color_scheme="dark")
        look_at("dark")
    page.get_by_role("button", name="trash the others").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look_at("question")
    context.close()


def test_a_failure_can_be_tried_again_and_an_empty_list_says_so(
    page: Page, machine: Server, expected_messages: set[str]
) -> None:
    expected_messages.add("status of 500")
    failing = {"status": 500, "json": {"title": "No", "detail": "The disk is full."}}
    page.route("**/api/v1/duplicates?*", lambda route: route.fulfill(**failing), times=1)
    page.goto(f"{machine.url}/duplicates")
    expect(page.get_by_role("alert").filter(has_text="The disk is full.")).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    of(page, "tree-again.jpg")
    empty = {"groups": [], "next_cursor": None, "total": 0, "counts": {}}
    page.route("**/api/v1/duplicates?*", lambda route: route.fulfill(json=empty), times=1)
    page.reload()
    expect(page.get_by_role("heading", name="No duplicates")).to_be_visible()
