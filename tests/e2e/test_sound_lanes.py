"""What is heard, as lanes along the time of a recording."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from dam import store
from dam.config import Settings
from dam.contracts import Span
from dam.findings import SoundEvent, Vector
from dam.schema import open_database
from dam.store import Lease
from dam.tables import File, Run, RunState
from tests.cli import Dam
from tests.e2e.conftest import serving, write_tone
from tests.e2e.viewing import Studio, box, seconds
from tests.rows import add_producer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from dam.contracts import Finding
    from dam.tables import ProducerRow

SOUND, ALIKE = "garden.wav", "terrace.wav"
EVENTS = [("Rain", 0.5, 0, 9), ("Dog", 0.75, 4, 5), ("Dog", 0.875, 8, 10), ("Bell", 0.5, 6, 7)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder, home = tmp_path_factory.mktemp("garden"), tmp_path_factory.mktemp("home")
    write_tone(folder / SOUND, seconds=12)
    write_tone(folder / ALIKE, seconds=11)
    dam = Dam(home, {"threads": "1", "decoders": "1", "indexers": "shots"})
    dam.run("library", "add", str(folder))
    dam.run("index")
    _listen(home)
    with serving(dam) as running:
        yield Studio(running.url, home)


def _listen(home: Path) -> None:
    """As `sounds` and `sound_space` leave them, without a model."""
    database = open_database(Settings(home=home))
    named = [
        SoundEvent(label, sure, Span(start * 10**6, end * 10**6))
        for label, sure, start, end in EVENTS
    ]
    values = np.full(16, 0.25, np.float32)
    with database.write() as session:
        sounds, space = add_producer(session, "sounds"), add_producer(session, "sound_space")
        for asset_id, name in session.execute(select(File.asset_id, File.display)):
            found = [Vector(values, 0, Span(0, 5_000_000))]
            _save(session, asset_id, space, found)
            if name == SOUND:
                _save(session, asset_id, sounds, named)
    database.close()


def _save(session: Session, asset_id: str, producer: ProducerRow, found: Sequence[Finding]) -> None:
    run = Run(
        asset_id=asset_id, revision=1, producer_id=producer.id, state=RunState.LEASED, fence=1
    )
    session.add(run)
    session.flush()
    store.save(session, Lease(run.id, 1, asset_id, producer.id), found)


def test_a_click_on_a_sound_leads_to_where_it_begins(page: Page, desk: Studio) -> None:
    sounds = desk.open(page, SOUND).get_by_role("region", name="Sounds")
    mark = sounds.get_by_role("button", name="Dog, 88 %, 0:08 to 0:10")
    mark.hover()
    expect(sounds.locator("p")).to_have_text(re.compile(r"Dog\s+88 %, 0:08 to 0:10"))
    mark.click()
    page.keyboard.press("k")
    assert seconds(page) >= 8
    expect(sounds.get_by_role("group")).to_have_count(3)


def test_a_mark_lies_below_its_time_in_the_wave(page: Page, desk: Studio) -> None:
    viewer = desk.open(page, SOUND)
    track = box(viewer.get_by_role("slider", name="Position"))
    mark = box(viewer.get_by_role("button", name=re.compile("^Bell, ")))
    assert mark["x"] == pytest.approx(track["x"] + track["width"] / 2, abs=2)
    assert mark["width"] == pytest.approx(track["width"] / 12, abs=2)
    assert mark["height"] >= 24


def test_the_arrows_walk_the_sounds_and_enter_plays_one(page: Page, desk: Studio) -> None:
    sounds = desk.open(page, SOUND).get_by_role("region", name="Sounds")
    sounds.get_by_role("button", name=re.compile("^Rain, ")).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(sounds.get_by_role("button", name=re.compile("^Dog, 88 %"))).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("k")
    assert seconds(page) >= 8


def test_the_lanes_can_be_hidden_and_stay_so(page: Page, desk: Studio) -> None:
    viewer = desk.open(page, SOUND)
    expect(viewer.get_by_role("region", name="Sounds")).to_be_visible()
    page.keyboard.press("h")
    expect(viewer.get_by_role("region", name="Sounds")).to_have_count(0)
    viewer = desk.open(page, SOUND)
    expect(viewer.get_by_role("button", name="Sounds", exact=True)).to_have_attribute(
        "aria-pressed", "false"
    )
    expect(viewer.get_by_role("region", name="Sounds")).to_have_count(0)


def test_the_lanes_fit_a_phone(page: Page, desk: Studio) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    viewer = desk.open(page, SOUND)
    lanes = box(viewer.get_by_role("region", name="Sounds"))
    assert lanes["x"] >= 0 and lanes["x"] + lanes["width"] <= 390
    scrolled = "() => document.scrollingElement.scrollWidth"
    assert page.evaluate(scrolled) <= 390


def test_what_sounds_like_a_second_is_found_from_the_player(page: Page, desk: Studio) -> None:
    desk.open(page, SOUND, at="&at=3")
    seconds(page)
    page.keyboard.press("k")
    page.keyboard.press("Shift+S")
    page.wait_for_url(re.compile("like_by=sound"))
    expect(page.get_by_text(re.compile("^Sounds like garden.wav at 0:0"))).to_be_visible()
    expect(page.get_by_role("main").get_by_text(ALIKE)).to_be_visible()
