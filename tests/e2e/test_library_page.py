"""The library: a timeline of everything, as a person scrolls, walks and sorts it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.asking import add_library, wait_for_previews
from tests.e2e.frame_cost import traced
from tests.e2e.large_library import ASSETS, build_large_library, serving_large
from tests.media import GREEN, RED, write_jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext

    from tests.e2e.conftest import Server

MOST_TILES = 500
FOUND_MS = 90_000  # other tests run beside this one
# A thousand lines of text made and laid out: more than that no frame may cost in script, style and
# layout, on whatever machine (11 ms where scrolling costs 8 to 10).
YARDSTICK = """() => new Promise((done) => requestAnimationFrame(() => {
  const lines = document.createElement('div');
  for (let n = 0; n < 1000; n += 1) {
    lines.append(Object.assign(document.createElement('p'), { textContent: n }));
  }
  document.body.append(lines);
  const height = lines.offsetHeight;
  lines.remove();
  done(height);
}))"""
SOMETHING_MS = 0.3
SCROLLED = "() => Math.round(scrollY)"
SCROLL = """([step_px, steps]) => new Promise((done) => {
  let i = 0;
  const next = () => {
    scrollBy({ top: step_px, behavior: 'instant' });
    if (++i < steps) requestAnimationFrame(next);
    else setTimeout(done, 300);
  };
  requestAnimationFrame(next);
})"""
HEIGHT = "() => document.documentElement.scrollHeight"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("large") / "home"
    build_large_library(home)
    with serving_large(home) as running:
        yield running


def open_library(page: Page, server: Server, query: str = "") -> None:
    page.goto(f"{server.url}/{query}")
    page.locator("[data-asset]").first.wait_for()


def tile_of(page: Page, server: Server, name: str) -> str:
    """Undated assets lie in the order of their random ids: only a high window has them all."""
    page.set_viewport_size({"width": 1280, "height": 2400})
    return f'[data-asset="{server.asset(name)}"]'


def chosen(page: Page) -> int:
    return page.locator('[role=gridcell][aria-selected="true"]').count()


def test_everything_is_shown_under_its_day(page: Page, server: Server) -> None:
    total = server.get("/api/v1/assets?limit=1")["total"]
    open_library(page, server)
    expect(page.get_by_role("status").filter(has_text="items")).to_have_text(f"{total} items")
    expect(page.get_by_role("grid", name="Library").get_by_role("heading").first).to_be_visible()
    page.locator("[data-asset]").first.focus()
    page.keyboard.press("End")
    expect(page.locator(f'[data-index="{total - 1}"]')).to_be_focused()
    loaded = "() => [...document.querySelectorAll('[data-asset] img')].some(i => i.naturalWidth)"
    page.wait_for_function(loaded)


def test_what_is_found_while_the_page_is_open_comes_with_its_name(
    page: Page, empty_server: Server, tmp_path: Path, expected_messages: set[str]
) -> None:
    expected_messages.add("status of 404")  # the new picture's preview is still to be made
    folder = tmp_path / "Pictures"
    write_jpeg(folder / "red-kite.jpg", RED, seed=1)
    add_library(empty_server, folder)
    wait_for_previews(empty_server, assets=1)
    open_library(page, empty_server)
    expect(page.get_by_role("gridcell", name="red-kite.jpg")).to_be_visible()
    # It joins the row that is there already: no row is new.
    write_jpeg(folder / "green-meadow.jpg", GREEN, seed=2)
    expect(page.get_by_role("gridcell", name="green-meadow.jpg")).to_be_visible(timeout=FOUND_MS)
    expect(page.locator("[role=row][aria-rowindex]")).to_have_count(1)


def test_a_sound_shows_its_wave_and_a_video_its_length(page: Page, server: Server) -> None:
    open_library(page, server)
    expect(
        page.locator(f"{tile_of(page, server, 'tuning-fork.wav')} svg path").first
    ).to_be_visible()
    expect(page.locator(tile_of(page, server, "traffic-lights.mp4"))).to_contain_text("0:09")


def test_pointing_at_a_video_scrubs_it(page: Page, server: Server) -> None:
    open_library(page, server)
    tile = page.locator(tile_of(page, server, "traffic-lights.mp4"))
    with page.expect_response("**/sprite?*"):
        tile.hover()


def test_filters_narrow_the_timeline_and_back_widens_it(page: Page, server: Server) -> None:
    open_library(page, server)
    page.get_by_role("button", name="Videos").click()
    expect(page.locator("[data-asset]")).to_have_count(
        server.get("/api/v1/assets?kind=video")["total"]
    )
    page.go_back()
    expect(page.get_by_role("status").filter(has_text="items")).to_have_text(
        f"{server.get('/api/v1/assets?limit=1')['total']} items"
    )


def test_the_rail_leads_to_every_page_and_back(page: Page, server: Server) -> None:
    open_library(page, server)
    rail = page.get_by_role("navigation", name="Main").filter(visible=True)
    for name in ("Folders", "Places", "People", "Libraries", "Work", "Models", "Trash"):
        rail.get_by_role("link", name=name, exact=True).click()
        expect(page).to_have_url(re.compile(f"/{name.lower()}$"))
        expect(rail.get_by_role("link", name=name, exact=True)).to_have_attribute(
            "aria-current", "page"
        )
        expect(page.get_by_role("heading", name="There is no such page")).to_have_count(0)
    rail.get_by_role("link", name="Library", exact=True).click()
    expect(page.locator("[data-asset]").first).to_be_visible()


def test_keys_walk_open_and_select(page: Page, server: Server) -> None:
    open_library(page, server)
    tiles = page.locator("[data-asset]")
    tiles.first.focus()
    page.keyboard.press("ArrowRight")
    expect(tiles.nth(1)).to_be_focused()
    page.keyboard.press("End")
    page.wait_for_function("() => +document.activeElement.dataset.index > 1")
    page.keyboard.press("Home")
    expect(tiles.first).to_be_focused()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert chosen(page) == 3
    page.keyboard.press("Escape")
    assert chosen(page) == 0
    page.keyboard.press("Control+Space")
    assert chosen(page) == 1
    page.keyboard.press("Control+a")
    total = server.get("/api/v1/assets?limit=1")["total"]
    expect(page.get_by_role("toolbar", name="Selection")).to_contain_text(f"{total} selected")
    page.keyboard.press("Escape")
    page.keyboard.press("Space")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(tiles.nth(2)).to_be_focused()


def test_clicks_select_one_a_range_a_day_and_all(page: Page, server: Server) -> None:
    open_library(page, server)
    tiles = page.locator("[data-asset]")
    bar = page.get_by_role("toolbar", name="Selection")
    tiles.nth(1).hover()
    tiles.nth(1).get_by_role("button", name="Select").click()
    expect(bar).to_contain_text("1 selected")
    tiles.nth(4).click(modifiers=["Shift"])
    expect(bar).to_contain_text("4 selected")
    tiles.nth(4).click(modifiers=["Control"])
    expect(bar).to_contain_text("3 selected")
    bar.get_by_role("button", name="Clear the selection").click()
    expect(bar).to_have_count(0)
    day = page.get_by_role("rowheader").first
    day.hover()
    day.get_by_role("button").click()
    assert chosen(page) >= 1
    bar.get_by_role("button", name="Clear the selection").click()
    tiles.nth(1).click(modifiers=["Control"])
    total = server.get("/api/v1/assets?limit=1")["total"]
    bar.get_by_role("button", name=f"Select all {total}").click()
    expect(bar).to_contain_text(f"{total} selected")


def test_a_long_press_selects_on_a_phone(browser_phone: Page, server: Server) -> None:
    page = browser_phone
    open_library(page, server)
    tile = page.locator("[data-asset]").first
    box = tile.bounding_box()
    assert box is not None
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    expect(page.get_by_role("toolbar", name="Selection")).to_be_visible()
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert chosen(page) == 1
    page.locator("[data-asset]").nth(1).tap()
    expect(page.locator('[aria-selected="true"]')).to_have_count(2)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_rating_and_tagging_many_and_taking_it_back(page: Page, server: Server) -> None:
    open_library(page, server)
    tiles = page.locator("[data-asset]")
    ids = [tiles.nth(i).get_attribute("data-asset") for i in range(2)]
    before = [server.get(f"/api/v1/assets/{id_}")["card"]["rating"] for id_ in ids]

    def ratings() -> list[object]:
        return [server.get(f"/api/v1/assets/{id_}")["card"]["rating"] for id_ in ids]

    tiles.nth(0).click(modifiers=["Control"])
    tiles.nth(1).click(modifiers=["Control"])
    page.get_by_role("button", name="Rate").click()
    page.get_by_role("button", name="4 stars").click()
    messages = page.get_by_role("status", name="Messages")
    expect(messages).to_contain_text("★★★★ for 2 items")
    expect(tiles.nth(0)).to_contain_text("★★★★")
    assert ratings() == [4, 4]
    messages.get_by_role("button", name="Undo").click()
    expect(messages).to_contain_text("Taken back")
    expect(tiles.nth(0)).not_to_contain_text("★★★★")
    assert ratings() == before

    page.get_by_role("button", name="Tag", exact=True).last.click()
    page.get_by_role("textbox", name="Tag").fill("timeline-test")
    page.keyboard.press("Enter")
    expect(messages).to_contain_text("Tagged 2 items “timeline-test”")
    assert server.get("/api/v1/assets?tag=timeline-test")["total"] == 2
    page.keyboard.press("Control+z")
    expect(messages).to_contain_text("Taken back")
    assert server.get("/api/v1/assets?tag=timeline-test")["total"] == 0


def test_the_trash_takes_assets_out_of_the_library_until_undone(page: Page, server: Server) -> None:
    open_library(page, server)
    status = page.get_by_role("status").filter(has_text="items")
    total = server.get("/api/v1/assets?limit=1")["total"]
    gone = page.locator(tile_of(page, server, "blue-lagoon.jpg"))
    gone.click(modifiers=["Control"])
    page.keyboard.press("Delete")
    expect(gone).to_have_count(0)
    expect(status).to_have_text(f"{total - 1} items")
    expect(page.get_by_role("toolbar", name="Selection")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(gone).to_have_count(1)


def test_pictures_can_be_made_smaller_and_stay_so(page: Page, server: Server) -> None:
    open_library(page, server)
    tile = page.locator("[data-asset]").first
    usual = tile.bounding_box()
    page.get_by_role("button", name="Smaller pictures").click()
    page.keyboard.press("-")
    page.wait_for_timeout(200)
    smaller = tile.bounding_box()
    assert usual and smaller
    assert smaller["height"] < usual["height"] * 0.8
    page.reload()
    tile.wait_for()
    again = tile.bounding_box()
    assert again and abs(again["height"] - smaller["height"]) < 1
    page.get_by_role("button", name="Larger pictures").click(click_count=2)


def test_a_number_rates_the_tile_with_the_focus(page: Page, server: Server) -> None:
    open_library(page, server)
    tile = page.locator(tile_of(page, server, "green-meadow.jpg"))
    tile.focus()
    page.keyboard.press("3")
    expect(tile).to_contain_text("★★★")
    page.keyboard.press("Control+z")
    expect(tile).not_to_contain_text("★★★")


def test_large_library_has_its_full_height_at_once_and_few_tiles(page: Page, large: Server) -> None:
    open_library(page, large)
    expect(page.get_by_role("status").filter(has_text="items")).to_have_text(f"{ASSETS:,} items")
    height = page.evaluate(HEIGHT)
    assert height > 1_000_000
    for share in (0.2, 0.71, 0.99, 0.4):
        page.evaluate(f"() => scrollTo(0, {height} * {share})")
        page.locator("[data-asset] img").first.wait_for()
        assert page.locator("[data-asset]").count() <= MOST_TILES
        assert page.evaluate(HEIGHT) == height


@pytest.mark.parametrize(("step_px", "steps"), [(120, 150), (600, 150), (4000, 100)])
def test_scrolling_costs_little_in_every_frame(
    page: Page, large: Server, browser: Browser, step_px: int, steps: int
) -> None:
    """Calm reading, a fast wheel, a fling through years; the cheapest of three runs counts, since
    other processes on the machine empty the processor's caches."""
    open_library(page, large)
    page.wait_for_timeout(500)
    with traced(browser, page) as drawn:
        for _ in range(20):
            page.evaluate(YARDSTICK)
    yardstick_ms = drawn.busier_than(SOMETHING_MS).percentile(0.5)
    costs = []
    for _ in range(3):
        with traced(browser, page) as frames:
            page.evaluate(SCROLL, [step_px, steps])
        busy = frames.busier_than(SOMETHING_MS)
        assert len(busy.costs_ms) >= steps / 2
        costs.append(busy.percentile(0.95))
        if costs[-1] <= yardstick_ms:
            break
    assert min(costs) <= yardstick_ms, costs
    assert page.locator("[data-asset]").count() <= MOST_TILES


def test_pictures_are_walked_beyond_what_is_in_the_page(page: Page, large: Server) -> None:
    open_library(page, large)
    page.locator("[data-asset]").first.focus()
    page.keyboard.press("End")
    page.wait_for_function(f"() => document.activeElement.dataset.index === '{ASSETS - 1}'")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"() => document.activeElement.dataset.index === '{ASSETS - 2}'")


def test_scrubber_goes_to_a_year_by_pointer_and_by_keys(page: Page, large: Server) -> None:
    open_library(page, large)
    scrubber = page.get_by_role("slider", name="Time")
    expect(scrubber).to_have_attribute("aria-valuetext", "June 2026")
    box = scrubber.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + box["height"] / 2)
    pointed = scrubber.locator(".pointed").inner_text()
    page.mouse.down()
    page.mouse.up()
    expect(scrubber).to_have_attribute("aria-valuetext", pointed)
    scrubber.focus()
    page.keyboard.press("PageDown")
    year = int(pointed[-4:]) - 1
    expect(scrubber).to_have_attribute("aria-valuetext", re.compile(f"{year}$"))
    heading = page.get_by_role("heading", name=re.compile(f" {year}$"))
    expect(heading.first).to_be_visible()


def test_place_is_kept_on_return_from_a_page_and_after_a_reload(page: Page, large: Server) -> None:
    open_library(page, large)
    page.evaluate("() => scrollTo(0, 700_000)")
    page.wait_for_timeout(300)
    seen = page.evaluate(SCROLLED)
    rail = page.get_by_role("navigation", name="Main").filter(visible=True)
    rail.get_by_role("link", name="Work", exact=True).click()
    expect(page).to_have_url(re.compile("/work$"))
    page.go_back()
    page.wait_for_function(f"() => Math.abs(scrollY - {seen}) < 2")
    expect(page.locator("[data-asset]").first).to_be_visible()
    page.reload()
    page.wait_for_function(f"() => Math.abs(scrollY - {seen}) < 2")


def test_the_viewer_returns_to_the_picture_seen_last(
    page: Page, large: Server, expected_messages: set[str]
) -> None:
    expected_messages.add("status of 404")  # only previews are there, no originals
    open_library(page, large)
    page.evaluate("() => scrollTo(0, 500_000)")
    page.locator("[data-asset] img").first.wait_for()
    page.wait_for_timeout(300)
    in_sight = page.evaluate(
        "() => [...document.querySelectorAll('[data-asset]')].find("
        "e => e.getBoundingClientRect().top > 200).dataset.index"
    )
    page.locator(f'[data-index="{in_sight}"]').click()
    expect(page.get_by_role("dialog")).to_be_visible()
    for _ in range(3):
        url = page.url
        page.keyboard.press("ArrowRight")
        page.wait_for_function(f"() => location.href !== '{url}'")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(f'[data-index="{int(in_sight) + 3}"]')).to_be_focused()


def test_a_narrower_window_keeps_the_picture_at_the_top(page: Page, large: Server) -> None:
    open_library(page, large)
    page.evaluate("() => scrollTo(0, 900_000)")
    page.wait_for_timeout(300)
    at_top = (
        "() => { const e = document.elementFromPoint(innerWidth / 4, 120);"
        " return e.closest('[data-index]') ? +e.closest('[data-index]').dataset.index : -1 }"
    )
    page.wait_for_function(f"() => ({at_top})() > 0")
    before = page.evaluate(at_top)
    page.set_viewport_size({"width": 820, "height": 800})
    # Rows come a few in each frame: on a busy machine there is nothing under the point for a while.
    page.wait_for_function(f"(before) => Math.abs(({at_top})() - before) <= 12", arg=before)


@pytest.fixture
def browser_phone(context: BrowserContext) -> Iterator[Page]:
    browser = context.browser
    assert browser is not None
    phone = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, locale="en-GB"
    )
    phone.set_default_timeout(20_000)
    yield phone.new_page()
    phone.close()
