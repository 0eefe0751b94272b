"""Looking at one asset: opening, walking, closing, and what a person says about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Route

    from tests.e2e.viewing import Studio

LOADED = """(part) => performance.getEntriesByType('resource')
                         .some(({ name, responseEnd }) => name.includes(part) && responseEnd)"""


def test_a_picture_opens_the_arrows_walk_and_escape_returns(page: Page, desk: Studio) -> None:
    page.goto(f"{desk.url}/?kind=photo")
    tiles = page.locator("[data-asset]")
    tiles.first.click()
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_role("img")).to_be_visible()
    first = page.url
    page.keyboard.press("ArrowRight")
    expect(viewer.get_by_text(re.compile(r"^2 of \d+"))).to_be_visible()
    assert page.url != first
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    expect(tiles.nth(1)).to_be_focused()
    assert "asset=" not in page.url


def test_the_focus_begins_and_stays_in_the_viewer(page: Page, desk: Studio) -> None:
    page.goto(f"{desk.url}/?kind=photo")
    page.locator("[data-asset]").first.press("Enter")
    expect(page.get_by_role("dialog")).to_be_focused()
    outside = """() => { const at = document.activeElement;
                         return at !== document.body && !at.closest('dialog'); }"""
    for _ in range(12):
        page.keyboard.press("Tab")
        assert not page.evaluate(outside)


def test_back_closes_the_viewer(page: Page, desk: Studio) -> None:
    page.goto(desk.url)
    page.locator("[data-asset]").first.click()
    page.get_by_role("dialog").wait_for()
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("[data-asset]").first).to_be_visible()


def test_neighbours_are_there_before_they_are_asked_for(page: Page, desk: Studio) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{desk.url}/?kind=photo")
    expect(page.locator("[data-asset]")).to_have_count(4)
    ids = [tile.get_attribute("data-asset") for tile in page.locator("[data-asset]").all()]
    page.locator("[data-asset]").nth(1).click()
    page.get_by_role("dialog").get_by_role("img").wait_for()
    for neighbour in (ids[0], ids[2]):
        page.wait_for_function(LOADED, arg=f"/assets/{neighbour}/preview")
    asked.clear()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("dialog").get_by_text(re.compile("^3 of"))).to_be_visible()
    assert not any(f"/assets/{ids[2]}/preview" in url for url in asked)


def test_the_viewer_fills_the_screen_and_gives_it_back(page: Page, desk: Studio) -> None:
    viewer = desk.open(page, "red-kite.jpg")
    page.keyboard.press("Shift+F")
    page.wait_for_function("() => document.fullscreenElement !== null")
    viewer.get_by_role("button", name="Full screen").click()
    page.wait_for_function("() => document.fullscreenElement === null")
    expect(viewer).to_be_visible()


def test_an_asset_that_is_gone_says_so(
    page: Page, desk: Studio, expected_messages: set[str]
) -> None:
    expected_messages.add("status of 404")
    page.goto(f"{desk.url}/?asset=nothing-has-this-id")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-asset]").first).to_be_visible()


def test_similar_pictures_are_one_key_away(page: Page, desk: Studio, shared: Path) -> None:
    page.goto(f"{desk.url}/?asset={desk.asset('red-kite.jpg')}")
    page.get_by_role("dialog", name=re.compile("red-kite")).wait_for()
    page.keyboard.press("s")
    expect(page.locator("[data-asset]").first).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert f"like={desk.asset('red-kite.jpg')}" in page.url


def test_everything_known_is_told_in_words(page: Page, desk: Studio) -> None:
    desk.open(page, "large.jpg")
    page.keyboard.press("i")
    details = page.get_by_role("complementary", name="Details")
    for told in (
        "1/250 s  f/2.8  ISO 100  85 mm",
        "NIKON D850",
        "3 May 2024, 18:22",
        "Rome",
        "41.8900° N, 12.4922° E",
        "4000 × 3000  12 MP",
    ):
        expect(details).to_contain_text(told)
    for file in desk.detail("large.jpg")["files"]:
        expect(details).to_contain_text(f"{file['library']} ·")
        expect(details).to_contain_text(file["path"])
    for run in desk.detail("large.jpg")["runs"]:
        entry = details.get_by_role("listitem").filter(has_text=re.compile(f"^ *{run['indexer']}"))
        expect(entry).to_contain_text(re.compile(r"done \d"))
        expect(entry).to_contain_text(run["model"] or "done")
    details.get_by_role("button", name="NIKON D850").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("[data-asset]")).to_have_count(1)


def test_a_title_is_written_in_place_and_taken_back(page: Page, desk: Studio) -> None:
    viewer = desk.open(page, "red-kite.jpg")
    page.keyboard.press("i")
    title = viewer.get_by_label("Title", exact=True)
    title.fill("Kites over Jaipur")
    title.press("Enter")
    expect(viewer.get_by_role("heading", name="Kites over Jaipur")).to_be_visible()
    assert desk.detail("red-kite.jpg")["card"]["title"] == "Kites over Jaipur"
    viewer.get_by_role("button", name="Undo", exact=True).click()
    expect(viewer.get_by_role("heading", name="red-kite.jpg")).to_be_visible()
    after = desk.detail("red-kite.jpg")
    assert (after["card"]["title"], after["edited"]) == (None, [])


def test_a_caption_has_lines_and_the_file_can_speak_again(page: Page, desk: Studio) -> None:
    viewer = desk.open(page, "green-meadow.jpg")
    page.keyboard.press("i")
    caption = viewer.get_by_label("Caption", exact=True)
    caption.click()
    page.keyboard.type("First line")
    page.keyboard.press("Enter")
    page.keyboard.type("second line")
    page.keyboard.press("Tab")
    back = viewer.get_by_role("button", name="Caption as the file has it")
    expect(back).to_be_visible()
    assert desk.detail("green-meadow.jpg")["caption"] == "First line\nsecond line"
    page.reload()
    expect(caption).to_have_value("First line\nsecond line")
    back.click()
    expect(caption).to_have_value("")
    assert desk.detail("green-meadow.jpg")["edited"] == []


def test_escape_takes_back_what_was_typed_and_leaves_the_viewer_open(
    page: Page, desk: Studio
) -> None:
    viewer = desk.open(page, "blue-lagoon.jpg")
    page.keyboard.press("i")
    title = viewer.get_by_label("Title", exact=True)
    title.fill("Never mind 12345")  # digits are letters here, not stars
    title.press("Escape")
    expect(title).to_have_value("")
    expect(viewer).to_be_visible()
    after = desk.detail("blue-lagoon.jpg")["card"]
    assert (after["title"], after["rating"]) == (None, None)


def test_what_is_being_typed_outlives_news_of_the_asset(page: Page, desk: Studio) -> None:
    viewer = desk.open(page, "red-kite.jpg", "kind=photo")
    page.keyboard.press("i")
    viewer.get_by_role("button", name="Previous").wait_for()  # the one with a date comes first
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("dialog", name="photo red-kite.jpg")).to_have_count(0)
    held: list[Route] = []
    news = f"**/api/v1/assets/{desk.asset('red-kite.jpg')}"
    page.route(news, lambda route: held.append(route))
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("dialog", name="photo red-kite.jpg")).to_be_visible()
    title = viewer.get_by_label("Title", exact=True)
    title.fill("Half a tit")
    with page.expect_response(news):
        held[0].continue_()
    page.wait_for_timeout(200)
    expect(title).to_have_value("Half a tit")
    title.press("Escape")


def test_a_change_that_is_refused_is_said_and_not_lost(
    page: Page, desk: Studio, expected_messages: set[str]
) -> None:
    expected_messages.add("status of 507")
    viewer = desk.open(page, "blue-lagoon.jpg")
    page.keyboard.press("i")
    page.route(
        "**/api/v1/assets/*",
        lambda route: (
            route.fulfill(
                status=507,
                content_type="application/problem+json",
                body='{"detail": "The disk of the data folder is full."}',
            )
            if route.request.method == "PATCH"
            else route.fallback()
        ),
    )
    title = viewer.get_by_label("Title", exact=True)
    title.fill("Lagoon at noon")
    title.press("Enter")
    expect(viewer.get_by_text("The disk of the data folder is full.")).to_be_visible()
    expect(title).to_have_value("Lagoon at noon")
    expect(title).to_have_attribute("aria-invalid", "true")
    page.unroute("**/api/v1/assets/*")
    title.press("Enter")
    title.blur()
    expect(viewer.get_by_role("heading", name="Lagoon at noon")).to_be_visible()


def test_stars_are_given_by_key_and_by_hand(page: Page, desk: Studio) -> None:
    viewer = desk.open(page, "traffic-lights.mp4")
    page.keyboard.press("4")
    expect(viewer.get_by_text("Rated ★★★★")).to_be_visible()
    page.keyboard.press("d")
    expect(viewer.get_by_role("button", name="4 stars")).to_have_attribute("aria-pressed", "true")
    viewer.get_by_role("button", name="2 stars").click()
    expect(viewer.get_by_role("button", name="2 stars")).to_have_attribute("aria-pressed", "true")
    assert desk.detail("traffic-lights.mp4")["card"]["rating"] == 2
    page.keyboard.press("Control+z")
    expect(viewer.get_by_role("button", name="4 stars")).to_have_attribute("aria-pressed", "true")
    assert desk.detail("traffic-lights.mp4")["card"]["rating"] == 4


def test_what_is_trashed_makes_room_for_the_next_and_comes_back(page: Page, desk: Studio) -> None:
    trashed = desk.asset("green-meadow.jpg")
    viewer = desk.open(page, "green-meadow.jpg", "kind=photo")
    expect(viewer.get_by_text(re.compile(r"^\d of 4$"))).to_be_visible()
    page.keyboard.press("Delete")
    expect(page.get_by_role("dialog", name=re.compile("green-meadow"))).to_have_count(0)
    expect(page.get_by_text(re.compile(r"^\d of 3$"))).to_be_visible()
    assert desk.get(f"/api/v1/assets/{trashed}")["trashed_at"]
    page.get_by_role("dialog").get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text(re.compile(r"^\d of 4$"))).to_be_visible()
    assert desk.get(f"/api/v1/assets/{trashed}")["trashed_at"] is None


def test_a_tag_is_added_found_and_taken_back(page: Page, desk: Studio) -> None:
    desk.open(page, "red-kite.jpg")
    page.keyboard.press("i")
    page.get_by_label("New tag").fill("kite festival")
    page.get_by_role("button", name="Add", exact=True).click()
    approve = page.get_by_role("button", name="Approve kite festival")
    expect(approve).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name=re.compile("^kite festival")).click()
    expect(page.locator("[data-asset]")).to_have_count(1)
    assert "tag=kite+festival" in page.url
    desk.open(page, "red-kite.jpg")
    expect(approve).to_have_attribute("aria-pressed", "true")
    approve.click()
    expect(approve).to_have_count(0)


def test_a_suggested_tag_is_rejected_for_good(page: Page, desk: Studio, shared: Path) -> None:
    suggested = (
        (card["name"], tag["word"])
        for card in desk.get("/api/v1/assets?limit=200")["assets"]
        for tag in desk.get(f"/api/v1/assets/{card['id']}")["tags"]
        if tag["source"] == "model"
    )
    name, word = next(suggested)
    viewer = desk.open(page, name)
    viewer.get_by_role("button", name="Details").click()
    reject = page.get_by_role("button", name=f"Reject {word}", exact=True)
    expect(reject).to_have_attribute("aria-pressed", "false")
    reject.click()
    expect(reject).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(reject).to_have_attribute("aria-pressed", "true")


def test_a_failed_run_says_why_and_is_tried_again(page: Page, desk: Studio) -> None:
    desk.fail_run("blue-lagoon.jpg", "previews", "blue-lagoon.jpg is cut short at byte 512")
    viewer = desk.open(page, "blue-lagoon.jpg")
    page.keyboard.press("i")
    run = viewer.get_by_role("listitem").filter(has_text=re.compile("^ *previews"))
    expect(run).to_contain_text("failed")
    expect(run).to_contain_text("is cut short at byte 512")
    run.get_by_role("button", name="Try previews again").click()
    expect(run).to_contain_text(re.compile(r"done \d"))
    expect(run).not_to_contain_text("cut short")
