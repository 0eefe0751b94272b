"""Health, status, progress and the pages, as a browser or a monitor asks for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from dam.liveness import announce
from dam.tables import Run, RunState
from tests.rows import add_asset, add_library, add_producer, add_run
from web.pages import pages

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.config import Settings
    from dam.db import Database


@pytest.fixture
def failed_run(database: Database, tmp_path: Path) -> int:
    with database.write() as session:
        library = add_library(session, tmp_path / "photos")
        run = add_run(
            session, add_asset(session, library, "bad.jpg"), add_producer(session, "previews")
        )
        run.state, run.error = RunState.FAILED, "bad.jpg is truncated"
        return run.id


def test_health_says_what_does_not_run(client: FlaskClient, settings: Settings) -> None:
    for role in ("worker", "watch"):
        announce(settings.run_path, role)
    for path in ("/health", "/api/v1/health"):
        health = client.get(path).json
        assert health["status"] == "degraded"
        assert health["database"] == "ok"
        assert [problem.split()[1] for problem in health["problems"]] == ["query"]
    announce(settings.run_path, "encoder")
    assert client.get("/health").json["status"] == "ok"


def test_health_names_the_library_that_is_offline(
    client: FlaskClient, database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        library = add_library(session, tmp_path / "photos")
        library.state, library.state_reason = "offline", "the folder is not there"
    health = client.get("/health").json
    assert any("'photos' is offline" in problem for problem in health["problems"])
    assert health["libraries"][0]["reason"] == "the folder is not there"


def test_health_reports_a_broken_database(client: FlaskClient, settings: Settings) -> None:
    client.get("/health")
    client.application.extensions["dam"].database.close()
    settings.database_path.write_bytes(b"this is no database" * 1000)
    for rest in ("-wal", "-shm"):
        settings.database_path.with_name(settings.database_path.name + rest).unlink(missing_ok=True)
    answer = client.get("/health")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert "cannot be read" in answer.json["detail"]


def test_failures_are_listed_with_reasons_and_can_be_tried_again(
    client: FlaskClient, failed_run: int, database: Database
) -> None:
    failed = client.get("/api/v1/jobs/failed").json["failed"]
    assert [(one["path"], one["indexer"], one["reason"]) for one in failed] == [
        ("bad.jpg", "previews", "bad.jpg is truncated")
    ]
    assert client.post("/api/v1/jobs/retry", json={"indexer": "other"}).json == {"retried": 0}
    assert client.post("/api/v1/jobs/retry", json={}).json == {"retried": 1}
    with database.read() as session:
        assert session.get_one(Run, failed_run).state == RunState.PENDING


def test_jobs_count_runs_by_indexer(client: FlaskClient, failed_run: int) -> None:
    jobs = client.get("/api/v1/jobs").json
    counts = {one["indexer"]: one for one in jobs["indexers"]}
    assert counts["previews"]["failed"] == 1
    assert jobs["idle"] is True


def test_status_answers_in_one_piece(client: FlaskClient, failed_run: int) -> None:
    status = client.get("/api/v1/status").json
    assert status["assets"] == {"photo": 1}
    assert status["libraries"][0]["name"] == "photos"
    assert status["troubles"][0]["path"] == "bad.jpg"


def test_stream_sends_a_snapshot_at_once(client: FlaskClient, failed_run: int) -> None:
    answer = client.get("/api/v1/jobs/stream", buffered=False)
    assert answer.mimetype == "text/event-stream"
    events = iter(answer.response)
    assert next(events) == b"retry: 3000\n\n"
    name, data, *_ = next(events).decode().split("\n")
    assert name == "event: jobs"
    assert json.loads(data.removeprefix("data: ")) == client.get("/api/v1/jobs").json
    answer.close()


def test_stream_ends_when_the_server_stops(client: FlaskClient) -> None:
    client.application.extensions["dam"].stopping.set()
    assert client.get("/api/v1/jobs/stream").status_code == 200


def test_streams_leave_threads_for_everything_else(client: FlaskClient, settings: Settings) -> None:
    room = settings.web_threads // 4
    held = [client.get("/api/v1/jobs/stream", buffered=False) for _ in range(room)]
    refused = client.get("/api/v1/jobs/stream")
    assert refused.status_code == 503
    assert refused.headers["Retry-After"]
    assert refused.mimetype == "application/problem+json"
    for answer in held:
        answer.close()
    client.application.extensions["dam"].stopping.set()
    assert client.get("/api/v1/jobs/stream").status_code == 200


def test_reference_page_needs_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    assert "GET /api/v1/assets/{asset_id}/file" in page.text
    assert "//" not in page.text.replace("http://localhost", "")
    assert client.get("/api/v1/docs.css").mimetype == "text/css"


def test_page_says_how_to_build_the_web_app_when_it_is_not(tmp_path: Path) -> None:
    app = Flask("test", static_folder=None)
    app.register_blueprint(pages(tmp_path / "none"))
    assert "make ui" in app.test_client().get("/").text


def test_web_app_is_served_with_hashed_files_kept_for_ever(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "app-1a2b.js").write_text("export {}")
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "icon.svg").write_text("<svg/>")
    app = Flask("test", static_folder=None)
    app.register_blueprint(pages(tmp_path))
    calls = app.test_client()

    def kept(path: str) -> tuple[int, str, str | None]:
        with calls.get(path, buffered=True) as answer:
            return answer.status_code, answer.mimetype, answer.headers.get("Cache-Control")

    assert kept("/") == kept("/search/beach") == (200, "text/html", "no-cache")
    assert kept("/folders/ab12/2024.05 Rome") == kept("/")
    assert kept("/icon.svg") == (200, "image/svg+xml", "no-cache")
    status, _, cache = kept("/assets/app-1a2b.js")
    assert status == 200
    assert "immutable" in str(cache)
    assert kept("/assets/none.js")[0] == kept("/none.js")[0] == kept("/api/v1/none")[0] == 404
