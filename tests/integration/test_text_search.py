"""From pictures with writing to answers: indexed for real, found by what is written there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from dam.indexing.worker import Worker
from dam.library.libraries import add_library
from dam.library.update import update_libraries
from dam.search import Query, SearchService
from tests.writing import Sign, photo, write_film

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.config import Settings
    from dam.db import Database
    from dam.search.query import Hit

SIGN = Sign("Welcome to\nLobster Harbour\nno swimming", 44)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"indexers": "shots,text"})


@pytest.fixture
def service(database: Database, settings: Settings, tmp_path: Path) -> SearchService:
    """Over a photo with a sign, a film that shows another for four seconds, and a plain photo."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    photo(SIGN).save(folder / "a.jpg")
    photo(seed=5).save(folder / "b.jpg")
    write_film(folder / "c.mp4", {(4, 8): Sign("Platform seven", 40)}, seconds=12)
    add_library(database, folder)
    update_libraries(database, settings)
    Worker(database, settings, threading.Event()).run(until_idle=True)
    return SearchService(database, settings, None)


def hits(service: SearchService, text: str) -> list[Hit]:
    return service.search(Query(text)).results


def test_what_is_written_is_found_quoted_and_placed(
    service: SearchService, client: FlaskClient
) -> None:
    [sign] = hits(service, "lobster")
    assert sign.path.endswith("a.jpg")
    assert sign.why[0] == "shows the words “Welcome to Lobster Harbour no swimming”"
    # Phrases run over the lines of a sign; their words must stand together.
    assert [hit.path for hit in hits(service, '"lobster harbour no swimming"')] == [sign.path]
    assert hits(service, '"harbour lobster"') == []
    assert [hit.path for hit in hits(service, "lobst")] == [sign.path]

    [film] = hits(service, "platform seven")
    assert film.path.endswith("c.mp4")
    [moment] = film.moments
    assert moment.channel == "writing"
    assert moment.start_s == pytest.approx(4, abs=2)
    assert moment.end_s == pytest.approx(8, abs=2)
    assert film.why[0].startswith("shows the words “Platform seven” at 0:0")

    written = client.get(f"/api/v1/assets/{sign.asset_id}/text").json
    assert written is not None
    assert [line["text"] for line in written["lines"]] == SIGN.text.split("\n")
    assert all(0.3 < line["left"] + line["width"] / 2 < 0.7 for line in written["lines"])
    assert {line["at_s"] for line in written["lines"]} == {None}
    [shown] = client.get(f"/api/v1/assets/{film.asset_id}/text").json["lines"]
    assert shown["start_s"] <= shown["at_s"] < shown["end_s"]
    detail = client.get(f"/api/v1/assets/{sign.asset_id}").json
    assert detail is not None and detail["written_lines"] == 3


def test_an_asset_that_is_not_there_has_no_writing(client: FlaskClient) -> None:
    assert client.get("/api/v1/assets/none/text").status_code == 404
