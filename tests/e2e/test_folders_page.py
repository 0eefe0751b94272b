"""Browsing folders, as a person does it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

if TYPE_CHECKING:
    from tests.e2e.conftest import Server


def shown(page: Page) -> Locator:
    return page.get_by_role("main").get_by_role("status")


def tree(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Folders", exact=True)


def library(server: Server) -> str:
    return str(server.get("/api/v1/libraries")["libraries"][0]["id"])


def test_cards_lead_from_the_libraries_down_to_a_folder(page: Page, travels: Server) -> None:
    page.goto(f"{travels.url}/folders")
    page.get_by_role("list", name="Libraries").get_by_role("link", name="Travels").click()
    expect(shown(page)).to_have_text("4 items")
    cards = page.get_by_role("list", name="Folders in Travels")
    expect(cards.get_by_role("link")).to_have_count(3)
    cards.get_by_role("link", name="Portugal").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Portugal")
    expect(shown(page)).to_have_text("2 items")
    page.get_by_role("link", name="Day 1").last.click()
    expect(shown(page)).to_have_text("1 item")
    expect(page.locator("[data-asset]")).to_have_attribute("aria-label", re.compile("^tram.jpg"))


def test_tree_opens_and_shows_where_one_is(page: Page, travels: Server) -> None:
    page.goto(f"{travels.url}/folders/{library(travels)}/Portugal")
    here = tree(page).locator('[aria-current="page"]')
    expect(here).to_contain_text("Portugal")
    expect(tree(page).get_by_role("link", name="Day 1")).to_be_visible()
    toggle = tree(page).get_by_role("button", name="Folders in Portugal")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    toggle.press("Enter")
    expect(tree(page).get_by_role("link", name="Day 1")).to_have_count(0)
    tree(page).get_by_role("link", name="France").press("Enter")
    expect(shown(page)).to_have_text("1 item")
    page.go_back()
    expect(here).to_contain_text("Portugal")


@pytest.mark.parametrize("reload", [False, True])
def test_folder_of_any_name_has_an_address(page: Page, travels: Server, reload: bool) -> None:
    page.goto(f"{travels.url}/folders/{library(travels)}")
    page.get_by_role("list", name="Folders in Travels").get_by_role("link", name="100 %").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("100 % rain")
    if reload:
        page.reload()
    expect(page.locator("[data-asset]")).to_have_attribute("aria-label", re.compile("^window.jpg"))


def test_filters_narrow_a_folder_and_the_viewer_stays_in_it(page: Page, travels: Server) -> None:
    page.goto(f"{travels.url}/folders/{library(travels)}/Portugal")
    tile = page.locator("[data-asset]").first
    tile.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 of 2")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(tile).to_be_focused()
    page.get_by_role("button", name="Videos").click()
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    assert "/Portugal?kind=video" in page.url
    page.go_back()
    expect(shown(page)).to_have_text("2 items")


def test_way_up_is_above_the_pictures_on_a_phone(page: Page, travels: Server) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"{travels.url}/folders/{library(travels)}/Portugal/Day%201")
    expect(tree(page)).to_be_hidden()
    way = page.get_by_role("navigation", name="Where this folder lies")
    way.get_by_role("link", name="Portugal").click()
    expect(shown(page)).to_have_text("2 items")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_library_that_is_gone_is_said(page: Page, travels: Server) -> None:
    page.goto(f"{travels.url}/folders/nobody")
    expect(page.get_by_role("heading", name="There is no such library")).to_be_visible()
    page.get_by_role("link", name="All folders").click()
    expect(page.get_by_role("list", name="Libraries")).to_be_visible()


def test_newcomer_is_welcomed(page: Page, newcomer: Server) -> None:
    page.goto(f"{newcomer.url}/folders")
    expect(page.get_by_role("main").get_by_role("heading").first).to_be_visible()
    expect(page.get_by_role("list", name="Libraries")).to_have_count(0)
