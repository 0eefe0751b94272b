"""Looking at one asset: pictures, clips at their moment, sound, and what is known of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Server

CURRENT_TIME = "() => document.querySelector('video, audio').currentTime"
IS_SEEKED = """() => { const v = document.querySelector('video, audio');
                       return v.readyState >= 2 && !v.seeking; }"""


def seconds(page: Page) -> float:
    page.locator("dialog video").wait_for()  # a predicate that throws ends the wait
    page.wait_for_function(IS_SEEKED)
    return float(page.evaluate(CURRENT_TIME))


def test_a_picture_opens_the_arrows_walk_and_escape_returns(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/?kind=photo")
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


def test_the_focus_stays_in_the_viewer(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/?kind=photo")
    page.locator("[data-asset]").first.press("Enter")
    page.get_by_role("dialog").wait_for()
    outside = "() => !!document.activeElement.closest('main, header:not(dialog header)')"
    for _ in range(12):
        page.keyboard.press("Tab")
        assert not page.evaluate(outside)


def test_back_closes_the_viewer(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.locator("[data-asset]").first.click()
    page.get_by_role("dialog").wait_for()
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("[data-asset]").first).to_be_visible()


def test_a_link_opens_a_clip_at_its_second(page: Page, server: Server) -> None:
    clip = server.asset("traffic-lights.mp4")
    page.goto(f"{server.url}/?asset={clip}&at=4.5")
    assert seconds(page) == pytest.approx(4.5, abs=2.5)
    page.keyboard.press("l")
    assert seconds(page) > 6


def test_a_found_clip_plays_from_its_moment(page: Page, server: Server, shared: Path) -> None:
    found = server.get("/api/v1/search?q=bottles+of+water&kind=video")["results"]
    moment = next(hit for hit in found if "bottle" in hit["path"])["moments"][0]
    page.goto(f"{server.url}/?q=bottles+of+water&kind=video")
    page.locator('[aria-label^="bottle-detection.mp4"]').click()
    page.locator("dialog video").wait_for()
    page.wait_for_function("() => !document.querySelector('video').paused")
    assert seconds(page) == pytest.approx(moment["at_s"], abs=3)
    page.keyboard.press("k")
    assert page.evaluate("() => document.querySelector('video').paused")
    chip = page.get_by_role("dialog").get_by_role("button", name=re.compile("^Play at"))
    page.evaluate("() => { document.querySelector('video').currentTime = 30 }")
    chip.first.click()
    page.wait_for_function(f"() => document.querySelector('video').currentTime < {moment['end_s']}")
    page.wait_for_function("() => !document.querySelector('video').paused")


def test_sound_is_played_over_its_waveform(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/?asset={server.asset('tuning-fork.wav')}")
    viewer = page.get_by_role("dialog", name="audio tuning-fork.wav")
    canvas = viewer.locator("canvas")
    drawn = """(canvas) => canvas.getContext('2d')
                 .getImageData(0, 0, canvas.width, canvas.height).data.some((v) => v > 0)"""
    page.locator("dialog canvas").wait_for()  # the waveform comes after the dialog
    page.wait_for_function(f"() => ({drawn})(document.querySelector('dialog canvas'))")
    box = canvas.bounding_box()
    assert box
    canvas.click(position={"x": box["width"] / 2, "y": 10})
    page.wait_for_function("() => document.querySelector('audio')?.currentTime >= 1.4")


def test_a_tag_is_added_found_and_taken_back(page: Page, server: Server) -> None:
    address = f"{server.url}/?asset={server.asset('red-kite.jpg')}"
    page.goto(address)
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("i")
    page.get_by_label("New tag").fill("kite festival")
    page.get_by_role("button", name="Add", exact=True).click()
    approve = page.get_by_role("button", name="Approve kite festival")
    expect(approve).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name=re.compile("^kite festival")).click()
    expect(page.locator("[data-asset]")).to_have_count(1)
    assert "tag=kite+festival" in page.url
    page.goto(address)
    expect(approve).to_have_attribute("aria-pressed", "true")
    approve.click()
    expect(approve).to_have_count(0)


def test_a_suggested_tag_is_rejected_for_good(page: Page, server: Server, shared: Path) -> None:
    photos = server.get("/api/v1/assets?kind=photo&limit=200")["assets"]
    suggested = (
        (photo["id"], tag["word"])
        for photo in photos
        for tag in server.get(f"/api/v1/assets/{photo['id']}")["tags"]
        if tag["source"] == "model"
    )
    asset, word = next(suggested)
    page.goto(f"{server.url}/?asset={asset}")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("i")
    reject = page.get_by_role("button", name=f"Reject {word}", exact=True)
    expect(reject).to_have_attribute("aria-pressed", "false")
    reject.click()
    expect(reject).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(reject).to_have_attribute("aria-pressed", "true")


def test_an_asset_that_is_gone_says_so(
    page: Page, server: Server, expected_messages: set[str]
) -> None:
    expected_messages.add("status of 404")
    page.goto(f"{server.url}/?asset=nothing-has-this-id")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-asset]").first).to_be_visible()


def test_similar_pictures_are_one_key_away(page: Page, server: Server, shared: Path) -> None:
    page.goto(f"{server.url}/?asset={server.asset('red-kite.jpg')}")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("s")
    expect(page.get_by_role("button", name=re.compile("similar to one picture"))).to_be_visible()
    expect(page.locator("[data-asset]").first).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
