"""Places over HTTP: what was taken where, without a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, update

from dam.contracts import Kind
from dam.tables import Asset, File, Stack
from tests.rows import add_asset, add_library

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.db import Database

PLACES = "/api/v1/places"
TAKEN: tuple[tuple[str, str | None, str | None, int | None], ...] = (
    ("0.jpg", "Lisbon", "Portugal", 5),
    ("1.jpg", "Lisbon", "Portugal", 9),
    ("2.jpg", "Porto", "Portugal", 1),
    ("3.jpg", "Rome", "Italy", None),
    ("4.jpg", "Rome", "Italy", 2),
    ("5.jpg", "At home", None, 3),
    ("6.jpg", "At home", None, 4),
    ("7.jpg", "At home", None, 5),
    ("8.jpg", "At home", None, 6),
    ("9.jpg", None, "Portugal", 7),
    ("10.jpg", "Kyoto", "Japan", 7),
    ("11.jpg", "Oslo", "Norway", 7),
)


@pytest.fixture
def taken(database: Database, tmp_path: Path) -> dict[str, str]:
    """Ids by name."""
    with database.write() as session:
        library = add_library(session, tmp_path / "photos")
        found = {}
        for name, place, country, captured_us in TAKEN:
            asset = add_asset(session, library, name)
            asset.place, asset.country, asset.captured_us = place, country, captured_us
            found[name] = asset.id
        return found


def countries(client: FlaskClient) -> list[tuple[Any, int, list[tuple[Any, int, Any]]]]:
    answer = client.get(PLACES)
    assert answer.status_code == 200, answer.text
    return [
        (
            one["country"],
            one["assets"],
            [(place["place"], place["assets"], place["cover_id"]) for place in one["places"]],
        )
        for one in answer.json["countries"]
    ]


def test_places_are_counted_by_country_most_assets_first(
    client: FlaskClient, taken: dict[str, str]
) -> None:
    assert countries(client) == [
        ("Portugal", 3, [("Lisbon", 2, taken["1.jpg"]), ("Porto", 1, taken["2.jpg"])]),
        ("Italy", 2, [("Rome", 2, taken["4.jpg"])]),
        ("Japan", 1, [("Kyoto", 1, taken["10.jpg"])]),
        ("Norway", 1, [("Oslo", 1, taken["11.jpg"])]),
        (None, 4, [("At home", 4, taken["8.jpg"])]),
    ]


def test_a_place_shows_its_newest_picture_with_its_version(
    client: FlaskClient, taken: dict[str, str], database: Database
) -> None:
    with database.write() as session:  # a recording has no picture to show
        newest = update(Asset).where(Asset.id == taken["1.jpg"])
        session.execute(newest.values(kind=Kind.AUDIO))
    cover = client.get(PLACES).json["countries"][0]["places"][0]
    card = client.get("/api/v1/assets", query_string={"ids": taken["0.jpg"]}).json["assets"][0]
    assert (cover["cover_id"], cover["cover_version"]) == (card["id"], card["version"])


def test_what_is_in_the_trash_or_gone_is_not_counted(
    client: FlaskClient, taken: dict[str, str], database: Database
) -> None:
    client.patch(f"/api/v1/assets/{taken['10.jpg']}", json={"trashed": True})
    with database.write() as session:
        session.execute(delete(File).where(File.asset_id == taken["11.jpg"]))
    assert [one[0] for one in countries(client)] == ["Portugal", "Italy", None]
    client.patch(f"/api/v1/assets/{taken['10.jpg']}", json={"trashed": False})
    assert "Japan" in [one[0] for one in countries(client)]


def test_a_stack_counts_once(
    client: FlaskClient, taken: dict[str, str], database: Database
) -> None:
    with database.write() as session:
        session.add(Stack(id="s", reason="raw_jpeg", cover_id=taken["0.jpg"]))
        session.flush()
        both = update(Asset).where(Asset.id.in_([taken["0.jpg"], taken["1.jpg"]]))
        session.execute(both.values(stack_id="s"))
    assert countries(client)[1] == (
        "Portugal",
        2,
        [("Lisbon", 1, taken["0.jpg"]), ("Porto", 1, taken["2.jpg"])],
    )


def test_a_library_without_places_has_none(client: FlaskClient) -> None:
    assert countries(client) == []
