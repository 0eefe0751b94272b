"""Changing many assets at once, and undoing it: each has again exactly what it had before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select, text, update

from dam import changes
from dam.edits import EditField, Written, write_edits
from dam.tables import Asset, Edit, Stack, TagDecision, TextRow, Undo, now_us
from tests.rows import add_asset, add_library

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.db import Database

ASSETS = "/api/v1/assets"
BULK = f"{ASSETS}/bulk"


@pytest.fixture
def asset_ids(database: Database, tmp_path: Path) -> list[str]:
    """Six photos with titles from their files; what people said of them differs."""
    with database.write() as session:
        library = add_library(session, tmp_path / "photos")
        found = []
        for number in range(6):
            asset = add_asset(session, library, f"{number}.jpg")
            asset.title, asset.rating = f"From file {number}", number % 4
            found.append(asset.id)
        session.flush()
        for asset_id in found:
            title = session.get_one(Asset, asset_id).title
            session.add(TextRow(asset_id=asset_id, field="title", body=title))
    return found


def said(client: FlaskClient, asset_id: str, **what: object) -> None:
    assert client.patch(f"{ASSETS}/{asset_id}", json=what).status_code == 200


def bulk(client: FlaskClient, asset_ids: list[str], **what: object) -> tuple[int, str]:
    answer = client.post(BULK, json={"asset_ids": asset_ids, **what})
    assert answer.status_code == 200, answer.text
    body = answer.json or {}
    return body["changed"], body["undo"]


def undone(client: FlaskClient, undo: str) -> int:
    answer = client.post(f"{BULK}/undo", json={"undo": undo})
    assert answer.status_code == 200, answer.text
    return int((answer.json or {})["changed"])


def everything(database: Database) -> dict[str, list[Any]]:
    """All that people's changes touch, without row ids and times of the rows themselves."""
    with database.read() as session:
        return {
            name: sorted(map(tuple, session.execute(query).all()), key=repr)
            for name, query in {
                "assets": select(
                    Asset.id, Asset.title, Asset.caption, Asset.rating, Asset.trashed_us
                ),
                "edits": select(
                    Edit.asset_id, Edit.field, Edit.value, Edit.file_value, Edit.decided_us
                ),
                "decisions": select(
                    TagDecision.asset_id,
                    TagDecision.word,
                    TagDecision.verdict,
                    TagDecision.decided_us,
                ),
                "texts": select(TextRow.asset_id, TextRow.field, TextRow.body),
            }.items()
        }


def test_undoing_restores_exactly_what_each_asset_had(
    client: FlaskClient, database: Database, asset_ids: list[str]
) -> None:
    said(client, asset_ids[0], title="Mine", rating=5)
    said(client, asset_ids[1], title="")
    said(client, asset_ids[2], tags=[{"word": "sea", "verdict": "rejected"}])
    said(client, asset_ids[3], trashed=True)
    before = everything(database)
    changed, undo = bulk(
        client,
        asset_ids,
        title="All alike",
        caption="Words",
        rating=2,
        tags=[{"word": "sea", "verdict": "approved"}, {"word": "Lisbon", "verdict": "approved"}],
        trashed=True,
    )
    assert changed == 6
    after = everything(database)
    assert {row[1:4] for row in after["assets"]} == {("All alike", "Words", 2)}
    assert all(row[4] is not None for row in after["assets"])
    assert undone(client, undo) == 6
    assert everything(database) == before


def test_undoing_taken_back_edits_brings_them_again(
    client: FlaskClient, database: Database, asset_ids: list[str]
) -> None:
    said(client, asset_ids[0], title="Mine", rating=5)
    before = everything(database)
    changed, undo = bulk(client, asset_ids, title=None, rating=None)
    assert changed == 1
    assert everything(database)["edits"] == []
    undone(client, undo)
    assert everything(database) == before


def test_undoing_shows_what_the_file_says_by_now(
    client: FlaskClient, database: Database, asset_ids: list[str]
) -> None:
    _, undo = bulk(client, asset_ids, title="All alike")
    with database.write() as session:  # as reading the file again would
        renewed = update(Edit).where(Edit.asset_id == asset_ids[0])
        session.execute(renewed.values(file_value="Newer"))
    undone(client, undo)
    with database.read() as session:
        titles = [session.get_one(Asset, asset_id).title for asset_id in asset_ids[:2]]
    assert titles == ["Newer", "From file 1"]


def test_what_others_changed_since_stays(
    client: FlaskClient, database: Database, asset_ids: list[str]
) -> None:
    _, undo = bulk(client, asset_ids, rating=1)
    said(client, asset_ids[0], caption="Later")
    undone(client, undo)
    with database.read() as session:
        asset = session.get_one(Asset, asset_ids[0])
        assert (asset.caption, asset.rating) == ("Later", 0)


def test_only_what_differs_counts_as_changed(client: FlaskClient, asset_ids: list[str]) -> None:
    said(client, asset_ids[0], rating=4)
    assert bulk(client, [*asset_ids, asset_ids[1], "4f1c"], rating=4)[0] == 5
    assert bulk(client, asset_ids, rating=4)[0] == 0


def test_a_change_is_undone_once_and_only_for_a_day(
    client: FlaskClient, database: Database, asset_ids: list[str]
) -> None:
    _, undo = bulk(client, asset_ids, rating=4)
    assert undone(client, undo) == 6
    again = client.post(f"{BULK}/undo", json={"undo": undo})
    assert again.status_code == 404
    assert "undone already" in (again.json or {})["detail"]
    _, old = bulk(client, asset_ids, rating=3)
    with database.write() as session:
        session.execute(update(Undo).values(created_us=now_us() - changes.UNDO_US - 1))
    assert client.post(f"{BULK}/undo", json={"undo": old}).status_code == 404
    bulk(client, asset_ids, rating=2)
    with database.read() as session:
        assert not [part for part in session.scalars(select(Undo.id)) if part.startswith(old)]


def test_a_few_undos_are_kept(
    client: FlaskClient, database: Database, asset_ids: list[str]
) -> None:
    tokens = [bulk(client, asset_ids[:1], rating=at % 5)[1] for at in range(changes.UNDOS + 3)]
    with database.read() as session:
        kept = {part.partition(".")[0] for part in session.scalars(select(Undo.id))}
    assert kept == set(tokens[3:])


def test_a_value_that_cannot_be_changes_nothing(
    client: FlaskClient, database: Database, asset_ids: list[str]
) -> None:
    before = everything(database)
    wrong = {"asset_ids": asset_ids, "rating": 3, "title": "x" * 501}
    assert client.post(BULK, json=wrong).status_code == 400
    assert everything(database) == before


@pytest.mark.parametrize(
    "body",
    [
        {"asset_ids": [], "rating": 1},
        {"asset_ids": ["4f1c"]},
        {"rating": 1},
        {"asset_ids": ["x" * 41], "rating": 1},
    ],
)
def test_a_change_of_nothing_is_refused(client: FlaskClient, body: dict[str, object]) -> None:
    assert client.post(BULK, json=body).status_code == 422


def test_too_many_ids_are_refused_with_the_limit(client: FlaskClient) -> None:
    answer = client.post(BULK, json={"asset_ids": ["0"] * 100_001, "rating": 1})
    assert answer.status_code == 422
    assert "at most 100000 items" in (answer.json or {})["detail"]
    answer = client.post(BULK, json={"asset_ids": ["0" * 40] * 120_000, "rating": 1})
    assert answer.status_code == 413
    assert "4,194,304 is the limit" in (answer.json or {})["detail"]
    answer = client.post(f"{BULK}/undo", json={"undo": "0" * 1_100_000})
    assert answer.status_code == 413
    assert "1,048,576 is the limit" in (answer.json or {})["detail"]


def test_too_many_tags_on_too_many_assets_are_refused_with_the_limit(
    client: FlaskClient, database: Database, asset_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST_VERDICTS", 17)
    tags = [{"word": str(number), "verdict": "approved"} for number in range(3)]
    answer = client.post(BULK, json={"asset_ids": asset_ids, "tags": tags})
    assert answer.status_code == 400
    assert "3 tags on 6 assets" in (answer.json or {})["detail"]
    assert "at most 2 tags" in (answer.json or {})["detail"]
    assert everything(database)["decisions"] == []
    assert bulk(client, asset_ids, tags=tags[:2])[0] == 6


def test_a_large_change_is_written_in_short_parts_and_undone_as_one(
    client: FlaskClient, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "AT_ONCE", 9)  # values: three of each asset
    with database.write() as session:
        library = add_library(session, tmp_path / "photos")
        ids = [add_asset(session, library, f"{number}.jpg").id for number in range(20)]
        session.flush()
        write_edits(session, EditField.TITLE, {ids[-1]: Written("Mine", 7)})
    before = everything(database)
    body = {"title": "Trip", "tags": [{"word": "trip", "verdict": "approved"}], "trashed": True}
    changed, undo = bulk(client, ids, **body)
    assert changed == 20
    assert client.get(ASSETS).json == {"assets": [], "next_cursor": None, "total": 0}
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Undo)) == 7
    assert undone(client, undo) == 20
    assert everything(database) == before
    assert client.post(f"{BULK}/undo", json={"undo": undo}).status_code == 404


def test_a_stack_trashed_in_several_parts_comes_back_with_its_cover(
    client: FlaskClient,
    database: Database,
    asset_ids: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(changes, "AT_ONCE", 1)
    raw, cover = asset_ids[:2]
    with database.write() as session:
        session.add(Stack(id="s", reason="raw_jpeg", cover_id=cover))
        session.flush()
        session.execute(update(Asset).where(Asset.id.in_([cover, raw])).values(stack_id="s"))
    assert bulk(client, [raw, cover], trashed=True)[0] == 2
    assert bulk(client, [cover], trashed=False)[0] == 2


def test_the_full_text_follows(
    client: FlaskClient, database: Database, asset_ids: list[str]
) -> None:
    def found(word: str) -> int:
        query = text("SELECT count(*) FROM texts_words WHERE texts_words MATCH :word")
        with database.read() as session:
            return int(session.scalar(query, {"word": word}) or 0)

    _, undo = bulk(client, asset_ids, title="Regatta")
    assert (found("regatta"), found("file")) == (6, 0)
    undone(client, undo)
    assert (found("regatta"), found("file")) == (0, 6)


def test_a_stack_goes_to_the_trash_with_its_cover_and_comes_back(
    client: FlaskClient, database: Database, asset_ids: list[str]
) -> None:
    cover, raw, other, *_ = asset_ids
    with database.write() as session:
        session.add(Stack(id="s", reason="raw_jpeg", cover_id=cover))
        session.flush()
        session.execute(update(Asset).where(Asset.id.in_([cover, raw, other])).values(stack_id="s"))

    def trashed() -> set[str]:
        with database.read() as session:
            return set(session.scalars(select(Asset.id).where(Asset.trashed_us.is_not(None))))

    said(client, other, trashed=True)
    assert trashed() == {other}
    changed, undo = bulk(client, [cover], trashed=True)
    assert (changed, trashed()) == (2, {cover, raw, other})
    undone(client, undo)
    assert trashed() == {other}
    bulk(client, [cover], trashed=True)
    said(client, cover, trashed=False)
    assert trashed() == {other}
