"""What is written in pictures: marked where it lies, selected, copied and found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.cli import Dam
from tests.e2e.conftest import serving
from tests.e2e.viewing import Studio, box, seconds
from tests.writing import Sign, photo, write_film

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGN = Sign("Lobster Harbour\nno swimming", 44, at=(0.3, 0.6))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder, home = tmp_path_factory.mktemp("signs"), tmp_path_factory.mktemp("home")
    photo(SIGN).save(folder / "beach.jpg")
    write_film(folder / "station.mp4", {(4, 8): Sign("Platform seven", 40)}, seconds=12)
    dam = Dam(home, {"threads": "1", "decoders": "1", "indexers": "shots,text"})
    dam.run("library", "add", str(folder))
    dam.run("index")
    with serving(dam) as running:
        yield Studio(running.url, home)


def test_words_lie_over_the_picture_where_they_are_read_and_can_be_selected(
    page: Page, desk: Studio
) -> None:
    viewer = desk.open(page, "beach.jpg")
    marks = viewer.locator("figure").get_by_title("Lobster Harbour")
    expect(marks).to_have_count(1)
    button = viewer.get_by_role("button", name="Writing")
    expect(button).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("w")
    expect(button).to_have_attribute("aria-pressed", "true")
    mark, picture = box(marks), box(viewer.locator("figure img").first)
    middle = mark["x"] + mark["width"] / 2
    assert (middle - picture["x"]) / picture["width"] == pytest.approx(0.3, abs=0.05)

    page.mouse.move(mark["x"] + 2, mark["y"] + mark["height"] / 2)
    page.mouse.down()
    page.mouse.move(mark["x"] + mark["width"] - 2, mark["y"] + mark["height"] / 2, steps=8)
    page.mouse.up()
    assert page.evaluate("getSelection().toString()").strip() in "Lobster Harbour"
    assert len(page.evaluate("getSelection().toString()")) > 6
    assert box(viewer.locator("figure img").first) == picture  # it was not dragged along
    page.keyboard.press("w")
    expect(button).to_have_attribute("aria-pressed", "false")


def test_a_line_of_a_film_is_marked_while_it_is_shown_and_leads_there(
    page: Page, desk: Studio
) -> None:
    viewer = desk.open(page, "station.mp4")
    expect(viewer.locator("video")).to_be_visible()
    mark = viewer.locator(".screen").get_by_title("Platform seven")
    expect(mark).to_have_count(0)
    page.keyboard.press("d")
    details = viewer.get_by_role("complementary", name="Details")
    line = details.get_by_role("listitem").filter(has_text="Platform seven")
    line.get_by_role("button").click()
    page.keyboard.press("k")
    expect(mark).to_have_count(1)
    assert 2 <= seconds(page) <= 8
    page.keyboard.press("d")
