"""People over the API: lists, the queue, what is said, and deleting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from dam.people.regroup import regroup
from dam.rows import pack_vector
from dam.tables import FaceRow, Library, RunState
from tests.rows import add_asset, add_library, add_producer, add_run

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.db import Database

PEOPLE = ("ann", "bob")
EACH = 3


@pytest.fixture
def album(database: Database, tmp_path: Path) -> dict[str, str]:
    """Three photos of each of two people; the person of each, by whose photos they are."""
    drawn = np.random.default_rng(3)
    with database.write() as session:
        library = add_library(session, tmp_path / "album")
        library.faces = True
        producer = add_producer(session, "faces")
        producer.parameters = {"same_from": 0.3}
        for n, name in enumerate(PEOPLE):
            for number in range(EACH):
                asset = add_asset(session, library, f"{name}{number}.jpg")
                run = add_run(session, asset, producer)
                run.state, run.finished_us = RunState.DONE, n
                template = np.eye(64)[n] + drawn.normal(0, 0.05, 64)
                session.add(face(asset.id, run.id, template, quality=0.5 + number / 10))
    assert regroup(database)
    with database.read() as session:
        rows = session.query(FaceRow).all()
        names = {f"e-{name}{number}.jpg": name for name in PEOPLE for number in range(EACH)}
        from dam.tables import Asset

        return {
            names[session.get_one(Asset, row.asset_id).essence_hash]: str(row.person_id)
            for row in rows
        }


def face(asset_id: str, run_id: int, template: Any, *, quality: float) -> FaceRow:
    unit = (template / np.linalg.norm(template)).astype(np.float32)
    return FaceRow(
        asset_id=asset_id, run_id=run_id, left=0.2, top=0.2, width=0.3, height=0.4,
        confidence=0.9, landmarks=[[0.3, 0.3]] * 5, template=pack_vector(unit),
        quality=quality, crop=b"\xff\xd8 a small picture",
    )  # fmt: skip


def get(client: FlaskClient, path: str, **query: object) -> Any:
    answer = client.get(f"/api/v1{path}", query_string=query)
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def post(client: FlaskClient, path: str, expect: int = 200, **body: object) -> Any:
    answer = client.post(f"/api/v1{path}", json=body)
    assert answer.status_code == expect, answer.get_json()
    return answer.get_json()


def test_people_are_listed_named_and_paged(client: FlaskClient, album: dict[str, str]) -> None:
    page = get(client, "/people")
    assert page["counts"] == {"named": 0, "unnamed": 2, "hidden": 0, "lone_faces": 0}
    assert {card["id"] for card in page["people"]} == set(album.values())
    assert all((card["faces"], card["assets"]) == (EACH, EACH) for card in page["people"])
    named = client.patch(f"/api/v1/people/{album['bob']}", json={"name": " Bob  Smith "})
    assert named.get_json()["person"]["name"] == "Bob Smith"
    assert [card["name"] for card in get(client, "/people")["people"]] == ["Bob Smith", None]
    first = get(client, "/people", limit=1)
    second = get(client, "/people", limit=1, cursor=first["next_cursor"])
    assert [first["people"][0]["id"], second["people"][0]["id"]] == [album["bob"], album["ann"]]
    assert second["next_cursor"] is None
    assert [card["id"] for card in get(client, "/people", q="smi")["people"]] == [album["bob"]]
    assert get(client, "/people", show="unnamed")["total"] == 1


def test_a_taken_name_is_a_conflict_that_names_the_other(
    client: FlaskClient, album: dict[str, str]
) -> None:
    client.patch(f"/api/v1/people/{album['bob']}", json={"name": "Bob"})
    answer = client.patch(f"/api/v1/people/{album['ann']}", json={"name": "BOB"})
    assert answer.status_code == 409
    assert answer.get_json()["person"]["id"] == album["bob"]
    merged = post(client, f"/people/{album['bob']}/merge", people=[album["ann"]])
    assert merged["person"]["faces"] == 2 * EACH
    assert client.get(f"/api/v1/people/{album['ann']}").status_code == 404
    assert post(client, "/people/undo", undo=merged["undo"])["changed"] >= EACH
    assert get(client, f"/people/{album['ann']}")["faces"] == EACH
    post(client, "/people/undo", undo=merged["undo"], expect=404)


def test_the_queue_gives_one_after_the_other(client: FlaskClient, album: dict[str, str]) -> None:
    seen, cursor = [], None
    while True:
        page = get(client, "/people/queue", **({"cursor": cursor} if cursor else {}))
        assert page["remaining"] == 2
        seen += [entry["person"]["id"] for entry in page["entries"]]
        assert [face["quality"] for face in page["entries"][0]["faces"]] == [0.7, 0.6, 0.5]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(album.values())


def test_faces_are_split_moved_rejected_and_shown(
    client: FlaskClient, album: dict[str, str]
) -> None:
    faces = get(client, f"/people/{album['ann']}/faces")["faces"]
    assert len(faces) == EACH
    crop = client.get(f"/api/v1/faces/{faces[0]['id']}/crop")
    assert crop.data.startswith(b"\xff\xd8")
    assert crop.headers["Cache-Control"] == "no-store"
    split = post(client, "/people", face_ids=[faces[0]["id"]], name="Twin", expect=201)
    assert split["person"]["faces"] == 1
    back = post(client, f"/people/{album['ann']}/faces", face_ids=[faces[0]["id"]])
    assert back["person"]["faces"] == EACH
    post(client, "/faces/reject", face_ids=[faces[1]["id"]], person_id=album["ann"])
    assert get(client, f"/people/{album['ann']}")["faces"] == EACH - 1
    [shown] = get(client, f"/assets/{faces[1]['asset_id']}/faces")["faces"]
    assert shown["person_id"] is None
    proposed = get(client, f"/people/{album['ann']}/suggestions")["faces"]
    assert faces[1]["id"] not in [one["face"]["id"] for one in proposed]
    post(client, "/faces/reject", face_ids=[faces[1]["id"]])
    listed = get(client, f"/assets/{faces[1]['asset_id']}/faces")
    assert (listed["faces"], listed["state"]) == ([], "done")
    post(client, "/faces/reject", face_ids=["f1-00000000"], expect=404)
    post(client, f"/people/{album['bob']}/different", people=[album["ann"]])


def test_a_missed_face_is_drawn(client: FlaskClient, album: dict[str, str]) -> None:
    asset_id = get(client, f"/people/{album['bob']}/faces")["faces"][0]["asset_id"]
    box = {"left": 0.7, "top": 0.1, "width": 0.2, "height": 0.2}
    drawn = post(client, f"/assets/{asset_id}/faces", box=box, name="Carl", expect=201)
    assert (drawn["face"]["drawn"], drawn["face"]["person_name"]) == (True, "Carl")
    assert len(get(client, f"/assets/{asset_id}/faces")["faces"]) == 2
    post(client, "/people/undo", undo=drawn["undo"])
    assert len(get(client, f"/assets/{asset_id}/faces")["faces"]) == 1
    assert get(client, "/people", q="carl")["total"] == 0
    outside = {**box, "left": 2}
    post(client, f"/assets/{asset_id}/faces", box=outside, expect=400)


def test_faces_are_switched_on_and_off_with_what_is_kept_said(
    client: FlaskClient, database: Database, album: dict[str, str]
) -> None:
    settings = get(client, "/people/settings")
    assert "template" in settings["notice"]
    assert "dam models pull sface" in settings["waiting"]
    assert settings["stored"] == {"faces": 6, "templates": 6, "people": 2, "decisions": 0}
    [library] = settings["libraries"]
    assert library["faces"] is True
    off = client.put(f"/api/v1/people/libraries/{library['id']}", json={"faces": False})
    assert (off.get_json()["faces"], off.get_json()["kept"]) == (False, 6)
    with database.read() as session:
        assert not session.get_one(Library, library["id"]).faces
    assert album


def test_deleting_asks_first_and_is_for_good(client: FlaskClient, album: dict[str, str]) -> None:
    would = client.delete(f"/api/v1/people/{album['ann']}").get_json()
    assert (would["removed"], would["faces"]) == (False, EACH)
    assert client.delete(f"/api/v1/people/{album['ann']}?confirm=true").get_json()["removed"]
    assert client.get(f"/api/v1/people/{album['ann']}").status_code == 404
    assert client.delete("/api/v1/people?confirm=true").get_json()["faces"] == EACH
    assert get(client, "/people")["total"] == 0
    assert not get(client, "/people/settings")["libraries"][0]["faces"]
