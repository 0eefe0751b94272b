"""Fixtures for every test: a home of its own, no inherited settings, real media where they lie."""

from __future__ import annotations

import logging
import os
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dam.config import Settings
from dam.schema import open_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from dam.db import Database

REPOSITORY = Path(__file__).parent.parent
# Real media and stand-in models, used where they lie and never copied into the project.
# The name is changed since dam would take it for a setting; the workers of pytest-xdist inherit it.
SHARED = Path(
    os.environ.pop("DAM_TEST_SHARED", os.environ.get("TEST_SHARED", REPOSITORY.parent / "shared"))
)
os.environ["TEST_SHARED"] = str(SHARED)
# That no model is there is a normal state: tests are about it, or bring their own, or switch this
# on. Here for what is made before a test of its own begins, such as a server for many of them.
os.environ["DAM_BUILT_IN_MODEL"] = "false"
# What numba compiles for librosa takes half a minute; kept, so that it does so once.
os.environ.setdefault("NUMBA_CACHE_DIR", str(REPOSITORY / ".pytest_cache" / "numba"))
MINI = REPOSITORY / "dam" / "weights" / "mini"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("DAM_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DAM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAM_BUILT_IN_MODEL", "false")


@pytest.fixture(autouse=True)
def no_unexpected_errors(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """An ERROR in the log that the test did not ask for (`caplog.clear()`) fails it."""
    yield
    errors = [
        r.getMessage()
        for r in caplog.records
        # Playwright's alone: a page that is closed while it answers a route says so there.
        if r.levelno >= logging.ERROR and r.name != "asyncio"
    ]
    assert not errors, f"unexpected errors in the log: {errors}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", threads=1, decoders=1, folder_roots=str(tmp_path))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The newest schema, made once: migrating takes longer than most tests."""
    home = tmp_path_factory.mktemp("schema")
    opened = open_database(Settings(home=home))
    opened.copy_to(home / "empty.sqlite3")
    opened.close()
    return home / "empty.sqlite3"


@pytest.fixture
def database(settings: Settings, empty_database: Path) -> Iterator[Database]:
    settings.home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(empty_database, settings.database_path)
    opened = open_database(settings)
    yield opened
    opened.close()


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[FlaskClient]:
    """The web app over the test's own home. Answers are read whole and closed, as servers do."""
    from web.app import create_app

    app = create_app(settings)
    calls = app.test_client()
    calls.open = partial(calls.open, buffered=True)  # type: ignore[method-assign]
    yield calls
    app.extensions["dam"].close()


@pytest.fixture(scope="session")
def mini() -> Path:
    """The folder of the evaluation encoder that comes with dam."""
    if not (MINI / "open_clip_model.safetensors").is_file():
        pytest.skip(f"this checkout has no weights of the evaluation encoder in {MINI}")
    return MINI


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"real media and stand-in models are not at {SHARED} (DAM_TEST_SHARED)")
    return SHARED
