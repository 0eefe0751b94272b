"""Other sites in the same browser, odd requests, and the headers of every answer."""

from __future__ import annotations

import base64
import errno
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from sqlalchemy.exc import OperationalError

from dam.config import Settings
from dam.errors import BadRequest
from tests.rows import add_asset, add_library

if TYPE_CHECKING:
    import logging
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from dam.db import Database

PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST", "localhost:80", "127.0.0.1:80"]
)
def test_loopback_names_are_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/api/v1/libraries", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:80",
        "localhost:81",
        "localhost:port",
        "user@localhost",
        "localhost/path",
        "192.168.1.2",
        "0.0.0.0",
        "[::1",
        "",
    ],
)
def test_rebound_name_is_refused(client: FlaskClient, host: str) -> None:
    answer = client.get("/api/v1/libraries", headers={"Host": host})
    assert (answer.status_code, answer.mimetype) == (400, PROBLEM)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_page_of_another_site_changes_nothing(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.post("/api/v1/jobs/retry", json={}, headers=headers)
    assert (answer.status_code, answer.mimetype) == (403, PROBLEM)


@pytest.mark.parametrize("path", ["/api/v1/jobs/stream", "/api/v1/assets/x/full", "/", "/a.js"])
@pytest.mark.parametrize("dest", ["image", "empty", "script", "iframe", "video"])
def test_page_of_another_site_loads_nothing(client: FlaskClient, path: str, dest: str) -> None:
    for site in ("cross-site", "same-site"):
        asked = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": dest}
        assert client.get(path, headers=asked).status_code == 403


def test_link_from_another_site_may_be_followed(client: FlaskClient) -> None:
    asked = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}
    assert client.get("/api/v1/libraries", headers=asked).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}],
    ids=["script", "own page"],
)
def test_own_pages_and_scripts_may_change_things(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    assert client.post("/api/v1/jobs/retry", json={}, headers=headers).status_code == 200


def test_no_answer_invites_another_origin(client: FlaskClient) -> None:
    answer = client.get("/api/v1/libraries", headers={"Origin": "https://evil.example"})
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_body_must_be_json(client: FlaskClient, kind: str) -> None:
    answer = client.post("/api/v1/jobs/retry", data=b"{}", content_type=kind)
    assert (answer.status_code, answer.mimetype) == (415, PROBLEM)


def test_huge_body_is_refused_unread(client: FlaskClient) -> None:
    answer = client.post(
        "/api/v1/libraries", data=b"[" * (2 << 20), content_type="application/json"
    )
    assert (answer.status_code, answer.mimetype) == (413, PROBLEM)


@pytest.mark.parametrize("path", ["/api/v1/health", "/api/v1/none", "/", "/none.js"])
def test_every_answer_carries_the_security_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/none", 404),
        ("GET", "/api", 404),
        ("GET", "/assets/none.js", 404),
        ("GET", "/assets/../app.py", 404),
        ("GET", "/../app.py", 404),
        ("PUT", "/api/v1/libraries", 405),
        ("GET", "/api/v1/assets?limit=0", 422),
        ("GET", "/api/v1/assets?limit=many", 422),
        ("GET", "/api/v1/assets?colour=red", 422),
        ("GET", "/api/v1/assets?cursor=abc", 400),
        ("GET", "/api/v1/assets?cursor=%00", 400),
        ("GET", "/api/v1/assets?tag=a&tag=b", 400),
        ("GET", "/api/v1/assets?kind=film", 400),
        ("GET", "/api/v1/assets?since=yesterdayish", 400),
    ],
)
def test_wrong_request_is_a_problem(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.mimetype) == (status, PROBLEM)
    assert answer.json["status"] == status
    assert answer.json["detail"]


HOSTILE = (
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%00",
    "\x00",
    "a\r\nX-Injected: 1",
    "'; DROP TABLE assets; --",
    '" OR 1=1 --',
    "<script>alert(1)</script>",
    "{{7*7}}",
    "%",
    "-1",
    "1e999",
    "nan",
    "9" * 40,
    "\N{GRINNING FACE}" * 20,
    "\u202egnp.exe",
    "x" * 3000,
    '"',
    "*",
    "NEAR(a b",
    ":",
    "a:b:c",
    "[]",
    "W10",
    "bnVsbA",
)


def test_hostile_value_in_any_parameter_is_answered_calmly(client: FlaskClient) -> None:
    """Walks the OpenAPI document: every path and query parameter gets every value."""
    client.application.extensions["dam"].stopping.set()  # lets the event stream end
    spec = client.get("/api/v1/openapi.json").json
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            for parameter in operation["parameters"]:
                for value in HOSTILE:
                    answer = _ask(client, path, method, parameter, value)
                    case = (method, path, parameter["name"], value, answer.text)
                    assert answer.status_code < 500 or answer.status_code == 503, case
                    if answer.status_code >= 400:
                        assert answer.mimetype == PROBLEM, case
                    assert "root:" not in answer.text, case
                    assert "X-Injected" not in answer.headers, case


ODD: tuple[object, ...] = (
    *(None, True, -1, 0, 2**63, -(2**63) - 1, 10**30, 1e308, "", "\0", "a\0b", "\ud800", "/"),
    *("x" * 5000, "../../etc/passwd", "%", "9" * 30, [], [None], [[]], {}, {"a": 1}, [10**30]),
)


def test_odd_value_in_any_field_of_a_body_is_answered_calmly(
    client: FlaskClient, database: Database, tmp_path: Path
) -> None:
    """Every field of every JSON body gets every value, alone and as the only part of a list."""
    with database.write() as session:
        library = add_library(session, tmp_path / "photos")
        ids = {"asset_id": add_asset(session, library, "a.jpg").id, "library_id": library.id}
    spec = client.get("/api/v1/openapi.json").json
    for path, methods in spec["paths"].items():
        url = re.sub(r"\{(\w+)\}", lambda name: ids.get(name[1], "x"), path)
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            schema = _resolved(spec, content.get("application/json", {}).get("schema", {}))
            for field in schema.get("properties", ()):
                for value in (*ODD, *([value] for value in ODD)):
                    known = {"asset_ids": [ids["asset_id"]], "library_id": ids["library_id"]}
                    wanted = {name: known[name] for name in known if name in schema["properties"]}
                    sent = json.dumps({**wanted, field: value})
                    answer = client.open(
                        url, method=method.upper(), data=sent, content_type="application/json"
                    )
                    case = (method, path, sent[:200], answer.text)
                    assert answer.status_code < 500 or answer.status_code == 503, case


@pytest.mark.parametrize("path", ["assets", "jobs/failed", "libraries/{library}/files"])
@pytest.mark.parametrize(
    "position",
    [
        *([number, "x"] for number in (10**30, -(10**30), 1.5, True)),
        *(["file", number] for number in (10**30, -(10**30), 1e308, None)),
        *([["run", 1, -(10**30)], ["run", True, False], [1, "\ud800"], ["\0"], ["0g"]]),
        *({}, "a", 5, None, [[[]]], []),
    ],
)
def test_cursor_of_somebody_else_is_refused(
    client: FlaskClient, database: Database, tmp_path: Path, path: str, position: object
) -> None:
    with database.write() as session:
        library_id = add_library(session, tmp_path / "photos").id
    cursor = base64.urlsafe_b64encode(json.dumps(position).encode()).decode()
    answer = client.get(
        f"/api/v1/{path.format(library=library_id)}", query_string={"cursor": cursor}
    )
    assert (answer.status_code, answer.mimetype) == (400, PROBLEM)


def _resolved(spec: Any, schema: Any) -> Any:
    name = schema.get("$ref", "").rpartition("/")[2]
    return spec["components"]["schemas"][name] if name else schema


def _ask(
    client: FlaskClient, path: str, method: str, parameter: dict[str, str], value: str
) -> TestResponse:
    in_path = parameter["in"] == "path"
    filled = re.sub(
        r"\{(\w+)\}",
        lambda name: quote(value, safe="") if in_path and name[1] == parameter["name"] else "x",
        path,
    )
    query = {} if in_path else {parameter["name"]: value}
    return client.open(filled, method=method.upper(), query_string=query)


def test_invalid_field_is_named(client: FlaskClient) -> None:
    answer = client.post("/api/v1/libraries", json={"name": "x", "colour": 1})
    assert answer.status_code == 422
    assert set(answer.json["errors"]) == {"path", "colour"}


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"a"', b"\xff"])
def test_body_that_is_no_object_is_a_problem(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/api/v1/libraries", data=body, content_type="application/json")
    assert answer.status_code in {400, 422}
    assert answer.mimetype == PROBLEM


def test_bug_is_logged_and_not_shown(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("web.api.libraries.library_statuses", broken)
    answer = client.get("/api/v1/libraries")
    assert (answer.status_code, answer.mimetype) == (500, PROBLEM)
    assert "secret" not in answer.text
    logged: list[logging.LogRecord] = caplog.records
    assert any(record.exc_info for record in logged)
    caplog.clear()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "example.org"])
def test_server_refuses_an_address_others_can_reach(settings: Settings, host: str) -> None:
    import threading

    from web.server import serve

    public = Settings(home=settings.home, host=host)
    with pytest.raises(BadRequest, match="DAM_HOST"):
        serve(public, threading.Event())


def test_full_disk_is_told_as_such(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("web.api.libraries.library_statuses", full)
    answer = client.get("/api/v1/libraries")
    assert (answer.status_code, answer.mimetype) == (507, PROBLEM)


def test_failing_request_gives_its_place_back(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that is busy for a while must not use up the places of originals for good."""

    def busy(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("database is locked"))

    with monkeypatch.context() as locked:
        locked.setattr("web.api.media.open_original", busy)
        for _ in range(40):
            assert client.get("/api/v1/assets/x/file").status_code == 503
    assert client.get("/api/v1/assets/x/file").status_code == 404
