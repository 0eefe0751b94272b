"""Teaching a tag by example: refused below ten, explained, forgotten, and learnt again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select, update

from dam.contracts import Item, Kind, Setup, Vector
from dam.models import ModelStore
from dam.tables import TagRow, TagSource, VectorRow
from dam.teaching import refresh_taught
from indexers.visual import Visual
from tests.search_world import World

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.config import Settings
    from dam.db import Database

TAGS = "/api/v1/tags"
EXAMPLES = 10


@pytest.fixture
def boats(database: Database, tmp_path: Path) -> dict[str, str]:
    """Twenty photos of boats, thirty of other things; ids by name."""
    world = World(database, tmp_path / "photos")
    ids = {f"boat{n}": world.add(f"boat{n}.jpg", "boat harbour", seed=n) for n in range(20)}
    for n, shown in enumerate(["forest tree", "cake plate", "city street"] * 10):
        ids[f"other{n}"] = world.add(f"other{n}.jpg", shown, seed=100 + n)
    return ids


def decide(client: FlaskClient, asset_ids: list[str], verdict: str | None) -> None:
    body = {"tags": [{"word": "boat", "verdict": verdict}], "asset_ids": asset_ids}
    assert client.post(f"{TAGS}/decide", json=body).status_code == 200


def taught(client: FlaskClient, status: int = 200) -> Any:
    answer = client.post(f"{TAGS}/teach", json={"word": "boat"})
    assert answer.status_code == status, answer.text
    return answer.json


def suggested(client: FlaskClient) -> set[str]:
    items = client.get(f"{TAGS}/review?word=boat&limit=200").json["items"]
    return {item["asset"]["id"] for item in items}


MARK = 0.515625  # a score that no suggestion has by chance


def mark_suggestions(database: Database) -> None:
    with database.write() as session:
        session.execute(update(TagRow).where(TagRow.source == TagSource.TAUGHT).values(score=MARK))


def scores(database: Database) -> set[float]:
    with database.read() as session:
        return set(session.scalars(select(TagRow.score).where(TagRow.source == TagSource.TAUGHT)))


def test_a_tag_is_taught_from_ten_and_refused_below(
    client: FlaskClient, boats: dict[str, str]
) -> None:
    decide(client, [boats[f"boat{n}"] for n in range(7)], "approved")
    refused = taught(client, 400)["detail"]
    assert "approved on 7 pictures" in refused
    assert "Approve 3 more" in refused
    decide(client, [boats[f"boat{n}"] for n in range(EXAMPLES)], "approved")
    told = taught(client)["taught"]
    assert (told["examples"], told["counterexamples"]) == (EXAMPLES, 0)
    assert suggested(client) == {boats[f"boat{n}"] for n in range(EXAMPLES, 20)}
    assert told["suggested"] == 10
    assert told["recall"] > 0.7
    item = client.get(f"{TAGS}/review?word=boat&limit=1").json["items"][0]
    assert item["producer"] == "your examples"


def test_a_suggestion_is_explained_by_the_nearest_examples(
    client: FlaskClient, boats: dict[str, str]
) -> None:
    decide(client, [boats[f"boat{n}"] for n in range(EXAMPLES)], "approved")
    taught(client)
    query = {"word": "boat", "asset_id": boats["boat15"]}
    examples = client.get(f"{TAGS}/nearest", query_string=query).json["examples"]
    assert len(examples) == 3
    assert {one["asset"]["id"] for one in examples} <= {boats[f"boat{n}"] for n in range(EXAMPLES)}
    assert examples[0]["cosine"] >= examples[-1]["cosine"] > 0.5


def test_what_was_taught_is_forgotten_and_both_are_undone(
    client: FlaskClient, boats: dict[str, str], database: Database
) -> None:
    decide(client, [boats[f"boat{n}"] for n in range(EXAMPLES)], "approved")
    told = taught(client)
    assert client.post("/api/v1/assets/bulk/undo", json={"undo": told["undo"]}).status_code == 200
    assert suggested(client) == set()
    assert client.get(f"{TAGS}/taught").json["taught"] == []
    taught(client)
    forgotten = client.post(f"{TAGS}/forget", json={"word": "boat"}).json
    assert suggested(client) == set()
    assert client.post(f"{TAGS}/forget", json={"word": "boat"}).status_code == 404
    client.post("/api/v1/assets/bulk/undo", json={"undo": forgotten["undo"]})
    refresh_taught(database)  # as an idle worker does
    assert len(suggested(client)) == 10
    # Decisions were never touched.
    assert client.get(f"{TAGS}/review?word=boat&state=approved").json["total"] == EXAMPLES


def test_new_decisions_and_other_vectors_are_learnt_from(
    client: FlaskClient, boats: dict[str, str], database: Database, tmp_path: Path
) -> None:
    decide(client, [boats[f"boat{n}"] for n in range(EXAMPLES)], "approved")
    taught(client)
    decide(client, [boats["boat19"]], "rejected")
    refresh_taught(database)
    told = client.get(f"{TAGS}/taught").json["taught"][0]
    assert told["counterexamples"] == 1
    assert boats["boat19"] not in suggested(client)
    mark_suggestions(database)
    refresh_taught(database)  # nothing is new: nothing is made again
    assert MARK in scores(database)
    with database.write() as session:
        # As another model would: the same pictures lie elsewhere.
        turn = np.random.default_rng(1).permutation(256)
        for row in session.scalars(select(VectorRow)).all():
            turned = np.frombuffer(row.values, "<f2")[turn].tobytes()
            ids = {"space_id": row.space_id, "run_id": row.run_id, "asset_id": row.asset_id}
            session.delete(row)
            session.add(VectorRow(**ids, values=turned))
    refresh_taught(database)
    assert MARK not in scores(database)
    assert {boats[f"boat{n}"] for n in range(EXAMPLES, 19)} <= suggested(client)


def test_ten_real_photos_find_most_of_the_others(
    client: FlaskClient, database: Database, shared: Path, settings: Settings, tmp_path: Path
) -> None:
    """With the stand-in model; docs/indexers/tags.md publishes the figures."""
    photos = shared / "media" / "photos"
    captions = json.loads(next(photos.glob("*.json")).read_text())
    paths = sorted(photos.glob("*.jpg"))
    setup = Setup(
        models=ModelStore(settings.model_copy(update={"models": shared / "models"})),
        cache=tmp_path,
    )
    items = (
        Item(path.name, Kind.PHOTO, image=np.asarray(Image.open(path).convert("RGB")))
        for path in paths
    )
    world = World(database, photos)
    with Visual(setup) as visual:
        vectors = [outcome.findings[0] for outcome in visual.index(items)]
    ids = {}
    for path, vector in zip(paths, vectors, strict=True):
        assert isinstance(vector, Vector)
        ids[path.name] = world.add(path.name, vector=vector.values)
    said = {name: " ".join(captions[name]["captions"]).lower() for name in ids}
    right = [name for name in ids if any(word in said[name] for word in FOOD)]
    decide(client, [ids[name] for name in right[:EXAMPLES]], "approved")
    told = taught(client)["taught"]
    found = suggested(client)
    rest = {ids[name] for name in right[EXAMPLES:]}
    assert len(found & rest) >= len(rest) / 2, (told, len(found), len(rest))
    assert len(found & rest) >= len(found) / 2, (told, len(found), len(rest))


FOOD = ("food", "pizza", "cake", "sandwich", "plate", "meal", "fruit", "vegetable", "broccoli")
