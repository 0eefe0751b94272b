"""Clips and sounds as in an editor's source monitor: shuttle, frames, shots, marks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.viewing import CURRENT_TIME, RATE, box, frames, position, seconds

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator

    from tests.e2e.viewing import Studio

# The clip of the tests has 10 frames a second: red for 3 s, then green, then blue.
CLIP, FRAME_RATE = "traffic-lights.mp4", 10
SAYS_RANGE = re.compile(r"^\d\d:\d\d:\d\d:\d\d – \d\d:\d\d:\d\d:\d\d$")


@pytest.fixture
def clip(page: Page, desk: Studio) -> Locator:
    """The viewer with the clip standing at its start."""
    viewer = desk.open(page, CLIP)
    assert seconds(page) == 0
    return viewer


def click_at(page: Page, share: float) -> None:
    lies = box(page.get_by_role("slider", name="Position"))
    page.mouse.click(lies["x"] + share * lies["width"], lies["y"] + lies["height"] / 2)
    seconds(page)


def test_a_link_opens_a_clip_at_its_second(page: Page, desk: Studio) -> None:
    desk.open(page, CLIP, at="&at=4.5")
    assert seconds(page) == pytest.approx(4.5, abs=2.5)


def test_a_found_clip_plays_from_its_moment(page: Page, desk: Studio, shared: Path) -> None:
    hit = desk.found("q=bottles+of+water&kind=video", "bottle")
    moment = hit["moments"][0]
    page.goto(f"{desk.url}/?q=bottles+of+water&kind=video")
    page.locator(f'[data-asset="{hit["asset_id"]}"]').click()
    viewer = page.get_by_role("dialog", name="video bottle-detection.mp4")
    viewer.locator("video").wait_for()
    page.wait_for_function(f"() => ({RATE})() === 1")
    assert seconds(page) == pytest.approx(moment["at_s"], abs=3)
    page.keyboard.press("k")
    assert page.evaluate(RATE) == 0
    expect(viewer.locator(".timeline .hit")).to_have_count(len(hit["moments"]))
    expect(viewer.locator(".timeline .best").first).to_be_visible()
    click_at(page, 0.9)
    viewer.get_by_role("button", name=re.compile("^Play at")).first.click()
    page.wait_for_function(f"() => ({RATE})() === 1")
    assert seconds(page) == pytest.approx(moment["at_s"], abs=3)


def test_l_runs_faster_with_each_press_and_k_stops(page: Page, clip: Locator) -> None:
    for speed in (1, 2, 4, 8, 8):
        page.keyboard.press("l")
        page.wait_for_function(f"() => document.querySelector('video').playbackRate === {speed}")
    expect(clip.get_by_role("status").filter(has_text="8×")).to_be_visible()
    page.keyboard.press("k")
    assert page.evaluate(RATE) == 0
    stood = seconds(page)
    page.wait_for_timeout(300)
    assert page.evaluate(CURRENT_TIME) == stood > 0


def test_j_runs_backwards_to_the_start(page: Page, clip: Locator) -> None:
    page.keyboard.press("End")
    start = seconds(page)
    page.keyboard.press("j")
    page.wait_for_function(f"() => ({CURRENT_TIME})() < {start - 0.3}")
    page.keyboard.press("j")
    expect(clip.get_by_role("status").filter(has_text="−2×")).to_be_visible()
    page.keyboard.press("j")
    page.wait_for_function(f"() => ({CURRENT_TIME})() === 0")
    expect(clip.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_frames_are_stepped_one_by_one(page: Page, clip: Locator) -> None:
    click_at(page, 0.5)
    before = frames(position(clip), FRAME_RATE)
    for _ in range(3):
        page.keyboard.press(".")
    seconds(page)
    assert frames(position(clip), FRAME_RATE) == before + 3
    page.keyboard.press(",")
    clip.get_by_role("button", name="One frame back").click()
    seconds(page)
    assert frames(position(clip), FRAME_RATE) == before + 1
    page.keyboard.down("k")
    page.keyboard.press("l")
    page.keyboard.press("l")
    page.keyboard.press("j")
    page.keyboard.up("k")
    seconds(page)
    assert frames(position(clip), FRAME_RATE) == before + 2
    assert page.evaluate(RATE) == 0


def test_real_frames_of_2997_are_stepped_one_by_one(page: Page, desk: Studio, shared: Path) -> None:
    viewer = desk.open(page, "testvideo.mp4")
    seconds(page)
    click_at(page, 0.7)
    first = frames(position(viewer), 30)
    for step in range(1, 12):
        page.keyboard.press(".")
        assert frames(position(viewer), 30) == first + step
    assert seconds(page) * 30000 / 1001 == pytest.approx(first + 11.5, abs=0.3)


def test_shots_are_segments_to_jump_between(page: Page, desk: Studio, shared: Path) -> None:
    shots = desk.detail("testvideo.mp4")["shots"]
    assert len(shots) > 3
    viewer = desk.open(page, "testvideo.mp4")
    expect(viewer.locator(".timeline .shot:not(.whole)")).to_have_count(len(shots))
    seconds(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert seconds(page) == pytest.approx(shots[2]["start_s"], abs=0.05)
    page.keyboard.press("ArrowUp")
    assert seconds(page) == pytest.approx(shots[1]["start_s"], abs=0.05)
    viewer.get_by_role("button", name="Next shot").click()
    assert seconds(page) == pytest.approx(shots[2]["start_s"], abs=0.05)


def test_pointing_at_the_time_line_shows_the_frame_there(
    page: Page, desk: Studio, shared: Path
) -> None:
    shots = desk.detail("testvideo.mp4")["shots"]
    viewer = desk.open(page, "testvideo.mp4")
    lies = box(viewer.get_by_role("slider", name="Position"))
    page.mouse.move(lies["x"] + lies["width"] / 2, lies["y"] + 20)
    frame = viewer.locator(".timeline .frame")
    expect(frame.locator(".picture")).to_have_css("background-image", re.compile("/sprite"))
    expect(frame).to_contain_text(re.compile(r"00:00:1[12]:\d\d"))
    expect(frame).to_contain_text(f"of {len(shots)}")
    assert seconds(page) == 0
    page.mouse.move(10, 10)
    expect(frame).to_have_count(0)


def test_dragging_on_the_time_line_scrubs(page: Page, clip: Locator) -> None:
    lies = box(clip.get_by_role("slider", name="Position"))
    page.mouse.move(lies["x"] + 10, lies["y"] + 20)
    page.mouse.down()
    page.mouse.move(lies["x"] + lies["width"] * 0.75, lies["y"] + 20, steps=8)
    assert seconds(page) == pytest.approx(0.75 * 9, abs=0.2)
    page.mouse.up()
    page.mouse.move(lies["x"] + lies["width"] * 0.2, lies["y"] + 20)
    assert seconds(page) == pytest.approx(0.75 * 9, abs=0.2)


def test_the_keyboard_alone_moves_the_time_line(page: Page, clip: Locator) -> None:
    slider = clip.get_by_role("slider", name="Position")
    slider.focus()
    page.keyboard.press("End")
    assert seconds(page) == pytest.approx(9, abs=0.2)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^00:00:00:01 of 00:00:09:00"))
    expect(page.get_by_role("dialog", name=f"video {CLIP}")).to_be_visible()  # no walking on


def test_a_range_is_marked_looped_copied_and_cleared(page: Page, desk: Studio) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    viewer = desk.open(page, CLIP)
    seconds(page)
    click_at(page, 0.3)
    page.keyboard.press("i")
    started = position(viewer)
    click_at(page, 0.5)
    page.keyboard.press("o")
    ended = position(viewer)
    expect(viewer.get_by_role("button", name=f"Go to the in point, {started}")).to_be_visible()
    drawn, line = box(viewer.locator(".timeline .range")), box(viewer.locator(".timeline .track"))
    assert (drawn["x"] - line["x"]) / line["width"] == pytest.approx(0.3, abs=0.02)
    assert drawn["width"] / line["width"] == pytest.approx(0.2, abs=0.03)

    page.keyboard.press("c")
    expect(viewer.get_by_text("Copied")).to_be_visible()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert SAYS_RANGE.match(copied)
    assert copied == f"{started} – {ended}"

    page.keyboard.press("r")
    page.keyboard.press("Shift+Space")
    page.wait_for_function(f"() => ({RATE})() === 1 && ({CURRENT_TIME})() > 4.2")
    page.wait_for_function(f"() => ({CURRENT_TIME})() < 3.2")  # it came round
    page.keyboard.press("k")
    viewer.get_by_role("button", name="Clear the marks").click()
    expect(viewer.locator(".timeline .range")).to_have_count(0)


def test_what_is_marked_plays_once_and_ends_at_its_end(page: Page, clip: Locator) -> None:
    click_at(page, 0.1)
    clip.get_by_role("button", name="In", exact=True).click()
    click_at(page, 0.2)
    clip.get_by_role("button", name="Out", exact=True).click()
    clip.get_by_role("group", name="Marks").get_by_role("button", name="Play").click()
    page.wait_for_function(f"() => ({RATE})() === 1")
    page.wait_for_function(f"() => ({RATE})() === 0")
    assert seconds(page) == pytest.approx(0.2 * 9, abs=0.15)


def test_marks_are_kept_while_walking_on_and_back(page: Page, desk: Studio) -> None:
    viewer = desk.open(page, CLIP, "kind=video")
    seconds(page)
    click_at(page, 0.4)
    page.keyboard.press("i")
    expect(viewer.locator(".timeline .range")).to_be_visible()
    other = page.get_by_role("button", name=re.compile("^(Next|Previous)$")).first
    if not other.count():
        pytest.skip("There is one clip only: the real ones are not here")
    name = other.get_attribute("aria-label")
    page.keyboard.press("ArrowRight" if name == "Next" else "ArrowLeft")
    expect(page.get_by_role("dialog", name=re.compile(CLIP))).to_have_count(0)
    page.keyboard.press("ArrowLeft" if name == "Next" else "ArrowRight")
    expect(viewer.locator(".timeline .range")).to_be_visible()


def test_an_in_point_behind_the_out_point_takes_it_away(page: Page, clip: Locator) -> None:
    click_at(page, 0.5)
    page.keyboard.press("o")
    click_at(page, 0.7)
    page.keyboard.press("i")
    expect(
        clip.get_by_role("button", name=re.compile("^Go to the out point, 00:00:09"))
    ).to_be_visible()


def test_a_sound_is_played_over_its_waveform(page: Page, desk: Studio) -> None:
    viewer = desk.open(page, "long-tone.wav")
    drawn = """(canvas) => canvas.getContext('2d')
                 .getImageData(0, 0, canvas.width, canvas.height).data.some((v) => v > 0)"""
    page.locator("dialog canvas").wait_for()  # the waveform comes after the dialog
    page.wait_for_function(f"() => ({drawn})(document.querySelector('dialog canvas'))")
    click_at(page, 0.25)
    assert seconds(page) == pytest.approx(3, abs=0.1)
    expect(viewer.locator(".position")).to_have_text(re.compile(r"^0:0[23]\.\d\d$"))
    page.keyboard.press("i")
    click_at(page, 0.5)
    page.keyboard.press("o")
    expect(viewer.locator(".timeline .range")).to_be_visible()
    page.keyboard.press(" ")
    page.wait_for_function(f"() => ({CURRENT_TIME})() > 6.2")
    page.keyboard.press("m")
    expect(viewer.get_by_role("button", name="Sound on")).to_be_visible()
    assert page.evaluate("() => document.querySelector('audio').muted")


def test_a_clip_that_cannot_be_played_is_looked_through_by_its_frames(
    page: Page, desk: Studio, expected_messages: set[str]
) -> None:
    expected_messages.add("status of 404")
    page.route("**/file?*", lambda route: route.fulfill(status=404))
    viewer = desk.open(page, CLIP)
    expect(viewer.get_by_role("alert")).to_contain_text("cannot play this format")
    expect(viewer.get_by_role("link", name="Download the original")).to_be_visible()
    lies = box(viewer.get_by_role("slider", name="Position"))
    page.mouse.click(lies["x"] + lies["width"] / 2, lies["y"] + 20)
    frame = viewer.locator(".still span")
    expect(frame).to_have_css("background-image", re.compile("/sprite"))
    halfway = frame.evaluate("(span) => getComputedStyle(span).backgroundPosition")
    page.mouse.click(lies["x"] + lies["width"] * 0.9, lies["y"] + 20)
    expect(frame).not_to_have_css("background-position", halfway)
