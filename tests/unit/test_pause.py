"""Pausing: what is stored, what it means for those that need each other, and for the work."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar

import pytest
from sqlalchemy import func, select

from dam.errors import NotFound
from dam.indexing import fanout
from dam.indexing import pause as pause_module
from dam.indexing import registry as registry_module
from dam.indexing.pause import is_all_paused, needs_of, pause, paused_indexers, resume
from dam.indexing.plan import open_registry
from dam.indexing.status import read_status
from dam.indexing.worker import Worker
from dam.library.libraries import add_library
from dam.library.update import update_libraries
from dam.schema import open_database
from dam.tables import ProducerRow, Run, RunState, TagRow
from tests.media import BLUE, GREEN, RED, write_clip, write_jpeg
from tests.plugins import Colour, ColourName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from dam.config import Settings
    from dam.contracts import Item, Outcome
    from dam.db import Database
    from dam.indexing.registry import Registry

PHOTOS = 6
LIMIT_S = 60


class Gated(Colour):
    """Says when it has begun, and goes on with the second frame or photo when it may."""

    begun: ClassVar[threading.Event]
    may_go_on: ClassVar[threading.Event]

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        for item in items:
            if item.frames:
                yield from super().index([self._slow(item)])
            else:
                yield from super().index([item])
                self._wait()

    def _slow(self, item: Item) -> Item:
        def frames() -> Iterator[object]:
            for frame in item.frames:
                self._wait()
                yield frame

        slow = type(item)(item.asset_id, item.kind, item.duration_us, None, frames())  # type: ignore[arg-type]
        return slow

    def _wait(self) -> None:
        self.begun.set()
        assert self.may_go_on.wait(LIMIT_S)


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch) -> dict[str, type]:
    Gated.begun, Gated.may_go_on = threading.Event(), threading.Event()
    chosen: dict[str, type] = {"colour": Gated, "colour_name": ColourName}
    monkeypatch.setattr(registry_module, "discover", lambda: chosen)
    monkeypatch.setattr(pause_module, "LOOK_S", 0.0)
    return chosen


@pytest.fixture
def registry(database: Database, settings: Settings) -> Registry:
    return open_registry(database, settings)


@pytest.fixture
def photos(database: Database, settings: Settings, tmp_path: Path) -> Path:
    for number in range(PHOTOS):
        colour = (RED, GREEN, BLUE)[number % 3]
        write_jpeg(tmp_path / "photos" / f"{number}.jpg", colour, seed=number)
    add_library(database, tmp_path / "photos")
    update_libraries(database, settings)
    return tmp_path / "photos"


def resting(database: Database, registry: Registry) -> set[str]:
    with database.read() as session:
        return set(paused_indexers(session, needs_of(registry)))


def runs(database: Database) -> dict[tuple[str, str], int]:
    """How many runs there are by indexer and state."""
    with database.read() as session:
        query = (
            select(ProducerRow.indexer, Run.state, func.count())
            .join(Run, Run.producer_id == ProducerRow.id)
            .group_by(ProducerRow.indexer, Run.state)
        )
        return {(indexer, state): number for indexer, state, number in session.execute(query)}


def start(database: Database, settings: Settings) -> threading.Thread:
    worker = Worker(database, settings, threading.Event())
    thread = threading.Thread(target=worker.run, kwargs={"until_idle": True})
    thread.start()
    return thread


def test_what_needs_a_paused_indexer_rests_with_it(database: Database, registry: Registry) -> None:
    pause(database, registry, "colour")
    assert resting(database, registry) == {"colour", "colour_name"}
    resume(database, registry, "colour")
    assert resting(database, registry) == set()
    pause(database, registry, "colour_name")
    assert resting(database, registry) == {"colour_name"}


def test_one_of_all_that_rest_can_be_resumed_with_what_it_needs(
    database: Database, registry: Registry
) -> None:
    pause(database, registry)
    assert resting(database, registry) == {"previews", "colour", "colour_name"}
    resume(database, registry, "colour_name")
    assert resting(database, registry) == {"previews"}
    with database.read() as session:
        assert not is_all_paused(session)


def test_an_unknown_indexer_is_named_with_those_there_are(
    database: Database, registry: Registry
) -> None:
    for change in (pause, resume):
        with pytest.raises(NotFound, match="no indexer typo; there is previews, colour"):
            change(database, registry, "typo")


def test_a_pause_outlives_the_process(
    database: Database, settings: Settings, registry: Registry, photos: Path
) -> None:
    pause(database, registry)
    again = open_database(settings)
    try:
        start(again, settings).join(LIMIT_S)
        status = read_status(again, settings)
    finally:
        again.close()
    assert {state for _, state in runs(database)} == {RunState.PENDING}
    assert status.paused and all(entry.paused for entry in status.indexers)
    assert not status.busy


def test_pausing_one_indexer_lets_the_others_work(
    database: Database, settings: Settings, registry: Registry, photos: Path
) -> None:
    pause(database, registry, "colour")
    start(database, settings).join(LIMIT_S)
    assert runs(database) == {
        ("previews", RunState.DONE): PHOTOS,
        ("colour", RunState.PENDING): PHOTOS,
        ("colour_name", RunState.PENDING): PHOTOS,
    }


@pytest.mark.parametrize("indexer", [None, "colour"])
def test_a_batch_that_is_paused_keeps_what_is_done_and_gives_back_the_rest(
    database: Database, settings: Settings, registry: Registry, photos: Path, indexer: str | None
) -> None:
    working = start(database, settings)
    assert Gated.begun.wait(LIMIT_S)
    pause(database, registry, indexer)
    Gated.may_go_on.set()
    working.join(LIMIT_S)
    assert not working.is_alive()
    found = runs(database)
    assert found["colour", RunState.DONE] == 1
    assert found["colour", RunState.PENDING] == PHOTOS - 1
    assert not {state for _, state in found} & {RunState.LEASED, RunState.FAILED}
    with database.read() as session:
        pending = select(Run.attempts).where(Run.state == RunState.PENDING)
        assert set(session.scalars(pending)) == {0}, "what was not done was not tried"
    resume(database, registry)
    start(database, settings).join(LIMIT_S)
    assert {state for _, state in runs(database)} == {RunState.DONE}
    with database.read() as session:
        assert set(session.scalars(select(TagRow.word))) == {"red", "green", "blue"}


@pytest.mark.parametrize("indexer", [None, "colour"])
def test_a_video_is_left_in_the_middle_and_done_whole_later(
    database: Database,
    settings: Settings,
    registry: Registry,
    tmp_path: Path,
    indexer: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fanout, "FRAMES_AHEAD", 1)  # the decoder cannot be through by then
    write_clip(tmp_path / "clips" / "clip.mp4", [RED, BLUE, GREEN])
    add_library(database, tmp_path / "clips")
    update_libraries(database, settings)
    working = start(database, settings)
    assert Gated.begun.wait(LIMIT_S)
    pause(database, registry, indexer)
    Gated.may_go_on.set()
    working.join(LIMIT_S)
    assert not working.is_alive()
    found = runs(database)
    assert found["colour", RunState.PENDING] == found["colour_name", RunState.PENDING] == 1
    if indexer is not None:
        assert found["previews", RunState.DONE] == 1, "the others finish their pass"
    resume(database, registry)
    start(database, settings).join(LIMIT_S)
    assert {state for _, state in runs(database)} == {RunState.DONE}
    with database.read() as session:
        assert set(session.scalars(select(TagRow.word))) == {"red", "green", "blue"}
