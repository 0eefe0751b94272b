"""Searching and browsing, as a person does it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route, expect

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Server


def query_of(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_everything_is_shown_before_anything_is_searched(page: Page, server: Server) -> None:
    total = server.get("/api/v1/assets?limit=1")["total"]
    page.goto(server.url)
    expect(page.get_by_role("status").filter(has_text="items")).to_have_text(f"{total} items")
    expect(page.locator("[data-asset]")).to_have_count(total)
    loaded = "() => [...document.querySelectorAll('[data-asset] img')].some(i => i.naturalWidth)"
    page.wait_for_function(loaded)


def test_slash_focuses_the_box_and_typing_searches(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.locator("[data-asset]").first.wait_for()
    page.keyboard.press("/")
    box = page.get_by_role("searchbox")
    expect(box).to_be_focused()
    page.keyboard.type("lagoon")
    expect(page.locator("[data-asset]").first).to_have_attribute(
        "aria-label", re.compile("^blue-lagoon.jpg")
    )
    assert query_of(page) == {"q": ["lagoon"]}
    expect(page.get_by_text("file name", exact=False).first).to_be_visible()
    expect(page.get_by_text("Strong match").first).to_be_visible()
    page.reload()
    expect(box).to_have_value("lagoon")
    expect(page.locator("[data-asset]").first).to_have_attribute(
        "aria-label", re.compile("^blue-lagoon.jpg")
    )


def test_control_k_selects_what_was_searched_and_clearing_shows_all(
    page: Page, server: Server
) -> None:
    page.goto(f"{server.url}/?q=lagoon")
    page.locator("[data-asset]").first.wait_for()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.get_by_role("button", name="Clear the search").click()
    expect(page.get_by_role("status").filter(has_text="items")).to_be_visible()
    assert query_of(page) == {}


def test_kind_narrows_the_list_and_back_widens_it(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.locator("[data-asset]").first.wait_for()
    page.get_by_role("button", name="Videos").click()
    expect(page.get_by_role("button", name="Videos")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-asset]")).to_have_count(
        server.get("/api/v1/assets?kind=video")["total"]
    )
    assert query_of(page) == {"kind": ["video"]}
    page.go_back()
    expect(page.get_by_role("button", name="All", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )


def test_a_filter_of_the_address_can_be_taken_away(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/?tag=nobody-has-this")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    page.get_by_role("button", name=re.compile("nobody-has-this")).click()
    expect(page.locator("[data-asset]").first).to_be_visible()


def test_nothing_found_is_said_in_words(page: Page, server: Server) -> None:
    page.goto(f'{server.url}/?q="xyzzyplugh"')
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="results")).to_have_text("0 results")


def test_arrows_walk_the_grid_which_tab_enters_once(page: Page, server: Server) -> None:
    page.goto(server.url)
    tiles = page.locator("[data-asset]")
    tiles.first.wait_for()
    page.get_by_role("button", name="Sounds").focus()
    page.keyboard.press("Tab")
    expect(tiles.first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(tiles.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(tiles.last).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(tiles.last).to_be_focused()


def test_a_frame_of_a_video_is_found_by_what_it_shows(
    page: Page, server: Server, shared: Path
) -> None:
    page.goto(f"{server.url}/?q=bottles+of+water&kind=video")
    hit = page.locator("li", has=page.locator('[aria-label^="bottle-detection.mp4"]'))
    expect(hit.get_by_text(re.compile("looks like"))).to_be_visible()
    expect(hit.get_by_role("button", name=re.compile("^Play at")).first).to_be_visible()


def test_weak_matches_are_folded_away(page: Page, server: Server, shared: Path) -> None:
    page.goto(f"{server.url}/?q=red-kite.jpg")
    expect(page.locator("[data-asset]")).to_have_count(12)
    page.get_by_role("button", name=re.compile("weaker match")).click()
    expect(page.locator("[data-asset]").nth(12)).to_be_visible()


def test_a_server_error_is_shown_and_can_be_tried_again(
    page: Page, server: Server, expected_messages: set[str]
) -> None:
    expected_messages.add("status of 500")
    problem = '{"title": "Internal Server Error", "status": 500, "detail": "The index is damaged."}'

    def fail(route: Route) -> None:
        route.fulfill(status=500, content_type="application/problem+json", body=problem)

    page.route("**/api/v1/search*", fail)
    page.goto(f"{server.url}/?q=lagoon")
    expect(page.get_by_role("alert")).to_have_text("The index is damaged.")
    page.unroute("**/api/v1/search*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-asset]").first).to_be_visible()


def test_a_lost_server_is_said_and_the_page_goes_on_when_it_is_back(
    page: Page, server: Server, expected_messages: set[str]
) -> None:
    expected_messages.add("ERR_INTERNET_DISCONNECTED")
    page.goto(server.url)
    page.locator("[data-asset]").first.wait_for()
    page.context.set_offline(True)
    page.get_by_role("button", name="Videos").click()
    lost = page.get_by_role("alert").filter(has_text="does not answer")
    expect(lost.first).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("button", name="Photos").click()
    expect(lost).to_have_count(0)


def test_an_unknown_page_leads_back(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/nowhere")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    page.get_by_role("link", name="To your pictures").click()
    expect(page.locator("[data-asset]").first).to_be_visible()


def test_question_mark_shows_the_keys(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.locator("[data-asset]").first.wait_for()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
