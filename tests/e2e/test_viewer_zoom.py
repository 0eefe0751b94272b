"""Photos as close as their pixels go: with mouse, wheel, keys and fingers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import PATIENCE_MS
from tests.e2e.viewing import LARGE, box

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

    from tests.e2e.viewing import Studio

FULL_WIDTH = "() => document.querySelector('img.full.there')?.naturalWidth"
PREVIEW_SHOWN = """() => { const [preview, full] = document.querySelectorAll('figure img');
    return preview.naturalWidth > 0 && getComputedStyle(full).opacity === '0'; }"""
AT = (500.0, 400.0)


def shown(page: Page, desk: Studio, name: str = "large.jpg", query: str = "") -> Locator:
    """The stage, once the fitted preview is on it."""
    viewer = desk.open(page, name, query)
    expect(viewer.get_by_role("img")).to_be_visible()
    page.wait_for_function("() => document.querySelector('figure img').naturalWidth > 0")
    return viewer.locator("figure")


def under(stage: Locator, x: float, y: float) -> tuple[float, float]:
    """The pixel of the picture that lies at a point of the page."""
    lies = box(stage.locator(".picture"))
    return (
        (x - lies["x"]) / lies["width"] * LARGE[0],
        (y - lies["y"]) / lies["height"] * LARGE[1],
    )


def test_a_double_click_shows_the_pixels_under_the_pointer(page: Page, desk: Studio) -> None:
    stage = shown(page, desk)
    before = under(stage, *AT)
    page.mouse.dblclick(*AT)
    expect(stage).to_have_attribute("data-zoom", "100")
    assert under(stage, *AT) == pytest.approx(before, abs=1)
    assert box(stage.locator(".picture"))["width"] == pytest.approx(LARGE[0], abs=0.5)
    page.wait_for_function(f"() => ({FULL_WIDTH})() === {LARGE[0]}")
    page.mouse.dblclick(*AT)
    expect(page.get_by_role("button", name=re.compile("^Fit, "))).to_be_visible()


def test_the_preview_stays_until_the_full_picture_is_there(page: Page, desk: Studio) -> None:
    held: list[Route] = []
    page.route("**/full?*", lambda route: held.append(route))
    shown(page, desk)
    page.mouse.dblclick(*AT)
    expect(page.get_by_text("Loading the full picture…")).to_be_visible()
    assert page.evaluate(PREVIEW_SHOWN)
    held[0].continue_()
    page.wait_for_function(f"() => ({FULL_WIDTH})() === {LARGE[0]}")
    expect(page.get_by_text("Loading the full picture…")).to_have_count(0)


def test_a_full_picture_that_cannot_be_had_leaves_the_preview(
    page: Page, desk: Studio, expected_messages: set[str]
) -> None:
    expected_messages.add("status of 503")
    page.route("**/full?*", lambda route: route.fulfill(status=503))
    stage = shown(page, desk)
    page.keyboard.press("z")
    expect(page.get_by_text("The full picture cannot be had")).to_be_visible()
    expect(stage.get_by_role("img")).to_be_visible()


def test_nothing_full_is_loaded_for_a_fitted_picture(page: Page, desk: Studio) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    shown(page, desk)
    page.wait_for_timeout(1000)  # longer than it rests before it sharpens a stretched one
    assert not [url for url in asked if "/full" in url]


def test_a_large_screen_gets_the_full_picture_when_a_person_rests(page: Page, desk: Studio) -> None:
    page.set_viewport_size({"width": 3840, "height": 2160})
    shown(page, desk)
    page.wait_for_function(f"() => ({FULL_WIDTH})() === {LARGE[0]}")
    expect(page.get_by_role("button", name=re.compile("^Fit, "))).to_be_visible()


def test_the_wheel_zooms_around_the_pointer(page: Page, desk: Studio) -> None:
    stage = shown(page, desk)
    fitted = box(stage.locator(".picture"))["width"]
    before = under(stage, *AT)
    page.mouse.move(*AT)
    for _ in range(3):
        page.mouse.wheel(0, -200)
    expect(stage).to_have_class(re.compile("overflows"))
    assert box(stage.locator(".picture"))["width"] > 2 * fitted
    assert under(stage, *AT) == pytest.approx(before, abs=1)
    for _ in range(12):
        page.mouse.wheel(0, 300)
    expect(page.get_by_role("button", name=re.compile("^Fit, "))).to_be_visible()


def test_a_drag_pans_and_stops_at_the_edge(page: Page, desk: Studio) -> None:
    stage = shown(page, desk)
    page.mouse.dblclick(*AT)
    expect(stage).to_have_attribute("data-zoom", "100")
    before = under(stage, *AT)
    page.mouse.move(*AT)
    page.mouse.down()
    page.mouse.move(AT[0] + 80, AT[1] - 60, steps=6)
    page.mouse.up()
    moved = under(stage, *AT)
    assert (before[0] - moved[0], moved[1] - before[1]) == pytest.approx((80, 60), abs=1)
    page.mouse.move(200, 200)
    page.mouse.down()
    page.mouse.move(1200, 780, steps=4)
    page.mouse.move(200, 200)
    page.mouse.move(1200, 780, steps=4)
    page.mouse.up()
    lies, room = box(stage.locator(".picture")), box(stage)
    assert lies["x"] <= room["x"] + 0.5
    assert lies["y"] <= room["y"] + 0.5


def test_keys_and_buttons_zoom_as_well(page: Page, desk: Studio) -> None:
    stage = shown(page, desk)
    page.keyboard.press("Enter")
    expect(stage).to_have_attribute("data-zoom", "100")
    page.keyboard.press("+")
    expect(stage).to_have_attribute("data-zoom", "150")
    page.keyboard.press("-")
    expect(stage).to_have_attribute("data-zoom", "100")
    page.get_by_role("button", name="Zoom in").click()
    expect(stage).to_have_attribute("data-zoom", "150")
    page.get_by_role("button", name="150 %. Fit").click()
    expect(page.get_by_role("button", name=re.compile("^Fit, "))).to_be_visible()


def test_the_keyboard_alone_looks_around(page: Page, desk: Studio) -> None:
    stage = shown(page, desk)
    page.keyboard.press("z")
    expect(stage).to_have_attribute("data-zoom", "100")
    before, room = under(stage, *AT), box(stage)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    right, down = (now - then for now, then in zip(under(stage, *AT), before, strict=True))
    assert (right, down) == pytest.approx((room["width"] / 5, room["height"] / 5), abs=1)
    expect(page.get_by_role("dialog", name=re.compile("large"))).to_be_visible()


def test_the_next_picture_is_seen_as_close(page: Page, desk: Studio) -> None:
    stage = shown(page, desk, "large.jpg", "kind=photo")  # the one with a date: it comes first
    page.keyboard.press("z")
    expect(stage).to_have_attribute("data-zoom", "100")
    page.get_by_role("button", name="Next").wait_for()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("dialog", name=re.compile("large"))).to_have_count(0)
    expect(page.locator("figure")).to_have_attribute("data-zoom", "100")


def test_fingers_pinch_pan_and_swipe(browser: Browser, desk: Studio) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, locale="en-GB"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    try:
        stage = shown(page, desk, "large.jpg", "kind=photo")
        fingers = context.new_cdp_session(page)

        def touch(kind: str, *points: tuple[float, float]) -> None:
            fingers.send(
                "Input.dispatchTouchEvent",
                {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]},
            )

        fitted, room = box(stage.locator(".picture"))["width"], box(stage)
        y = room["y"] + room["height"] / 2
        middle = under(stage, 195, y)
        touch("touchStart", (175, y), (215, y))
        for spread in range(30, 130, 10):
            touch("touchMove", (195 - spread, y), (195 + spread, y))
        touch("touchEnd")
        assert box(stage.locator(".picture"))["width"] > 4 * fitted
        assert under(stage, 195, y) == pytest.approx(middle, abs=30)

        before = under(stage, 195, 400)
        touch("touchStart", (195, 400))
        for step in range(1, 8):
            touch("touchMove", (195 - step * 10, 400))
        touch("touchEnd")
        assert under(stage, 195, 400)[0] > before[0] + 20
        expect(page.get_by_role("dialog", name=re.compile("large"))).to_be_visible()

        page.get_by_role("button", name=re.compile("Fit$")).click()
        expect(page.get_by_role("button", name=re.compile("^Fit, "))).to_be_visible()
        touch("touchStart", (300, 400))
        for step in range(1, 10):
            touch("touchMove", (300 - step * 20, 400))
        touch("touchEnd")
        expect(page.get_by_role("dialog", name=re.compile("large"))).to_have_count(0)
        expect(page.get_by_role("dialog")).to_be_visible()
    finally:
        context.close()
