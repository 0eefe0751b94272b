"""What recorders and sound libraries say of a sound is shown, and found by its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam.search import Query, SearchService
from tests.broadcast_wave import IXML, bext, broadcast_wave
from tests.library_world import found_by_words, ids

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.config import Settings
    from dam.db import Database
    from tests.library_world import Index

NAME = "AMBUrbn_City Square Noon_JD_WALK.wav"


def test_scene_and_take_are_found_and_shown(
    database: Database, settings: Settings, index: Index, root: Path, client: FlaskClient
) -> None:
    broadcast_wave(root / "T003.wav", bext=bext(172_972_800), iXML=IXML.encode())
    broadcast_wave(root / "T004.wav", iXML=IXML.replace(">3<", ">4<").encode())
    index()
    found = SearchService(database, settings, None).search(Query('"scene 12a, take 3"')).results
    assert [hit.path.rsplit("/")[-1] for hit in found] == ["T003.wav"]
    assert "what the file says contains “scene”, “12a”, “take”, “3”" in found[0].why
    assert found_by_words(database, "plane Möwe") == {"T003.wav", "T004.wav"}
    details = client.get(f"/api/v1/assets/{ids(database)['T003.wav']}").json["details"]  # type: ignore[index]
    assert (details["source_timecode"], details["scene"]) == ("01:00:00:00", "12A")


def test_a_ucs_name_is_found_by_its_category_and_follows_the_file(
    database: Database, index: Index, root: Path, client: FlaskClient
) -> None:
    broadcast_wave(root / NAME)
    index()
    asset_id = ids(database)[NAME]
    ucs = client.get(f"/api/v1/assets/{asset_id}").json["ucs"]  # type: ignore[index]
    assert (ucs["category"], ucs["fx_name"], ucs["source"]) == (
        "ambience", "City Square Noon", "WALK",
    )  # fmt: skip
    assert found_by_words(database, "ambience noon") == {NAME}
    (root / NAME).rename(root / "noon.wav")
    index()
    assert client.get(f"/api/v1/assets/{asset_id}").json["ucs"] is None  # type: ignore[index]
    assert found_by_words(database, "ambience") == set()
    assert found_by_words(database, "noon") == {"noon.wav"}
