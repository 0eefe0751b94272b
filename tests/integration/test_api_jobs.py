"""Pausing, what failed, and trying it again, as the web app asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dam.tables import File, FileState, Run, RunState
from tests.cli import Dam
from tests.media import RED, write_jpeg
from tests.rows import add_asset, add_library, add_producer, add_run

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.db import Database

JOBS = "/api/v1/jobs"
RUNS = 5


@pytest.fixture
def run_ids(database: Database, tmp_path: Path) -> list[str]:
    """Failed runs, the oldest first, and one file that cannot be read at all."""
    with database.write() as session:
        library = add_library(session, tmp_path / "photos")
        previews, visual = (add_producer(session, name) for name in ("previews", "visual"))
        found = []
        for number in range(RUNS):
            asset = add_asset(session, library, f"{number}.jpg")
            run = add_run(session, asset, previews if number else visual)
            run.state, run.error = RunState.FAILED, f"reason {number}"
            run.attempts, run.finished_us = 2, 1_700_000_000_000_000 + number
            found.append(str(run.id))
        session.add(
            File(
                library_id=library.id,
                path=b"empty.jpg",
                display="empty.jpg",
                state=FileState.UNREADABLE,
                error="it has 0 bytes",
                size_bytes=0,
                mtime_ns=1,
                device=1,
                inode=1,
            )
        )
        return found


def test_everything_and_one_indexer_are_paused_and_go_on(client: FlaskClient) -> None:
    paused = client.post(f"{JOBS}/pause", json={}).json
    assert paused["paused"] and paused["idle"]
    assert all(one["paused"] for one in paused["indexers"])
    one = client.post(f"{JOBS}/resume", json={"indexer": "previews"}).json
    assert not one["paused"]
    assert [x["indexer"] for x in one["indexers"] if not x["paused"]] == ["previews"]
    assert client.get(JOBS).json == one
    assert not any(x["paused"] for x in client.post(f"{JOBS}/resume", json={}).json["indexers"])
    unknown = client.post(f"{JOBS}/pause", json={"indexer": "typo"})
    assert (unknown.status_code, "no indexer typo" in unknown.json["detail"]) == (404, True)


def test_failures_come_in_pages_with_all_a_person_asks(
    client: FlaskClient, run_ids: list[str]
) -> None:
    found, cursor = [], None
    while True:
        asked = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = client.get(f"{JOBS}/failed", query_string=asked).json
        found += page["failed"]
        assert len(page["failed"]) == 2 or page["next_cursor"] is None
        cursor = page["next_cursor"]
        if cursor is None:
            break
    unreadable, *runs = found
    assert (unreadable["path"], unreadable["run_id"]) == ("empty.jpg", None)
    assert unreadable["reason"] == "it has 0 bytes"
    assert [run["run_id"] for run in runs] == run_ids[::-1]
    assert runs[0] == {
        "path": "4.jpg",
        "library": "photos",
        "indexer": "previews",
        "state": "failed",
        "reason": "reason 4",
        "asset_id": runs[0]["asset_id"],
        "run_id": run_ids[4],
        "attempts": 2,
        "failed_at": "2023-11-14T22:13:20.000004Z",
    }
    mine = client.get(f"{JOBS}/failed", query_string={"indexer": "visual"}).json
    assert [run["path"] for run in mine["failed"]] == ["0.jpg"]


@pytest.mark.parametrize(
    "cursor", ["WyJmaWxlIl0", "bm9wZQ", "!", "WyJydW4iLDEsOTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5XQ"]
)
def test_a_foreign_cursor_is_refused(client: FlaskClient, cursor: str) -> None:
    answer = client.get(f"{JOBS}/failed", query_string={"cursor": cursor})
    assert answer.status_code == 400
    assert "does not come from this list" in answer.json["detail"]


def test_only_the_named_runs_are_tried_again(
    client: FlaskClient, run_ids: list[str], database: Database
) -> None:
    chosen = [run_ids[1], run_ids[3]]
    assert client.post(f"{JOBS}/retry", json={"run_ids": chosen}).json == {"retried": 2}
    assert client.post(f"{JOBS}/retry", json={"run_ids": chosen}).json == {"retried": 0}
    assert client.post(f"{JOBS}/retry", json={"run_ids": []}).json == {"retried": 0}
    assert client.post(f"{JOBS}/retry", json={"run_ids": ["one"]}).status_code == 422
    with database.read() as session:
        states = {str(run.id): run.state for run in session.query(Run)}
    assert {run_id for run_id, state in states.items() if state == "pending"} == set(chosen)


def test_dam_index_says_that_it_is_paused_and_ends(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "photos" / "red.jpg", RED)
    dam = Dam(tmp_path / "home")
    dam.run("library", "add", str(tmp_path / "photos"))
    assert "Everything is paused" in dam.run("pause")
    report = dam.json("index")
    assert report["files"]["new"] == 1
    assert "previews" in report["paused"]
    assert report["runs"]["previews"]["done"] == 0
    assert "1 paused" in dam.run("index")
    assert "Everything: paused. dam resume goes on." in dam.run("status")
    dam.run("resume", "--indexer", "previews")
    report = dam.json("index")
    assert (report["runs"]["previews"]["done"], "previews" in report["paused"]) == (1, False)
    assert not dam.json("status")["paused"]
    assert "no indexer typo" in dam.run("pause", "--indexer", "typo", expect=1)
