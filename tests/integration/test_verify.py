"""`dam verify`: what is wrong is named, and only derived data is mended."""

from __future__ import annotations

import os
import shutil
import threading
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from dam.indexing import registry as registry_module
from dam.indexing.worker import Worker
from dam.library.libraries import add_library
from dam.library.update import update_libraries
from dam.media.previews import ABANDONED_S, UNFINISHED, preview_folder
from dam.tables import Asset
from dam.verify import verify_all
from tests.media import RED, write_jpeg
from tests.plugins import Colour

if TYPE_CHECKING:
    from pathlib import Path

    from dam.config import Settings
    from dam.db import Database


@pytest.fixture
def essence(
    database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Of the one photo of an indexed library."""
    monkeypatch.setattr(registry_module, "discover", lambda: {"colour": Colour})
    write_jpeg(tmp_path / "photos" / "sunset.jpg", RED)
    add_library(database, tmp_path / "photos")
    work(database, settings)
    with database.read() as session:
        return session.scalars(select(Asset.essence_hash)).one()


def work(database: Database, settings: Settings) -> None:
    update_libraries(database, settings)
    Worker(database, settings, threading.Event()).run(until_idle=True)


def test_a_sound_library_has_no_problems(
    database: Database, settings: Settings, essence: str
) -> None:
    assert verify_all(database, settings) == []


def test_missing_previews_are_named_and_made_again(
    database: Database, settings: Settings, essence: str
) -> None:
    folder = preview_folder(settings.previews_path, essence)
    shutil.rmtree(folder)
    (problem,) = verify_all(database, settings)
    assert essence in problem.detail and not problem.repaired
    (problem,) = verify_all(database, settings, repair=True)
    assert problem.repaired
    work(database, settings)
    assert folder.is_dir()
    assert verify_all(database, settings) == []


def test_what_a_kill_left_half_made_is_swept_once_nobody_can_be_writing_it(
    database: Database, settings: Settings, essence: str
) -> None:
    shelf = preview_folder(settings.previews_path, essence).parent
    young, old = shelf / f"{UNFINISHED}young", shelf / f"{UNFINISHED}old"
    for draft in (young, old):
        draft.mkdir()
    past_s = time.time() - ABANDONED_S - 60
    os.utime(old, (past_s, past_s))
    (problem,) = verify_all(database, settings)
    assert str(old) in problem.detail
    work(database, settings)
    assert young.is_dir() and not old.exists()


def test_a_damaged_full_text_index_is_named_and_rebuilt(
    database: Database, settings: Settings, essence: str
) -> None:
    with database.write() as session:  # a row of the index without its text
        session.execute(text("INSERT INTO texts_words(rowid, body) VALUES (999, 'ghost')"))
    assert [problem.what for problem in verify_all(database, settings)] == ["full text"]
    assert verify_all(database, settings, repair=True)[0].repaired
    assert verify_all(database, settings) == []
