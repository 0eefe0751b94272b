"""What is heard in an asset, as the lanes of a player show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dam.contracts import Kind
from tests.search_world import World

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.db import Database


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path / "recordings")


def test_sounds_are_told_in_the_order_in_which_they_begin(
    world: World, client: FlaskClient
) -> None:
    events = [(4, 9, "Rain", 0.5), (1, 2, "Dog", 0.75), (4, 5, "Bell", 0.625)]
    asset_id = world.add("garden.wav", kind=Kind.AUDIO, events=events)
    world.add("other.wav", kind=Kind.AUDIO, events=[(0, 1, "Cat", 0.5)])
    assert client.get(f"/api/v1/assets/{asset_id}/sounds").json == {
        "events": [
            {"label": "Dog", "start_s": 1.0, "end_s": 2.0, "confidence": 0.75},
            {"label": "Bell", "start_s": 4.0, "end_s": 5.0, "confidence": 0.625},
            {"label": "Rain", "start_s": 4.0, "end_s": 9.0, "confidence": 0.5},
        ]
    }
    detail = client.get(f"/api/v1/assets/{asset_id}").json
    assert detail is not None and detail["sound_events"] == 3


def test_an_asset_in_which_nothing_is_named_has_no_sounds(
    world: World, client: FlaskClient
) -> None:
    asset_id = world.add("beach.jpg")
    assert client.get(f"/api/v1/assets/{asset_id}/sounds").json == {"events": []}
    detail = client.get(f"/api/v1/assets/{asset_id}").json
    assert detail is not None and detail["sound_events"] == 0
    assert client.get("/api/v1/assets/none/sounds").status_code == 404
