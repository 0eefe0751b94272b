from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import event, select, text
from sqlalchemy.exc import OperationalError

from dam import db, liveness, schema
from dam.db import Database
from dam.errors import SchemaBusy
from dam.tables import Asset, Base, File, Library, TagDecision
from tests.rows import add_library

if TYPE_CHECKING:
    from pathlib import Path

    from dam.config import Settings


def test_migrations_build_exactly_the_tables_of_the_orm(database: Database) -> None:
    def is_ours(name: str | None, kind: str, _: object) -> bool:
        return not (kind == "table" and (name or "").startswith("texts_"))

    with database.read() as session:
        context = MigrationContext.configure(
            session.connection(), opts={"compare_type": True, "include_name": is_ours}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_a_read_session_cannot_write(database: Database) -> None:
    with pytest.raises(OperationalError, match="readonly"), database.read() as session:
        session.execute(text("DELETE FROM libraries"))


def test_a_failed_write_leaves_nothing(database: Database, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as session:
        add_library(session, tmp_path / "photos")
        _ = 1 / 0
    with database.read() as session:
        assert session.query(Library).count() == 0


def test_every_write_takes_the_lock_with_its_first_statement(database: Database) -> None:
    statements: list[str] = []
    event.listen(
        database._writer, "before_cursor_execute", lambda *args: statements.append(args[2])
    )
    with database.write() as session:
        session.execute(text("SELECT 1"))
    assert statements[0] == "BEGIN IMMEDIATE"


def test_a_sqlite_with_the_wal_reset_bug_commits_and_checkpoints_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "WAL_LIMIT_BYTES", 0)
    for version, expected in (((3, 51, 2), True), ((3, 51, 3), False)):
        monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
        database = Database(tmp_path / f"{version[2]}.sqlite3")
        assert database.needs_commit_lock is expected
        with database.write() as session:
            session.execute(text("CREATE TABLE t (x)"))
            automatic = session.execute(text("PRAGMA wal_autocheckpoint")).scalar_one()
        assert (automatic == 0) is expected
        if expected:  # the explicit checkpoint under the lock emptied the log
            assert (tmp_path / f"{version[2]}.sqlite3-wal").stat().st_size == 0
        database.close()


def test_an_upgrade_copies_the_database_first_and_refuses_while_others_live(
    database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        add_library(session, tmp_path / "photos", "kept")
        session.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    other = liveness.Process("worker", 4242, 0.0)
    monkeypatch.setattr(schema, "living", lambda *_args, **_kwargs: [other])
    with pytest.raises(SchemaBusy, match=r"worker \(pid 4242\)"):
        schema.open_database(settings)
    monkeypatch.setattr(schema, "living", lambda *_args, **_kwargs: [])
    with pytest.raises(Exception, match="older"):  # there is no such revision to start from
        schema.open_database(settings)
    (copy,) = (settings.home / "backups").glob("before-upgrade-older-*.sqlite3")
    names = sqlite3.connect(copy).execute("SELECT name FROM libraries").fetchall()
    assert names == [("kept",)]


def test_opening_twice_changes_nothing(settings: Settings) -> None:
    schema.open_database(settings).close()
    before = settings.database_path.read_bytes()
    schema.open_database(settings).close()
    assert settings.database_path.read_bytes() == before


def test_an_upgrade_from_the_first_schema_keeps_what_is_there(settings: Settings) -> None:
    """Also what hangs on the changed tables by cascading foreign keys."""
    config = Config()
    config.set_main_option("script_location", str(schema._scripts()))
    settings.home.mkdir(parents=True, exist_ok=True)
    old = Database(settings.database_path)
    with old.write() as session:
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "0001")
        for statement in FIRST_SCHEMA_ROWS:
            session.execute(text(statement))
    old.close()

    database = schema.open_database(settings)
    with database.read() as session:
        (library,) = session.scalars(select(Library))
        (asset,) = session.scalars(select(Asset))
        (decision,) = session.scalars(select(TagDecision))
        (file,) = session.scalars(select(File))
        assert session.scalars(text("PRAGMA foreign_key_check")).all() == []
    database.close()
    assert (library.name, library.priority) == ("kept", 0)
    assert (asset.title, asset.rating, asset.trashed_us) == ("A day out", 4, None)
    assert (decision.asset_id, file.asset_id) == ("a1", "a1")


FIRST_SCHEMA_ROWS = (
    "INSERT INTO libraries (id, name, root, state, created_us, scans) "
    "VALUES ('l1', 'kept', X'2F70', 'online', 1, 1)",
    "INSERT INTO assets (id, kind, revision, content_hash, essence_hash, size_bytes, format, "
    "has_audio, title, rating, details, created_us, updated_us) "
    "VALUES ('a1', 'photo', 1, 'c', 'e', 9, 'jpeg', 0, 'A day out', 4, '{}', 1, 1)",
    "INSERT INTO files (library_id, path, display, asset_id, state, size_bytes, mtime_ns, device, "
    "inode, seen_us) VALUES ('l1', X'61', 'a', 'a1', 'present', 9, 1, 1, 1, 1)",
    "INSERT INTO tag_decisions (asset_id, word, verdict, decided_us) "
    "VALUES ('a1', 'beach', 'approved', 1)",
)
