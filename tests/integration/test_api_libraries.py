"""Libraries and their files over HTTP."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from dam.db import Database
from dam.library.scan_requests import take_requests
from dam.library.update import update_libraries
from dam.library.watch import Watcher
from dam.liveness import announce
from dam.tables import File, FileState
from tests.media import RED, write_jpeg
from tests.rows import add_asset, add_library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.config import Settings

LIBRARIES = "/api/v1/libraries"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "holiday"
    path.mkdir()
    return path


def test_added_folder_is_listed(client: FlaskClient, folder: Path) -> None:
    added = client.post(LIBRARIES, json={"path": str(folder)})
    assert added.status_code == 201
    assert (added.json["name"], added.json["path"]) == ("holiday", str(folder))
    assert added.json["files"] == {"present": 0, "missing": 0, "unreadable": 0}
    assert client.get(LIBRARIES).json["libraries"] == [added.json]
    assert client.get(f"{LIBRARIES}/{added.json['id']}").json == added.json


def test_folder_inside_a_library_is_a_conflict(client: FlaskClient, folder: Path) -> None:
    client.post(LIBRARIES, json={"path": str(folder)})
    inner = folder / "inner"
    inner.mkdir()
    assert client.post(LIBRARIES, json={"path": str(inner)}).status_code == 409


def test_a_library_gets_another_name_and_another_turn(client: FlaskClient, folder: Path) -> None:
    added = client.post(LIBRARIES, json={"path": str(folder)}).json
    assert added["priority"] == 0
    changed = client.patch(f"{LIBRARIES}/{added['id']}", json={"name": " Summer  2024 "})
    assert changed.json == {**added, "name": "Summer 2024"}
    changed = client.patch(f"{LIBRARIES}/{added['id']}", json={"priority": -1})
    assert changed.json == {**added, "name": "Summer 2024", "priority": -1}
    assert client.get(LIBRARIES).json["libraries"] == [changed.json]


def test_a_name_that_is_taken_or_a_priority_that_is_none_changes_nothing(
    client: FlaskClient, folder: Path, tmp_path: Path
) -> None:
    added = client.post(LIBRARIES, json={"path": str(folder)}).json
    (tmp_path / "other").mkdir()
    client.post(LIBRARIES, json={"path": str(tmp_path / "other")})
    address = f"{LIBRARIES}/{added['id']}"
    taken = client.patch(address, json={"name": "other", "priority": 1})
    assert (taken.status_code, "“other”" in taken.json["detail"]) == (409, True)
    assert client.patch(address, json={"name": "  "}).status_code == 400
    assert client.patch(address, json={"priority": 7}).status_code == 422
    assert client.patch(address, json={"name": "holiday"}).status_code == 200, "its own name"
    assert client.get(address).json == added


def test_a_library_named_like_the_id_of_another_is_not_mistaken_for_it(
    client: FlaskClient, folder: Path
) -> None:
    (folder.parent / "other").mkdir()
    named = client.post(LIBRARIES, json={"path": str(folder.parent / "other")}).json["id"]
    meant = client.post(LIBRARIES, json={"path": str(folder)}).json["id"]
    assert client.patch(f"{LIBRARIES}/{named}", json={"name": meant}).status_code == 200
    client.patch(f"{LIBRARIES}/{meant}", json={"priority": 1})
    client.delete(f"{LIBRARIES}/{named}", query_string={"confirm": "true"})
    (left,) = client.get(LIBRARIES).json["libraries"]
    assert (left["id"], left["priority"]) == (meant, 1)


def test_folder_that_is_not_there_is_named(client: FlaskClient, folder: Path) -> None:
    answer = client.post(LIBRARIES, json={"path": str(folder / "none")})
    assert answer.status_code == 404
    assert str(folder / "none") in answer.json["detail"]


def test_removal_is_described_before_it_is_done(
    client: FlaskClient, database: Database, folder: Path
) -> None:
    with database.write() as session:
        library = add_library(session, folder, "holiday")
        kept = add_asset(session, library, "kept.jpg")
        add_asset(session, library, "gone.jpg")
        library_id, kept_id = library.id, kept.id
    client.patch(
        f"/api/v1/assets/{kept_id}", json={"tags": [{"word": "sea", "verdict": "approved"}]}
    )
    url = f"{LIBRARIES}/{library_id}"
    described = client.delete(url).json
    assert described == {
        "removed": False,
        "library": "holiday",
        "files": 2,
        "assets_removed": 1,
        "assets_kept": 1,
    }
    assert client.get(url).status_code == 200
    assert client.delete(f"{url}?confirm=true").json == {**described, "removed": True}
    assert client.get(url).status_code == 404
    assert client.get(f"/api/v1/assets/{kept_id}").status_code == 200


def test_unreadable_files_are_listed_with_their_reasons(
    client: FlaskClient, database: Database, folder: Path
) -> None:
    with database.write() as session:
        library = add_library(session, folder)
        for name in ("a.jpg", "b.jpg", "c.jpg"):
            add_asset(session, library, name)
        broken = session.query(File).filter_by(display="b.jpg").one()
        broken.state, broken.error = FileState.UNREADABLE, "b.jpg is empty (0 bytes)"
        url = f"{LIBRARIES}/{library.id}/files"
    found = client.get(f"{url}?state=unreadable").json["files"]
    assert [(file["path"], file["error"]) for file in found] == [
        ("b.jpg", "b.jpg is empty (0 bytes)")
    ]
    first = client.get(f"{url}?limit=2").json
    rest = client.get(f"{url}?limit=2&cursor={first['next_cursor']}").json
    paths = [file["path"] for page in (first, rest) for file in page["files"]]
    assert (paths, rest["next_cursor"]) == (["a.jpg", "b.jpg", "c.jpg"], None)
    assert client.get(f"{url}?cursor=WyJ6eiJd").status_code == 400


def test_folders_are_listed_level_by_level(
    client: FlaskClient, database: Database, folder: Path
) -> None:
    with database.write() as session:
        library = add_library(session, folder)
        for name in ("top.jpg", "2024/a.jpg", "2024/may/b.jpg", "2024/may/c.jpg", "100%/d.jpg"):
            add_asset(session, library, name)
        url = f"{LIBRARIES}/{library.id}/folders"

    def listed(under: str) -> list[tuple[str, int]]:
        answer = client.get(url, query_string={"under": under})
        return [(one["path"], one["assets"]) for one in answer.json["folders"]]

    assert listed("") == [("100%", 1), ("2024", 3)]
    assert listed("2024") == [("2024/may", 2)]
    assert listed("2024/may/") == []
    assert listed("../..") == []


def test_scan_is_passed_on_to_the_watcher(
    client: FlaskClient, folder: Path, settings: Settings
) -> None:
    library_id = client.post(LIBRARIES, json={"path": str(folder)}).json["id"]
    refused = client.post(f"{LIBRARIES}/{library_id}/scan")
    assert (refused.status_code, take_requests(settings.run_path)) == (503, set())
    announce(settings.run_path, "watch")
    assert client.post(f"{LIBRARIES}/{library_id}/scan").status_code == 202
    assert client.post(f"{LIBRARIES}/{library_id}/scan").json == {"requested": True}
    assert take_requests(settings.run_path) == {library_id}
    assert take_requests(settings.run_path) == set()


@contextmanager
def _watching(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A watcher to whom no event tells anything."""
    monkeypatch.setattr("dam.library.hints.is_network_path", lambda _: True)
    monkeypatch.setattr("dam.library.watch.LOOK_AROUND_S", 0.1)
    announce(settings.run_path, "watch")
    eager = settings.model_copy(update={"settle_s": 0.0})
    watcher_database = Database(settings.database_path)
    stop = threading.Event()
    watching = threading.Thread(target=Watcher(watcher_database, eager).run, args=(stop,))
    watching.start()
    try:
        yield
    finally:
        stop.set()
        watching.join()
        watcher_database.close()


def test_requested_scan_finds_what_no_event_told(
    client: FlaskClient, folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{LIBRARIES}/{client.post(LIBRARIES, json={'path': str(folder)}).json['id']}"
    with _watching(settings, monkeypatch):
        _until(lambda: client.get(url).json["scanned_at"] is not None)
        write_jpeg(folder / "new.jpg", RED)
        assert client.post(f"{url}/scan").status_code == 202
        _until(lambda: client.get(url).json["files"]["present"] == 1)


@pytest.mark.parametrize("retry", ["scan", "jobs"])
def test_who_asks_again_has_unreadable_files_tried_again(
    client: FlaskClient,
    database: Database,
    folder: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    retry: str,
) -> None:
    url = f"{LIBRARIES}/{client.post(LIBRARIES, json={'path': str(folder)}).json['id']}"
    write_jpeg(folder / "large.jpg", RED)
    update_libraries(database, settings.model_copy(update={"max_pixels": 1}))
    assert client.get(url).json["files"]["unreadable"] == 1
    with _watching(settings, monkeypatch):
        before = client.get(url).json["scanned_at"]
        _until(lambda: client.get(url).json["scanned_at"] != before)
        assert client.get(url).json["files"]["unreadable"] == 1, "by itself it does not change"
        asked = f"{url}/scan" if retry == "scan" else "/api/v1/jobs/retry"
        assert client.post(asked, json={}).status_code in {200, 202}
        _until(lambda: client.get(url).json["files"]["present"] == 1)


def _until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/scan"),
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/files"),
        ("GET", "/folders"),
        ("POST", "/confirm-missing"),
        ("PATCH", ""),
    ],
)
def test_unknown_library_is_not_found(client: FlaskClient, method: str, path: str) -> None:
    body = {} if method == "PATCH" else None
    answer = client.open(f"{LIBRARIES}/none{path}", method=method, json=body)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
