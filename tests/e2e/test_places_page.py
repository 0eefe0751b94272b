"""Browsing places, as a person does it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.e2e.conftest import Server


def test_place_leads_to_what_was_taken_there(page: Page, travels: Server) -> None:
    page.goto(f"{travels.url}/places")
    portugal = page.get_by_role("heading", level=2).first
    expect(portugal).to_contain_text("Portugal")
    expect(portugal).to_contain_text("2 items")
    expect(page.get_by_role("main").get_by_role("status")).to_have_text("2 places")
    place = page.get_by_role("main").get_by_role("listitem").first
    loaded = "() => [...document.querySelectorAll('main img')].every((img) => img.naturalWidth)"
    page.wait_for_function(loaded)
    expect(place).to_contain_text("Lisbon")
    expect(place).not_to_contain_text("Portugal")
    place.get_by_role("link").click()
    expect(page.get_by_role("main").get_by_role("status")).to_have_text("2 items")
    expect(page.locator("[data-asset]")).to_have_count(2)
    (name,) = parse_qs(urlsplit(page.url).query)["place"]
    expect(page.get_by_role("button", name=f"Place: {name}", exact=True)).to_be_visible()
    page.go_back()
    expect(portugal).to_be_visible()


def test_place_is_found_by_a_part_of_its_name(page: Page, travels: Server) -> None:
    page.goto(f"{travels.url}/places")
    find = page.get_by_role("searchbox", name="Find a place")
    name = page.get_by_role("main").get_by_role("link").last.locator(".name").inner_text()
    find.fill(name[1:5].upper())
    expect(page.get_by_role("main").get_by_role("status")).to_have_text("1 place")
    find.fill("Atlantis")
    expect(page.get_by_role("heading", name="No such place")).to_be_visible()


def test_no_places_are_explained(page: Page, travels: Server) -> None:
    page.route("**/api/v1/places", lambda route: route.fulfill(json={"countries": []}))
    page.goto(f"{travels.url}/places")
    expect(page.get_by_role("heading", name="No places yet")).to_be_visible()


def test_newcomer_is_welcomed(page: Page, newcomer: Server) -> None:
    page.goto(f"{newcomer.url}/places")
    expect(page.get_by_role("main").get_by_role("heading").first).to_be_visible()
    expect(page.get_by_role("heading", name="No places yet")).to_have_count(0)
