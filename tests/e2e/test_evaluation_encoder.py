"""A fresh, closed machine: what comes with dam finds real pictures by a sentence, and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from dam.model_catalogue import BY_NAME
from demo.library import build_library
from demo.pictures import SHOWN
from tests.cli import Dam
from tests.e2e.conftest import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.conftest import Server

NOTICE = BY_NAME["mini"].notice or ""
CLOSED = {
    "built_in_model": "true",
    "threads": "1",
    "decoders": "1",
    "indexers": "shots,visual,tags",
}


@pytest.fixture(scope="module")
def sample(mini: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The sample library of `make demo`, looked at with nothing but what comes with dam."""
    pytest.importorskip("skimage")
    pytest.importorskip("sklearn")
    library = tmp_path_factory.mktemp("library") / "Sample"
    build_library(library)
    dam = Dam(tmp_path_factory.mktemp("home"), CLOSED)
    dam.run("library", "add", str(library))
    dam.run("index")
    with serving(dam) as running:
        yield running


def test_a_sentence_finds_its_picture_and_the_answer_says_by_which_model(
    page: Page, sample: Server
) -> None:
    page.goto(sample.url)
    box = page.get_by_role("combobox", name="Search photos, videos and sounds")
    for text, path in SHOWN.items():
        box.fill(text)
        box.press("Enter")
        asset = sample.asset(path.rpartition("/")[2])
        expect(page.locator("[data-asset]").first).to_have_attribute("data-asset", asset)
    expect(page.get_by_text(NOTICE)).to_be_visible()
    page.get_by_text(NOTICE).get_by_role("link", name="To the models").click()
    card = page.get_by_role("article", name="mini", exact=True)
    expect(card.get_by_text("in use", exact=True)).to_be_visible()
    expect(card.get_by_text(NOTICE)).to_be_visible()
    expect(card.get_by_role("button")).to_have_count(0)


def test_a_newcomer_is_told_what_it_is_and_offered_a_better_one(
    page: Page, mini: Path, tmp_path: Path
) -> None:
    with serving(Dam(tmp_path / "home", CLOSED)) as running:
        page.goto(running.url)
        offer = page.get_by_role("region", name="To find things by what pictures show")
        expect(offer.get_by_text(NOTICE)).to_be_visible()
        better = offer.get_by_role("article", name="fast", exact=True)
        expect(better.get_by_role("button", name="Download")).to_be_visible()
