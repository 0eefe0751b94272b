"""Tags of many assets: counted, looked through, decided, renamed, merged, deleted, undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from dam.tables import TagDecision
from tests.cli import Dam
from tests.search_world import World

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.config import Settings
    from dam.db import Database

TAGS = "/api/v1/tags"
Ids = dict[str, str]


@pytest.fixture
def assets(database: Database, tmp_path: Path) -> Ids:
    """Five photos: “dog” is suggested on three of them, surer and surer, and in one's file."""
    world = World(database, tmp_path / "photos")
    return {
        "a": world.add("a.jpg", tags=[("dog", 0.6), ("grass", 0.9)]),
        "b": world.add("trip/b.jpg", tags=[("dog", 0.75)]),
        "c": world.add("trip/c.jpg", tags=[("dog", 0.95)]),
        "d": world.add("d.jpg", keywords=["dog"]),
        "e": world.add("e.jpg", tags=[("dog", 0.3)]),  # not sure enough to be suggested
    }


def post(client: FlaskClient, path: str, status: int = 200, **body: object) -> Any:
    answer = client.post(f"{TAGS}{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json


def undo(client: FlaskClient, changed: Any) -> None:
    body = {"undo": changed["undo"]}
    assert client.post("/api/v1/assets/bulk/undo", json=body).status_code == 200


def counts(client: FlaskClient, word: str) -> dict[str, int]:
    for one in client.get(TAGS).json["tags"]:
        if one["word"] == word:
            return {name: n for name, n in one.items() if name != "word" and n}
    return {}


def reviewed(client: FlaskClient, word: str, **query: object) -> list[str]:
    answer = client.get(f"{TAGS}/review", query_string={"word": word, **query})
    assert answer.status_code == 200, answer.text
    return [item["asset"]["id"] for item in (answer.json or {})["items"]]


def decisions(database: Database) -> set[tuple[str, str, str]]:
    with database.read() as session:
        rows = session.execute(
            select(TagDecision.asset_id, TagDecision.word, TagDecision.verdict)
        ).all()
    return {(row[0], row[1], row[2]) for row in rows}


def test_words_are_listed_with_what_is_said_of_them(client: FlaskClient, assets: Ids) -> None:
    post(client, "/decide", tags=[verdict("dog", "rejected")], asset_ids=[assets["a"]])
    assert counts(client, "dog") == {"suggested": 2, "rejected": 1, "in_files": 1}
    assert counts(client, "grass") == {"suggested": 1}
    found = client.get(TAGS, query_string={"q": "RAS"}).json
    assert [one["word"] for one in found["tags"]] == ["grass"]
    first = client.get(TAGS, query_string={"limit": 1}).json
    assert (first["tags"][0]["word"], first["total"]) == ("dog", 2)
    rest = client.get(TAGS, query_string={"limit": 1, "cursor": first["next_cursor"]}).json
    assert [one["word"] for one in rest["tags"]] == ["grass"]
    assert rest["next_cursor"] is None


def verdict(word: str, said: str | None) -> dict[str, str | None]:
    return {"word": word, "verdict": said}


def test_a_word_is_looked_through_surest_first_and_page_by_page(
    client: FlaskClient, assets: Ids
) -> None:
    page = client.get(f"{TAGS}/review?word=dog&limit=2").json
    assert [item["asset"]["id"] for item in page["items"]] == [assets["c"], assets["b"]]
    assert page["items"][0]["score"] == 0.95
    assert page["items"][0]["producer"] == "tags · words"
    assert page["total"] == 3
    # What is decided meanwhile does not make the next page skip anything.
    post(client, "/decide", tags=[verdict("dog", "approved")], asset_ids=[assets["c"]])
    assert reviewed(client, "dog", cursor=page["next_cursor"]) == [assets["a"]]
    assert reviewed(client, "dog", state="approved") == [assets["c"]]


def test_all_suggestions_that_are_sure_enough_are_approved_and_taken_back(
    client: FlaskClient, assets: Ids, database: Database
) -> None:
    matching = {"suggested": {"word": "dog", "least": 0.7}}
    assert post(client, "/matching", **matching) == {"assets": 2}
    changed = post(client, "/decide", tags=[verdict("dog", "approved")], matching=matching)
    assert changed["changed"] == 2
    assert reviewed(client, "dog") == [assets["a"]]
    undo(client, changed)
    assert decisions(database) == set()


def test_all_that_match_a_query_and_filters_are_tagged(
    client: FlaskClient, assets: Ids, database: Database
) -> None:
    matching = {"q": "in:trip", "filters": {"kind": "photo"}}
    assert post(client, "/matching", **matching) == {"assets": 2}
    post(client, "/decide", tags=[verdict("holiday", "approved")], matching=matching)
    assert decisions(database) == {
        (assets["b"], "holiday", "approved"),
        (assets["c"], "holiday", "approved"),
    }
    # Free words match as a search does: by its good matches.
    post(client, "/decide", tags=[verdict("x", "approved")], matching={"q": "grass"})
    assert (assets["a"], "x", "approved") in decisions(database)


def test_everything_is_meant_by_nobody(client: FlaskClient, assets: Ids) -> None:
    post(client, "/decide", 422, tags=[verdict("x", "approved")], matching={})
    post(client, "/decide", 422, tags=[verdict("x", "approved")])


def test_the_tags_of_a_selection_are_counted(client: FlaskClient, assets: Ids) -> None:
    chosen = [assets[name] for name in "abd"]
    found = post(client, "/selected", asset_ids=chosen)["tags"]
    assert [(one["word"], one["suggested"], one["in_files"]) for one in found] == [
        ("dog", 2, 1),
        ("grass", 1, 0),
    ]


def test_a_renamed_tag_keeps_its_decisions_and_leaves_files_alone(
    client: FlaskClient, assets: Ids, database: Database
) -> None:
    post(client, "/decide", tags=[verdict("dog", "approved")], asset_ids=[assets["c"], assets["e"]])
    post(client, "/decide", tags=[verdict("dog", "rejected")], asset_ids=[assets["a"]])
    before = decisions(database)
    changed = post(client, "/rename", word="dog", to="hound")
    assert counts(client, "hound") == {"approved": 3, "rejected": 1}  # c, e, and d by its file
    assert reviewed(client, "dog", state="approved") == []
    undo(client, changed)
    assert decisions(database) == before


def test_a_name_in_use_is_merged_only_on_request(
    client: FlaskClient, assets: Ids, database: Database
) -> None:
    post(client, "/decide", tags=[verdict("puppy", "approved")], asset_ids=[assets["a"]])
    post(client, "/decide", tags=[verdict("dog", "rejected")], asset_ids=[assets["a"]])
    assert "merge" in post(client, "/rename", 409, word="puppy", to="dog")["detail"]
    post(client, "/rename", 404, word="no such tag", to="dog")
    changed = post(client, "/rename", word="puppy", to="dog", merge=True)
    # What was said of the other word stands.
    assert decisions(database) == {(assets["a"], "dog", "rejected")}
    undo(client, changed)
    assert (assets["a"], "puppy", "approved") in decisions(database)


def test_a_deleted_tag_is_nowhere_until_that_is_undone(
    client: FlaskClient, assets: Ids, database: Database
) -> None:
    post(client, "/decide", tags=[verdict("dog", "approved")], asset_ids=[assets["b"]])
    changed = post(client, "/delete", word="dog")
    assert set(counts(client, "dog")) == {"rejected"}
    found = client.get("/api/v1/assets?tag=dog").json
    assert found["total"] == 0
    undo(client, changed)
    assert counts(client, "dog") == {"suggested": 2, "approved": 1, "in_files": 1}
    assert decisions(database) == {(assets["b"], "dog", "approved")}


def test_the_command_line_does_the_same_and_prints_the_way_back(
    client: FlaskClient, assets: Ids, database: Database, settings: Settings
) -> None:
    dam = Dam(settings.home)
    asked = dam.run("tags", "bulk", "approve", "dog", "--suggested", expect=1)  # nobody says yes
    assert "approve “dog” on 3 assets?" in asked
    assert decisions(database) == set()
    changed = dam.json("tags", "bulk", "approve", "dog", "--suggested", "--least", ".7")
    assert changed["changed"] == 2
    dam.run("tags", "rename", "dog", "hound")
    words = dam.json("tags", "list")["words"]
    assert next(one for one in words if one["word"] == "hound")["approved"] == 3
    taken_back = dam.json("tags", "delete", "hound")
    assert counts(client, "hound") == {}
    dam.run("tags", "undo", taken_back["undo"])
    assert counts(client, "hound") == {"approved": 3}


def test_a_tag_of_an_asset_says_who_suggests_it(client: FlaskClient, assets: Ids) -> None:
    tags = client.get(f"/api/v1/assets/{assets['a']}").json["tags"]
    assert {tag["word"]: tag["producer"] for tag in tags}["dog"] == "tags · words"
    (keyword,) = client.get(f"/api/v1/assets/{assets['d']}").json["tags"]
    assert keyword["producer"] is None
