"""Files that appear, move and go while a watcher runs. Waits for what shall happen, no longer."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from dam.config import Settings
from dam.library import hints
from dam.library.hints import Hint, LibraryEyes
from dam.library.libraries import add_library, remove_library
from dam.library.watch import Watcher, read_degraded
from dam.tables import Asset, File, FileState, Library
from tests.media import BLUE, GREEN, RED, write_jpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dam.db import Database

PATIENCE_S = 60.0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", threads=1, decoders=1, settle_s=0.2, rescan_s=3600)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


@pytest.fixture
def start(database: Database, settings: Settings) -> Iterator[Callable[..., Watcher]]:
    stop = threading.Event()
    threads = []

    def run(chosen: Settings = settings) -> Watcher:
        watcher = Watcher(database, chosen)
        threads.append(threading.Thread(target=watcher.run, args=(stop,)))
        threads[-1].start()
        return watcher

    yield run
    stop.set()
    for thread in threads:
        thread.join()


def eventually(what: Callable[[], object]) -> None:
    give_up_s = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < give_up_s, "it did not happen"
        time.sleep(0.02)


def present(database: Database) -> dict[str, str | None]:
    with database.read() as session:
        query = select(File.display, File.asset_id).where(File.state == FileState.PRESENT)
        return dict(session.execute(query).all())


def scans(database: Database, library_id: str) -> int:
    with database.read() as session:
        return session.scalars(select(Library.scans).where(Library.id == library_id)).one()


def test_files_are_found_at_the_start_and_while_it_runs(
    database: Database, root: Path, start: Callable[..., Watcher]
) -> None:
    write_jpeg(root / "before.jpg", RED, seed=1)
    add_library(database, root)
    start()
    eventually(lambda: set(present(database)) == {"before.jpg"})
    write_jpeg(root / "new.jpg", GREEN, seed=2)
    eventually(lambda: set(present(database)) == {"before.jpg", "new.jpg"})
    moved = present(database)["new.jpg"]
    (root / "new.jpg").rename(root / "renamed.jpg")
    eventually(lambda: present(database).get("renamed.jpg") == moved)
    (root / "before.jpg").unlink()
    eventually(lambda: set(present(database)) == {"renamed.jpg"})


def test_a_tree_moved_or_copied_in_is_found_with_all_its_files(
    database: Database, root: Path, tmp_path: Path, start: Callable[..., Watcher]
) -> None:
    add_library(database, root)
    start()
    outside = tmp_path / "outside"
    for seed, name in enumerate(("a.jpg", "1/b.jpg", "1/2/3/c.jpg")):
        write_jpeg(outside / name, BLUE, seed=seed)
    shutil.copytree(outside, root / "copied")
    outside.rename(root / "moved")
    names = {
        f"{top}/{name}"
        for top in ("copied", "moved")
        for name in ("a.jpg", "1/b.jpg", "1/2/3/c.jpg")
    }
    eventually(lambda: set(present(database)) == names)
    assert len(set(present(database).values())) == 3


def test_slow_and_atomic_writers_leave_one_whole_file(
    database: Database, root: Path, tmp_path: Path, start: Callable[..., Watcher]
) -> None:
    add_library(database, root)
    start()
    content = write_jpeg(tmp_path / "whole.jpg", RED, seed=1).read_bytes()
    with (root / "slow.jpg").open("wb") as file:
        for begin in range(0, len(content), len(content) // 5):
            file.write(content[begin : begin + len(content) // 5])
            file.flush()
            time.sleep(0.1)
    (root / "b.jpg.part").write_bytes(write_jpeg(tmp_path / "b.jpg", GREEN, seed=2).read_bytes())
    (root / "b.jpg.part").rename(root / "b.jpg")
    eventually(lambda: set(present(database)) == {"slow.jpg", "b.jpg"})
    with database.read() as session:
        sizes = select(Asset.size_bytes).join(Asset.files).where(File.display == "slow.jpg")
        assert session.scalars(sizes).one() == len(content)
        assert session.scalars(select(Asset.revision)).all() == [1, 1]


def test_libraries_added_and_removed_while_it_runs_are_followed(
    database: Database, root: Path, start: Callable[..., Watcher]
) -> None:
    start()
    write_jpeg(root / "a.jpg", RED)
    add_library(database, root)
    eventually(lambda: set(present(database)) == {"a.jpg"})
    remove_library(database, "photos")
    write_jpeg(root / "b.jpg", GREEN)
    assert present(database) == {}


def test_without_any_event_the_next_scan_finds_everything(
    database: Database, root: Path, settings: Settings, start: Callable[..., Watcher],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(hints._Handler, "on_any_event", lambda _self, _event: None)
    add_library(database, root)
    start(settings.model_copy(update={"rescan_s": 0.3}))
    write_jpeg(root / "a.jpg", RED)
    eventually(lambda: set(present(database)) == {"a.jpg"})


def test_lost_events_bring_a_scan_of_everything(
    database: Database, root: Path, start: Callable[..., Watcher], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(hints._Handler, "on_any_event", lambda _self, _event: None)
    library = add_library(database, root)
    start()
    eventually(lambda: scans(database, library.id) >= 1)
    write_jpeg(root / "a.jpg", RED)
    logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed")
    eventually(lambda: set(present(database)) == {"a.jpg"})


def test_a_root_that_comes_back_is_watched_again(
    database: Database, root: Path, settings: Settings, start: Callable[..., Watcher],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(hints, "OPEN_AGAIN_S", 0.1)
    write_jpeg(root / "a.jpg", RED)
    library = add_library(database, root)
    start()
    eventually(lambda: set(present(database)) == {"a.jpg"})
    root.rename(root.with_name("away"))
    eventually(lambda: "cannot be watched" in read_degraded(settings.run_path).get(library.id, ""))
    assert set(present(database)) == {"a.jpg"}
    write_jpeg(root.with_name("away") / "b.jpg", GREEN)
    root.with_name("away").rename(root)
    eventually(lambda: read_degraded(settings.run_path) == {})
    eventually(lambda: set(present(database)) == {"a.jpg", "b.jpg"})
    write_jpeg(root / "c.jpg", BLUE)
    eventually(lambda: set(present(database)) == {"a.jpg", "b.jpg", "c.jpg"})


def test_network_file_systems_are_scanned_often_and_said_to_be(
    database: Database, root: Path, settings: Settings, start: Callable[..., Watcher],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(hints, "is_network_path", lambda _path: True)
    monkeypatch.setattr("dam.library.watch.BLIND_RESCAN_S", 0.3)
    library = add_library(database, root)
    start()
    eventually(lambda: "network" in read_degraded(settings.run_path).get(library.id, ""))
    write_jpeg(root / "a.jpg", RED)
    eventually(lambda: set(present(database)) == {"a.jpg"})


def test_what_a_scan_would_pass_over_is_no_hint(database: Database, root: Path) -> None:
    library = add_library(database, root)
    got: list[Hint] = []

    class Queue:
        put = staticmethod(got.append)

    handler = hints._Handler(library.id, str(root).encode(), Queue())  # type: ignore[arg-type]
    for name in ("notes.txt", ".git/a.jpg", ".hidden.jpg", "@eaDir/a.jpg", "a.jpg.part"):
        handler.on_any_event(hints.FileCreatedEvent(str(root / name)))
    handler.on_any_event(hints.FileCreatedEvent(str(root.parent / "outside.jpg")))
    assert got == []
    handler.on_any_event(hints.FileMovedEvent(str(root / "a.jpg.part"), str(root / "a.jpg")))
    handler.on_any_event(hints.FileMovedEvent(str(root / "a.jpg"), str(root / "a.jpg.bak")))
    handler.on_any_event(hints.FileModifiedEvent(str(root / "trip" / "a.jpg.xmp")))
    assert [hint.path for hint in got] == [b"a.jpg", None, b"trip"]


def test_a_watch_of_a_missing_root_says_why(database: Database, root: Path) -> None:
    library = add_library(database, root)
    root.rmdir()
    eyes = LibraryEyes(library, hints=None)  # type: ignore[arg-type]
    assert not eyes.open(now_s=0)
    assert eyes.trouble is not None
    assert "No such file" in eyes.trouble
