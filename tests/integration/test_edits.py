"""Titles, captions and ratings by people: shown, found, and kept whatever the file says later."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from dam import store
from dam.contracts import Tag
from dam.indexing.plan import forget_runs
from dam.library.libraries import remove_library
from dam.tables import Asset, RunState, TextRow
from tests.library_world import asset_at, found_by_words, ids, index_by_hand
from tests.media import BLUE, GREEN, RED, write_jpeg
from tests.rows import add_asset, add_library, add_producer, add_run

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.db import Database
    from tests.library_world import Index

ASSETS = "/api/v1/assets"
SIDECAR = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmp:Rating="{rating}"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt>
 </dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"""


def write_sidecar(path: Path, *, title: str, rating: int) -> None:
    before_ns = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(SIDECAR.format(title=title, rating=rating))
    if path.stat().st_mtime_ns <= before_ns:
        os.utime(path, ns=(before_ns + 1, before_ns + 1))


@pytest.fixture
def picture(database: Database, index: Index, root: Path) -> str:
    """A photo whose file says: title “Harbour”, three stars."""
    write_jpeg(root / "a.jpg", RED)
    write_sidecar(root / "a.xmp", title="Harbour", rating=3)
    index()
    return str(ids(database)["a.jpg"])


def patched(client: FlaskClient, asset_id: str, **changes: object) -> dict[str, Any]:
    answer = client.patch(f"{ASSETS}/{asset_id}", json=changes)
    assert answer.status_code == 200, answer.text
    return answer.json or {}


def shown(client: FlaskClient, asset_id: str) -> tuple[Any, Any, Any, list[str]]:
    detail = client.get(f"{ASSETS}/{asset_id}").json or {}
    card = detail["card"]
    return card["title"], detail["caption"], card["rating"], detail["edited"]


def test_an_edit_shows_and_taking_it_back_shows_what_the_file_says(
    client: FlaskClient, picture: str
) -> None:
    assert shown(client, picture) == ("Harbour", None, 3, [])
    patched(client, picture, title="Old  port\n", caption="Boats\nat noon ", rating=5)
    assert shown(client, picture) == (
        "Old port",
        "Boats\nat noon",
        5,
        ["caption", "rating", "title"],
    )
    patched(client, picture, title=None, caption=None, rating=None)
    assert shown(client, picture) == ("Harbour", None, 3, [])


def test_an_empty_title_says_that_there_is_none(client: FlaskClient, picture: str) -> None:
    patched(client, picture, title="  ")
    assert shown(client, picture) == (None, None, 3, ["title"])


def test_edits_are_found_by_their_words_and_what_they_cover_is_not(
    client: FlaskClient, database: Database, picture: str
) -> None:
    patched(client, picture, title="Old port", caption="Fishing boats")
    assert found_by_words(database, "port") == {"a.jpg"}
    assert found_by_words(database, "fishing") == {"a.jpg"}
    assert found_by_words(database, "harbour") == set()
    patched(client, picture, title=None, caption=None)
    assert found_by_words(database, "harbour") == {"a.jpg"}
    assert found_by_words(database, "port OR fishing") == set()


def test_an_edited_rating_is_what_filters_see(client: FlaskClient, picture: str) -> None:
    def with_stars(number: int) -> list[str]:
        cards = (client.get(ASSETS, query_string={"rating": number}).json or {})["assets"]
        return [card["id"] for card in cards]

    assert (with_stars(3), with_stars(5)) == ([picture], [])
    patched(client, picture, rating=5)
    assert with_stars(5) == [picture]
    patched(client, picture, rating=-1)
    assert (with_stars(0), with_stars(-1)) == ([], [picture])


def test_an_edit_survives_reading_the_metadata_again(
    client: FlaskClient, database: Database, index: Index, root: Path, picture: str
) -> None:
    patched(client, picture, title="Old port", rating=1)
    write_sidecar(root / "a.xmp", title="Marina", rating=5)
    assert index().changed == 1
    assert shown(client, picture) == ("Old port", None, 1, ["rating", "title"])
    assert found_by_words(database, "port") == {"a.jpg"}
    assert found_by_words(database, "marina") == set()
    patched(client, picture, title=None, rating=None)
    assert shown(client, picture) == ("Marina", None, 5, [])
    assert found_by_words(database, "marina") == {"a.jpg"}


def test_an_edit_survives_new_pixels_and_moves(
    client: FlaskClient, database: Database, index: Index, root: Path, picture: str
) -> None:
    patched(client, picture, title="Old port", rating=1)
    write_jpeg(root / "a.jpg", BLUE, seed=9)
    assert index().changed == 1
    assert ids(database)["a.jpg"] == picture
    (root / "deep").mkdir()
    (root / "a.jpg").rename(root / "deep" / "b.jpg")
    assert index().moved == 1
    assert ids(database) == {"deep/b.jpg": picture}
    assert shown(client, picture) == ("Old port", None, 1, ["rating", "title"])
    assert found_by_words(database, "port") == {"deep/b.jpg"}


def test_an_edit_survives_indexing_again(
    client: FlaskClient, database: Database, picture: str
) -> None:
    index_by_hand(database)
    patched(client, picture, title="Old port", rating=1, trashed=True)
    forget_runs(database, "visual")
    for version in (1, 2):  # the same model again, then another one
        with database.write() as session:
            producer = add_producer(session, "tags", version)
            run = add_run(session, session.get_one(Asset, picture), producer)
            run.state, run.fence = RunState.LEASED, 1
            lease = store.Lease(run.id, 1, picture, producer.id)
            session.flush()
            store.save(session, lease, [Tag("words", f"boat {version}", 0.9)])
    assert shown(client, picture) == ("Old port", None, 1, ["rating", "title"])
    assert found_by_words(database, "port") == found_by_words(database, "boat") == {"a.jpg"}
    assert (client.get(f"{ASSETS}/{picture}").json or {})["trashed_at"] is not None


def test_a_copy_that_becomes_another_picture_takes_the_edits_along(
    client: FlaskClient, database: Database, index: Index, root: Path, picture: str
) -> None:
    (root / "copy.jpg").write_bytes((root / "a.jpg").read_bytes())
    index()
    patched(client, picture, title="Old port")
    write_jpeg(root / "copy.jpg", GREEN, seed=3)
    index()
    now = ids(database)
    assert now["a.jpg"] == picture != now["copy.jpg"]
    assert shown(client, str(now["copy.jpg"]))[0] == "Old port"
    patched(client, str(now["copy.jpg"]), title=None)
    assert asset_at(database, "copy.jpg").title is None
    assert asset_at(database, "a.jpg").title == "Old port"


@pytest.mark.parametrize("change", [{"title": "Old port"}, {"trashed": True}])
def test_what_a_person_said_outlives_removing_and_adding_the_library(
    client: FlaskClient,
    database: Database,
    index: Index,
    root: Path,
    picture: str,
    change: dict[str, object],
) -> None:
    from dam.library.libraries import add_library as add_again

    before = patched(client, picture, **change)
    assert remove_library(database, "photos").assets_kept == 1
    add_again(database, root)
    index()
    assert ids(database) == {"a.jpg": picture}
    after = client.get(f"{ASSETS}/{picture}").json or {}
    assert (after["edited"], after["trashed_at"]) == (before["edited"], before["trashed_at"])
    assert after["card"]["title"] == before["card"]["title"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tags": None},
        {"trashed": None},
        {"rating": 6},
        {"rating": -2},
        {"rating": True},
        {"rating": "3"},
        {"title": 7},
        {"title": "x" * 20_001},
        {"trashed": "perhaps"},
        {"label": "red"},
    ],
)
def test_a_change_that_cannot_be_is_refused(
    client: FlaskClient, database: Database, tmp_path: Path, body: dict[str, object]
) -> None:
    with database.write() as session:
        asset_id = add_asset(session, add_library(session, tmp_path / "photos"), "a.jpg").id
    assert client.patch(f"{ASSETS}/{asset_id}", json=body).status_code == 422


def test_a_title_that_is_too_long_is_refused_with_the_limit(
    client: FlaskClient, picture: str
) -> None:
    answer = client.patch(f"{ASSETS}/{picture}", json={"rating": 5, "title": "x" * 501})
    assert answer.status_code == 400
    assert "at most 500 characters, not 501" in (answer.json or {})["detail"]
    assert shown(client, picture) == ("Harbour", None, 3, [])


def test_an_asset_that_is_not_there_cannot_be_edited(client: FlaskClient) -> None:
    assert client.patch(f"{ASSETS}/4f1c", json={"title": "x"}).status_code == 404


def test_the_same_edit_twice_leaves_one_text(
    client: FlaskClient, database: Database, picture: str
) -> None:
    patched(client, picture, title="Old port")
    patched(client, picture, title="Old port")
    patched(client, picture, title="New port")
    with database.read() as session:
        titles = session.query(TextRow.body).filter_by(asset_id=picture, field="title").all()
    assert titles == [("New port",)]
