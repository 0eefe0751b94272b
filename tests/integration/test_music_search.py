"""Music in files is heard, its tempo and key narrow a search and are told of an asset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from dam import store
from dam.contracts import Kind
from dam.findings import Music
from dam.search import Query, SearchService
from dam.store import Lease
from dam.tables import Run, RunState
from tests.cli import Dam
from tests.media import RED, write_sound
from tests.music import write_music
from tests.rows import add_producer
from tests.search_world import World

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.config import Settings
    from dam.db import Database

HEARD = {
    "slow.wav": Music(72.0, "A minor", 0.9),
    "fast.wav": Music(140.2, "F# major", 0.4),
    "pad.wav": Music(None, "A minor", 0.2),
    "drums.wav": Music(120.0, None, 0.0),
    "talk.wav": None,
}


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    world = World(database, tmp_path / "media")
    with database.write() as session:
        producer = add_producer(session, "music").id
    for name, music in HEARD.items():
        asset_id = world.add(name, kind=Kind.AUDIO)
        with database.write() as session:
            run = Run(
                asset_id=asset_id,
                revision=1,
                producer_id=producer,
                state=RunState.LEASED,
                fence=1,
            )
            session.add(run)
            session.flush()
            found = [music] if music else []
            store.save(session, Lease(run.id, 1, asset_id, producer), found)
    return world


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("bpm:120", {"drums.wav"}),
        ("bpm:70..140", {"slow.wav", "drums.wav"}),
        ("bpm:>100", {"drums.wav", "fast.wav"}),
        ("key:Am", {"slow.wav", "pad.wav"}),
        ("key:Gb", {"fast.wav"}),
        ("key:Am bpm:<100", {"slow.wav"}),
        ("key:C", set()),
    ],
)
def test_only_music_that_is_so_is_found(
    world: World, settings: Settings, text: str, names: set[str]
) -> None:
    hits = SearchService(world.database, settings, None).search(Query(text)).results
    assert {hit.path.rsplit("/", 1)[-1] for hit in hits} == names


def test_the_api_tells_tempo_and_key_of_music_alone(world: World, client: FlaskClient) -> None:
    def told(name: str) -> object:
        page = client.get("/api/v1/assets").json
        (card,) = (card for card in page["assets"] if card["name"] == name)  # type: ignore[index]
        return client.get(f"/api/v1/assets/{card['id']}").json["music"]  # type: ignore[index]

    assert told("slow.wav") == {"tempo_bpm": 72.0, "key": "A minor", "key_confidence": 0.9}
    assert told("talk.wav") is None


def test_music_in_files_is_found_by_its_tempo_and_key(tmp_path: Path) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    song = np.repeat(write_music(100, "D major", lasts_s=12), 3)[None]  # 48 kHz
    write_sound(folder / "song.flac", song, codec="flac", layout="mono")
    write_sound(folder / "clip.mp4", song, codec="aac", layout="mono", colours=[RED] * 12)
    noise = np.random.default_rng(1).normal(0, 0.1, (1, 6 * 48_000))
    write_sound(folder / "rain.wav", noise, layout="mono")
    dam = Dam(tmp_path / "home", {"threads": "1", "decoders": "1", "indexers": "music"})
    dam.run("library", "add", str(folder))
    dam.run("index")
    found = dam.json("search", "bpm:99..101 key:D")["results"]
    assert {hit["path"].rsplit("/")[-1] for hit in found} == {"song.flac", "clip.mp4"}
