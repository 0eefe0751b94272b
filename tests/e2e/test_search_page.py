"""Searching, as a person does it: words, suggestions, filters, pictures of one's own."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.media import RED, write_jpeg

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Server


def query_of(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def box_of(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search photos, videos and sounds")


def first_result(page: Page) -> Locator:
    return page.get_by_role("grid", name="Results").get_by_role("gridcell").first


def status_of(page: Page) -> Locator:
    return page.get_by_role("main").get_by_role("status")


def look(page: Page, server: Server, query: str) -> None:
    page.goto(f"{server.url}/?{query}")
    first_result(page).wait_for()


# Words ----------------------------------------------------------------------------------------


def test_slash_focuses_the_box_and_typing_searches(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.locator("[data-asset]").first.wait_for()
    page.keyboard.press("/")
    expect(box_of(page)).to_be_focused()
    page.keyboard.type("lagoon")
    expect(first_result(page)).to_have_attribute("aria-label", re.compile("^blue-lagoon.jpg"))
    assert query_of(page) == {"q": ["lagoon"]}
    expect(page.get_by_text("file name", exact=False).first).to_be_visible()
    expect(page.get_by_text("Strong match").first).to_be_visible()
    page.reload()
    expect(box_of(page)).to_have_value("lagoon")
    expect(first_result(page)).to_have_attribute("aria-label", re.compile("^blue-lagoon.jpg"))


def test_control_k_selects_what_was_searched_and_clearing_shows_all(
    page: Page, server: Server
) -> None:
    look(page, server, "q=lagoon")
    page.keyboard.press("Control+k")
    expect(box_of(page)).to_be_focused()
    page.get_by_role("button", name="Clear the search").click()
    expect(status_of(page).filter(has_text="items")).to_be_visible()
    assert query_of(page) == {}


def test_words_to_avoid_are_chips_that_can_be_taken_away(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/?q=lagoon+-blue")
    chip = page.get_by_role("button", name=re.compile("without “blue”"))
    expect(chip).to_be_visible()
    expect(page.locator('[aria-label^="blue-lagoon.jpg"]')).to_have_count(0)
    chip.click()
    expect(first_result(page)).to_have_attribute("aria-label", re.compile("^blue-lagoon.jpg"))
    assert query_of(page) == {"q": ["lagoon"]}
    expect(box_of(page)).to_have_value("lagoon")


def test_a_filter_in_the_words_is_shown_as_understood(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/?q=traffic+kind:video")
    expect(page.get_by_role("button", name=re.compile("^kind: video"))).to_be_visible()
    expect(first_result(page)).to_have_attribute("aria-label", re.compile("^traffic-lights.mp4"))


def test_malformed_filter_is_explained(
    page: Page, server: Server, expected_messages: set[str]
) -> None:
    expected_messages.add("status of 400")
    page.goto(f"{server.url}/?q=colour:red")
    expect(page.get_by_role("alert")).to_contain_text("There is no filter “colour:”")


def test_nothing_found_is_said_in_words(page: Page, server: Server) -> None:
    page.goto(f'{server.url}/?q="xyzzyplugh"')
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    expect(status_of(page).filter(has_text="matches")).to_have_text("0 matches")


def test_a_frame_of_a_video_is_found_by_what_it_shows(
    page: Page, server: Server, shared: Path
) -> None:
    look(page, server, "q=bottles+of+water&kind=video")
    hit = page.locator('[aria-label^="bottle-detection.mp4"]')
    expect(hit.get_by_text(re.compile("looks like"))).to_be_visible()
    moment = hit.get_by_role("button", name=re.compile("^Play at")).first
    moment.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert "at" in query_of(page)


def test_weak_matches_are_folded_away_until_asked_for(
    page: Page, server: Server, shared: Path
) -> None:
    look(page, server, "q=red-kite.jpg")
    expect(page.get_by_role("heading", name="Weaker matches")).to_be_visible()
    unfold = page.get_by_role("button", name=re.compile("^Show .* weaker match"))
    unfold.scroll_into_view_if_needed()
    top_px = page.evaluate("scrollY")
    unfold.click()
    expect(unfold).to_have_count(0)
    assert page.evaluate("scrollY") == top_px
    assert query_of(page) == {"q": ["red-kite.jpg"], "weak": ["1"]}
    page.go_back()
    expect(unfold).to_be_visible()


def test_closing_a_result_returns_to_it(page: Page, server: Server) -> None:
    look(page, server, "q=lagoon")
    first_result(page).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(first_result(page)).to_be_focused()
    assert query_of(page) == {"q": ["lagoon"]}


# Suggestions ----------------------------------------------------------------------------------


def test_suggested_tag_becomes_a_filter(page: Page, server: Server, shared: Path) -> None:
    word = server.get("/api/v1/suggest?q=&kind=tag&limit=1")["suggestions"][0]["text"]
    page.goto(server.url)
    box = box_of(page)
    box.click()
    box.press_sequentially(f"lagoon {word[:3]}")
    option = page.get_by_role("option").filter(has_text="Tag").first
    expect(option).to_be_visible()
    expect(box).to_have_attribute("aria-expanded", "true")
    box.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_have_count(1)
    active = box.get_attribute("aria-activedescendant")
    assert active and page.locator(f"#{active}").get_attribute("aria-selected") == "true"
    box.press("Enter")
    expect(page.get_by_role("listbox")).to_be_hidden()
    assert query_of(page).keys() == {"q", "tag"}
    assert query_of(page)["q"] == ["lagoon"]
    expect(box).to_have_value("lagoon")


def test_escape_closes_the_suggestions_and_keeps_the_words(page: Page, server: Server) -> None:
    page.goto(server.url)
    box = box_of(page)
    box.fill("lagoon")
    box.press("Enter")
    first_result(page).wait_for()
    box.fill("")
    box.press("ArrowDown")
    option = page.get_by_role("option").filter(has_text="lagoon")
    expect(option).to_be_visible()
    box.press("Escape")
    expect(option).to_be_hidden()
    expect(box).to_be_focused()


def test_what_was_searched_before_is_offered_and_can_be_forgotten(
    page: Page, server: Server
) -> None:
    page.goto(server.url)
    box = box_of(page)
    for words in ("lagoon", "meadow"):
        box.fill(words)
        box.press("Enter")
        first_result(page).wait_for()
    page.goto(server.url)
    box.click()
    options = page.get_by_role("option")
    expect(options).to_have_count(2)
    expect(options.first).to_contain_text("meadow")
    box.press("ArrowDown")
    box.press("Delete")
    expect(options).to_have_count(1)
    options.first.click()
    expect(first_result(page)).to_have_attribute("aria-label", re.compile("^blue-lagoon.jpg"))
    assert query_of(page) == {"q": ["lagoon"]}


# Filters --------------------------------------------------------------------------------------


def test_kind_narrows_the_list_and_back_widens_it(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.locator("[data-asset]").first.wait_for()
    total = server.get("/api/v1/assets?kind=video")["total"]
    page.get_by_role("button", name="Videos").click()
    expect(page.get_by_role("button", name="Videos")).to_have_attribute("aria-pressed", "true")
    expect(status_of(page)).to_have_text(f"{total} items")
    assert query_of(page) == {"kind": ["video"]}
    page.go_back()
    expect(page.get_by_role("button", name="All", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )


def test_filter_of_a_search_keeps_the_results_until_the_newest_answer(
    page: Page, server: Server
) -> None:
    look(page, server, "q=lagoon")
    held: list[Route] = []
    page.route("**/api/v1/search?*", lambda route: held.append(route))
    page.get_by_role("button", name="Photos").click()
    expect(page.locator('[aria-busy="true"]')).to_be_visible()
    expect(first_result(page)).to_be_visible()
    page.get_by_role("button", name="Sounds").click()
    page.wait_for_function("() => location.search.includes('kind=audio')")
    page.unroute("**/api/v1/search?*")
    expect(page.get_by_role("button", name="Sounds")).to_have_attribute("aria-pressed", "true")
    # The answer about photos came too late: sounds is what is shown.
    expect(page.locator('[aria-busy="true"]')).to_have_count(0)
    expect(page.locator('[aria-label^="blue-lagoon.jpg"]')).to_have_count(0)


@pytest.mark.parametrize(
    ("menu", "choice", "expected"),
    [
        ("Rating", "3 stars or more", {"rating": ["3"]}),
        ("Length", "1 to 10 min", {"min_duration_s": ["60"], "max_duration_s": ["600"]}),
        ("Length", "Up to 10 s", {"max_duration_s": ["10"]}),
    ],
)
def test_menu_sets_a_filter_that_can_be_removed(
    page: Page, server: Server, menu: str, choice: str, expected: dict[str, list[str]]
) -> None:
    page.goto(server.url)
    page.get_by_role("button", name=menu, exact=True).click()
    page.get_by_role("dialog", name=menu).get_by_role("button", name=choice).click()
    expect(page.get_by_role("dialog", name=menu)).to_be_hidden()
    assert query_of(page) == expected
    page.reload()
    page.get_by_role("button", name=re.compile(f"^Remove the filter {menu}")).click()
    assert query_of(page) == {}


def test_quality_menu_combines_findings_and_gives_a_report(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/?kind=photo")
    page.get_by_role("button", name="Quality", exact=True).click()
    menu = page.get_by_role("dialog", name="Quality")
    menu.get_by_role("button", name="Sharp").click()
    menu.get_by_role("button", name="Clipped sound").click()
    assert query_of(page) == {"kind": ["photo"], "quality": ["sharp,clipping"]}
    menu.get_by_role("button", name="Clipped sound").click()
    assert query_of(page)["quality"] == ["sharp"]
    menu.get_by_role("button", name="Sharp").click()
    with page.expect_download() as started:
        menu.get_by_role("link", name="JSON").click()
    report = json.loads(started.value.path().read_text())
    total = server.get("/api/v1/assets?kind=photo")["total"]
    assert len(report["assets"]) == total > 0
    menu.get_by_role("button", name="Blurred").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("^Remove the filter Quality")).click()
    assert query_of(page) == {"kind": ["photo"]}


def test_dates_are_chosen_by_year_or_by_day(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.get_by_role("button", name="Date", exact=True).click()
    page.get_by_label("From", exact=True).fill("2024-03-05")
    page.get_by_label("To", exact=True).fill("2024-04-01")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=re.compile("^Date: .*2024"))).to_be_visible()
    assert query_of(page) == {"since": ["2024-03-05"], "until": ["2024-04-01"]}
    page.go_back()
    assert query_of(page) == {"since": ["2024-03-05"]}


def test_tag_menu_finds_a_tag_with_the_keyboard_alone(
    page: Page, server: Server, shared: Path
) -> None:
    page.goto(server.url)
    page.get_by_role("button", name="Tag", exact=True).press("Enter")
    menu = page.get_by_role("dialog", name="Tag")
    find = menu.get_by_role("searchbox", name="Find tags")
    expect(find).to_be_focused()
    choice = menu.get_by_role("list").get_by_role("button").first
    expect(choice).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(choice).to_be_focused()
    page.keyboard.press("Enter")
    expect(menu).to_be_hidden()
    (tag,) = query_of(page)["tag"]
    expect(page.get_by_role("button", name=f"Tag: {tag}", exact=True)).to_be_visible()
    total = server.get(f"/api/v1/assets?tag={tag.replace(' ', '+')}")["total"]
    expect(status_of(page)).to_have_text(re.compile(f"^{total} items?$"))


def test_several_filters_are_cleared_at_once(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/?q=lagoon&tag=nobody-has-this&rating=3")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    first_result(page).wait_for()
    assert query_of(page) == {"q": ["lagoon"]}


# What looks alike -----------------------------------------------------------------------------


def test_similar_pictures_are_found_from_a_tile(page: Page, server: Server, shared: Path) -> None:
    look(page, server, "q=red-kite.jpg")
    tile = first_result(page)
    tile.hover()
    asset = tile.get_attribute("data-asset")
    assert asset
    tile.get_by_role("button", name="Find similar").click()
    expect(page.get_by_text("Looks like red-kite.jpg")).to_be_visible()
    assert query_of(page) == {"like": [asset]}
    expect(page.get_by_text("looks like the chosen picture").first).to_be_visible()
    page.get_by_role("button", name="Stop looking for similar ones").click()
    assert query_of(page) == {}


def test_similar_to_a_frame_has_an_address(page: Page, server: Server, shared: Path) -> None:
    clip = server.asset("traffic-lights.mp4")
    look(page, server, f"like={clip}&like_at=7.50")
    expect(page.get_by_text("Looks like traffic-lights.mp4 at 0:07")).to_be_visible()
    expect(first_result(page)).to_have_attribute("aria-label", re.compile("^blue-lagoon.jpg"))
    page.get_by_role("button", name="Videos").click()
    expect(page.locator('[aria-label^="blue-lagoon.jpg"]')).to_have_count(0)
    assert query_of(page) == {"like": [clip], "like_at": ["7.50"], "kind": ["video"]}


def test_picture_of_ones_own_is_searched_with_and_survives_a_reload(
    page: Page, server: Server, shared: Path, tmp_path: Path
) -> None:
    picture = write_jpeg(tmp_path / "mine.jpg", RED, seed=9)
    page.goto(server.url)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Search with a picture").click()
    chooser.value.set_files(picture)
    expect(page.get_by_text("Looks like your picture")).to_be_visible()
    expect(first_result(page)).to_have_attribute("aria-label", re.compile("^red-kite.jpg"))
    shown = (
        "() => document.querySelector('.picture img[src*=\"search/pictures\"]').naturalWidth > 0"
    )
    page.wait_for_function(shown)
    assert query_of(page).keys() == {"picture"}
    page.reload()
    expect(first_result(page)).to_have_attribute("aria-label", re.compile("^red-kite.jpg"))
    page.get_by_role("button", name="Videos").click()
    expect(page.locator('[aria-label^="red-kite.jpg"]')).to_have_count(0)
    expect(page.get_by_text("Looks like your picture")).to_be_visible()


DROP = """([selector, bytes, type]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], 'mine', { type }));
  const box = document.querySelector(selector);
  for (const name of ['dragenter', 'dragover', 'drop'])
    box.dispatchEvent(new DragEvent(name, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
PASTE = """([bytes, type]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], 'image.png', { type }));
  document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
}"""


def test_picture_can_be_dropped_on_the_box_or_pasted(
    page: Page, server: Server, shared: Path, tmp_path: Path
) -> None:
    picture = list(write_jpeg(tmp_path / "mine.jpg", RED, seed=9).read_bytes())
    page.goto(server.url)
    box_of(page).wait_for()
    page.evaluate(DROP, ["form[role=search]", picture, "image/jpeg"])
    expect(first_result(page)).to_have_attribute("aria-label", re.compile("^red-kite.jpg"))
    page.goto(server.url)
    box_of(page).wait_for()
    page.evaluate(PASTE, [picture, "image/jpeg"])
    expect(page.get_by_text("Looks like your picture")).to_be_visible()


def test_file_that_is_no_picture_is_refused_in_words(
    page: Page, server: Server, expected_messages: set[str]
) -> None:
    expected_messages.add("status of 422")
    page.goto(server.url)
    box_of(page).wait_for()
    page.evaluate(DROP, ["form[role=search]", [1, 2, 3], "video/mp4"])
    expect(page.get_by_text(re.compile("^Search with a picture"))).to_be_visible()
    page.evaluate(DROP, ["form[role=search]", [1, 2, 3], "image/jpeg"])
    expect(page.get_by_text(re.compile("no picture"))).to_be_visible()
    assert query_of(page) == {}


# When something is wrong ----------------------------------------------------------------------


def test_a_server_error_is_shown_and_can_be_tried_again(
    page: Page, server: Server, expected_messages: set[str]
) -> None:
    expected_messages.add("status of 500")
    problem = '{"title": "Internal Server Error", "status": 500, "detail": "The index is damaged."}'

    def fail(route: Route) -> None:
        route.fulfill(status=500, content_type="application/problem+json", body=problem)

    page.route("**/api/v1/search?*", fail)
    page.goto(f"{server.url}/?q=lagoon")
    expect(page.get_by_role("alert")).to_have_text("The index is damaged.")
    page.unroute("**/api/v1/search?*")
    page.get_by_role("button", name="Try again").click()
    first_result(page).wait_for()


def test_a_lost_server_is_said_and_the_page_goes_on_when_it_is_back(
    page: Page, server: Server, expected_messages: set[str]
) -> None:
    expected_messages.add("ERR_INTERNET_DISCONNECTED")
    look(page, server, "q=lagoon")
    page.context.set_offline(True)
    page.get_by_role("button", name="Videos").click()
    lost = page.get_by_role("alert").filter(has_text="does not answer")
    expect(lost.first).to_be_visible()
    expect(first_result(page)).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("button", name="Photos").click()
    expect(lost).to_have_count(0)


def test_search_that_still_starts_up_answers_by_itself(page: Page, server: Server) -> None:
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        waiting = {"channel": "visual", "reason": "The query encoder is still loading its model."}
        if len(asked) == 1:
            route.fulfill(json={"results": [], "waiting": [waiting]})
        else:
            route.continue_()

    page.route("**/api/v1/search?*", answer)
    page.goto(f"{server.url}/?q=lagoon")
    expect(status_of(page)).to_contain_text("still loading its model")
    expect(page.get_by_role("heading", name="Nothing matches")).to_have_count(0)
    expect(first_result(page)).to_have_attribute("aria-label", re.compile("^blue-lagoon.jpg"))


def test_results_fit_a_phone(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    look(page, server, "q=lagoon+-nothing&kind=photo")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_role("button", name="Rating", exact=True).click()
    menu = page.get_by_role("dialog", name="Rating")
    expect(menu).to_be_visible()
    box = menu.bounding_box()
    assert box and (box["x"], round(box["y"] + box["height"])) == (0, 640)
