"""What is said, beside what plays: it follows along, leads to a word, and can be mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.cli import Dam
from tests.e2e.conftest import serving, write_tone
from tests.e2e.viewing import Studio, seconds
from tests.media import BLUE, GREEN, RED, write_sound

if TYPE_CHECKING:
    from collections.abc import Iterator

SOUND, CLIP = "talk.wav", "scene.mp4"
LINES = {2.0: "Good morning", 5.0: "The harbour was quiet", 8.0: "Good night"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Nobody speaks in these; their lines are a person's."""
    folder, home = tmp_path_factory.mktemp("talks"), tmp_path_factory.mktemp("home")
    write_tone(folder / SOUND, seconds=12)
    hum = 0.1 * np.sin(np.arange(12 * 48_000) / 20)[None]
    colours = [RED, GREEN, BLUE] * 4
    write_sound(folder / CLIP, hum, codec="aac", layout="mono", colours=colours)
    dam = Dam(home, {"threads": "1", "decoders": "1", "indexers": "shots"})
    dam.run("library", "add", str(folder))
    dam.run("index")
    with serving(dam) as running:
        yield Studio(running.url, home)


@pytest.fixture(autouse=True)
def spoken(page: Page, desk: Studio) -> None:
    for name in (SOUND, CLIP):
        for start_s, text in LINES.items():
            line = {"start_s": start_s, "end_s": start_s + 2, "text": text}
            url = f"{desk.url}/api/v1/assets/{desk.asset(name)}/transcript"
            assert page.request.patch(url, data=line).ok


def test_words_lead_to_their_second_and_are_marked_while_they_are_said(
    page: Page, desk: Studio
) -> None:
    transcript = desk.open(page, SOUND).get_by_role("region", name="Transcript")
    lines = transcript.get_by_role("listitem")
    expect(lines).to_have_count(3)
    transcript.get_by_role("button", name="0:05 The harbour was quiet").click()
    page.keyboard.press("k")
    assert seconds(page) >= 5
    expect(lines.nth(1)).to_have_attribute("aria-current", "true")
    expect(lines.nth(0)).not_to_have_attribute("aria-current", "true")


def test_a_line_is_mended_in_place_and_goes_back(page: Page, desk: Studio) -> None:
    transcript = desk.open(page, SOUND).get_by_role("region", name="Transcript")
    transcript.get_by_role("button", name="Change the line at 0:05").click()
    field = transcript.get_by_role("textbox", name="What is said at 0:05")
    field.fill("The harbour was empty")
    field.press("Enter")
    expect(transcript.get_by_text("The harbour was empty")).to_be_visible()
    subtitles = f"{desk.url}/api/v1/assets/{desk.asset(SOUND)}/transcript.srt"
    assert "The harbour was empty" in page.request.get(subtitles).text()
    page.get_by_role("button", name="Undo").click()
    expect(transcript.get_by_text("The harbour was quiet")).to_be_visible()
    transcript.get_by_role("button", name="Change the line at 0:05").click()
    field.fill("never")
    field.press("Escape")
    expect(transcript.get_by_text("The harbour was quiet")).to_be_visible()


def test_subtitles_stand_over_a_clip_when_they_are_wanted(page: Page, desk: Studio) -> None:
    viewer = desk.open(page, CLIP, at="&at=5.5")
    seconds(page)
    mode = "() => document.querySelector('track').track.mode"
    assert page.evaluate(mode) == "disabled"
    page.keyboard.press("v")
    expect(viewer.get_by_role("button", name="Subtitles")).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("() => document.querySelector('track').track.cues?.length === 3")
    assert page.evaluate(mode) == "showing"
    cue = "() => document.querySelector('track').track.cues[1].text"
    assert page.evaluate(cue) == "The harbour was quiet"
    page.keyboard.press("t")
    expect(viewer.get_by_role("region", name="Transcript")).to_have_count(0)
