"""The trash: what is in it shows nowhere else, and comes back as it was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, select, update

from dam.changes import AssetChange, change_asset, change_many
from dam.files import list_folders
from dam.indexing.status import read_status
from dam.search import Filters, Query, SearchService, text
from dam.tables import Asset, Library, Stack
from dam.tagging import count_words
from dam.trash import move_to_trash, restore
from tests.cli import Dam
from tests.rows import add_asset, add_library
from tests.search_world import WordEncoder, World

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.config import Settings
    from dam.db import Database

ASSETS = "/api/v1/assets"


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path / "photos")


@pytest.fixture
def service(database: Database, settings: Settings) -> SearchService:
    return SearchService(database, settings, lambda: WordEncoder())


@pytest.fixture
def dog(world: World) -> str:
    """A picture that every way of looking finds."""
    world.add("other/cat.jpg", "cat sofa", tags=[("cat", 0.9)])
    return world.add(
        "walk/rex.jpg",
        "dog beach",
        title="Rex at the sea",
        keywords=["holiday"],
        tags=[("dog", 0.9)],
        camera="Canon R5",
        place="Lisbon",
        country="Portugal",
        captured_us=10**15,
        captured_local="2001-09-09T01:46:40",
    )


def trash(database: Database, *asset_ids: str, trashed: bool = True) -> None:
    with database.write() as session:
        for asset_id in asset_ids:
            change_asset(session, asset_id, AssetChange(trashed=trashed))


def got(client: FlaskClient, path: str, **query: object) -> Any:
    answer = client.get(f"/api/v1/{path}", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.json


def shows(
    client: FlaskClient, database: Database, service: SearchService, settings: Settings, dog: str
) -> dict[str, bool]:
    """Every place where an asset may show → whether this one does."""

    def hit(query: Query) -> bool:
        return dog in [one.asset_id for one in service.search(query).results]

    def suggested(typed: str, kind: str) -> bool:
        found = got(client, "suggest", q=typed)["suggestions"]
        return any(one["kind"] == kind for one in found)

    other = next(
        card["id"] for card in got(client, "assets")["assets"] if card["name"] == "cat.jpg"
    )
    with database.read() as session:
        library = session.scalars(select(Library.id)).one()
        words = {entry.word for entry in count_words(session)}
        folders = {folder.path for folder in list_folders(session, library).folders}
    return {
        "list": dog in [card["id"] for card in got(client, "assets")["assets"]],
        "filtered list": dog in [c["id"] for c in got(client, "assets", tag="dog")["assets"]],
        "layout": got(client, "assets/layout")["total"] == 2,
        "text": hit(Query("rex")),
        "tag": hit(Query("holiday")),
        "phrase": hit(Query('"at the sea"')),
        "visual": hit(Query("a dog on the beach")),
        "filters alone": hit(Query(filters=Filters(cameras=("Canon",)))),
        "everything": hit(Query()),
        "date": hit(Query("2001")),
        "similar": hit(Query(like_asset=other)),
        "suggested tag": suggested("dog", "tag"),
        "suggested place": suggested("lis", "place"),
        "suggested camera": suggested("can", "camera"),
        "words in use": bool(words & {"dog", "holiday"}),
        "folders": "walk" in folders,
        "status": read_status(database, settings).assets["photo"] == 2,
    }


def test_what_is_in_the_trash_shows_nowhere_and_comes_back(
    client: FlaskClient,
    database: Database,
    service: SearchService,
    settings: Settings,
    dog: str,
) -> None:
    def places() -> dict[str, bool]:
        return shows(client, database, service, settings, dog)

    before = places()
    assert all(before.values()), before
    trash(database, dog)
    assert not any(places().values()), places()
    trash(database, dog, trashed=False)
    assert places() == before


def test_the_trash_is_a_list_of_its_own(
    client: FlaskClient, database: Database, dog: str, world: World
) -> None:
    trash(database, dog)
    page = got(client, "assets", trashed=True)
    assert ([card["id"] for card in page["assets"]], page["total"]) == ([dog], 1)
    assert got(client, "assets/layout", trashed=True)["total"] == 1
    assert got(client, "assets", trashed=True, camera="Nikon")["total"] == 0
    detail = got(client, f"assets/{dog}")
    assert detail["trashed_at"] is not None
    assert [card["id"] for card in got(client, "assets", ids=dog)["assets"]] == [dog]
    trash(database, dog, trashed=False)
    assert got(client, f"assets/{dog}")["trashed_at"] is None
    assert got(client, "assets", trashed=True)["total"] == 0


def test_a_full_trash_does_not_crowd_out_what_is_searched(
    database: Database, world: World, service: SearchService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "CANDIDATES", 5)
    many = [world.add(f"{number}.jpg", title="Regatta") for number in range(12)]
    kept = world.add("z.jpg", title="Regatta in the harbour")
    change_many(database, many, AssetChange(trashed=True))
    found = service.search(Query("regatta")).results
    assert [hit.asset_id for hit in found] == [kept]


def test_a_stack_shows_those_of_its_members_that_are_in_the_same_list(
    client: FlaskClient, database: Database, world: World
) -> None:
    cover, raw = world.add("a.jpg"), world.add("a.dng")
    with database.write() as session:
        session.add(Stack(id="s", reason="raw_jpeg", cover_id=cover))
        session.flush()
        session.execute(update(Asset).where(Asset.id.in_([cover, raw])).values(stack_id="s"))

    def listed(**query: object) -> list[tuple[str, int]]:
        cards = got(client, "assets", **query)["assets"]
        return [(card["id"], card["stack_size"]) for card in cards]

    assert listed() == [(cover, 2)]
    trash(database, raw)
    assert (listed(), listed(trashed=True)) == ([(cover, 1)], [(raw, 1)])
    assert [card["id"] for card in got(client, f"assets/{cover}")["stack"]["members"]] == [cover]
    trash(database, cover)
    assert (listed(), listed(trashed=True)) == ([], [(cover, 2)])
    trash(database, raw, trashed=False)
    assert (listed(), listed(trashed=True)) == ([(raw, 1)], [(cover, 1)])


def test_restoring_twice_as_much_is_twice_the_work(database: Database, tmp_path: Path) -> None:
    def steps_to_restore(number: int) -> int:
        """Of SQLite's machine, in tens, for assets that were trashed together."""
        taken = 0

        def count() -> int:
            nonlocal taken
            taken += 1
            return 0

        with database.write() as session:
            library = add_library(session, tmp_path / str(number), str(number))
            ids = []
            for at in range(number // 2):
                cover, raw = (add_asset(session, library, f"{number}-{at}.{s}") for s in "ab")
                session.add(Stack(id=cover.id, reason="raw_jpeg", cover_id=cover.id))
                session.flush()
                cover.stack_id = raw.stack_id = cover.id
                ids += [cover.id, raw.id]
            move_to_trash(session, ids, 1)
            raw = session.connection().connection.driver_connection
            assert raw is not None
            raw.set_progress_handler(count, 10)
            assert len(restore(session, ids)) == number
            raw.set_progress_handler(None, 0)
        return taken

    assert steps_to_restore(800) < 3 * steps_to_restore(400)


def test_the_command_line_lists_and_restores(
    settings: Settings, database: Database, dog: str
) -> None:
    command = Dam(settings.home)
    assert command.json("trash", "list") == {"assets": [], "copies": []}
    assert command.run("trash", "list") == "The trash is empty.\n"
    trash(database, dog)
    (card,) = command.json("trash", "list")["assets"]
    assert (card["id"], card["name"]) == (dog, "rex.jpg")
    assert "walk/rex.jpg" in command.run("trash", "list")
    refusal = command.run("trash", "restore", dog, "4f1c", expect=1)
    assert "There is no asset 4f1c." in refusal
    assert len(command.json("trash", "list")["assets"]) == 1
    command.run("trash", "restore", dog)
    assert command.json("trash", "list") == {"assets": [], "copies": []}


def test_trash_of_a_forgotten_asset_goes_with_it(
    client: FlaskClient, database: Database, dog: str
) -> None:
    trash(database, dog)
    with database.write() as session:
        session.execute(delete(Asset).where(Asset.id == dog))
    assert json.loads(client.get(ASSETS, query_string={"trashed": "true"}).text)["total"] == 0
