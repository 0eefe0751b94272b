"""What tests ask of a running server beside what they read from it."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import Server

PATIENCE_S = 90.0  # a worker starts, other tests run beside this one


def ask(server: Server, method: str, path: str, body: Any = None) -> Any:
    """The answer's JSON, or None. Raises `HTTPError`."""
    request = urllib.request.Request(
        server.url + path,
        None if body is None else json.dumps(body).encode(),
        {} if body is None else {"Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def wait_for(what: Callable[[], Any]) -> Any:
    """What it answers once that is true."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.25)
    return found


def library_of(server: Server, folder: Path) -> Any:
    """The library that this folder is, as the API tells it; None when it is none."""
    libraries = server.get("/api/v1/libraries")["libraries"]
    return next((each for each in libraries if each["path"] == str(folder)), None)


def add_library(server: Server, folder: Path) -> Any:
    """Adds a folder and waits until every file in it is known."""
    ask(server, "POST", "/api/v1/libraries", {"path": str(folder)})
    files = sum(path.is_file() for path in folder.rglob("*"))

    def known() -> Any:
        found = library_of(server, folder)
        return found if found["scanned_at"] and sum(found["files"].values()) >= files else None

    return wait_for(known)


def remove_library(server: Server, folder: Path) -> None:
    """Forgets the library that this folder is, if it is one."""
    found = library_of(server, folder)
    if found:
        ask(server, "DELETE", f"/api/v1/libraries/{found['id']}?confirm=true")


def previews(server: Server) -> Any:
    """How far the making of previews is."""
    jobs = server.get("/api/v1/jobs")["indexers"]
    return next(job for job in jobs if job["indexer"] == "previews")


def wait_for_previews(server: Server, assets: int) -> None:
    """Until so many assets are known and can be seen: a page that shows them earlier gets 404s."""
    wait_for(lambda: server.get("/api/v1/assets")["total"] == assets)
    wait_for(lambda: previews(server)["done"] == assets)
