"""Brings the database to the schema of this program, and never past a living process.

Called once by every entry point. An upgrade copies the database first, so that the older program
can be put back.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock

import migrations
from dam.db import Database
from dam.errors import SchemaBusy
from dam.liveness import living
from dam.tables import Base, now_us

if TYPE_CHECKING:
    from dam.config import Settings


def open_database(settings: Settings) -> Database:
    """The database at the newest schema. Raises `SchemaBusy` when others would be disturbed."""
    settings.home.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_path)
    if current_revision(database) != newest_revision():
        with FileLock(settings.home / "upgrade.lock"):
            _upgrade(database, settings)
    return database


def newest_revision() -> str | None:
    return ScriptDirectory(str(_scripts())).get_current_head()


def current_revision(database: Database) -> str | None:
    with database.read() as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def _upgrade(database: Database, settings: Settings) -> None:
    found = current_revision(database)
    if found == newest_revision():
        return  # another process did it while this one waited for the lock
    if found is not None:
        others = living(settings.run_path, without_self=True)
        if others:
            names = ", ".join(f"{other.role} (pid {other.pid})" for other in others)
            raise SchemaBusy(f"The database must be upgraded; stop these first: {names}.")
        database.copy_to(settings.home / "backups" / f"before-upgrade-{found}-{now_us()}.sqlite3")
    config = Config()
    config.set_main_option("script_location", str(_scripts()))
    config.attributes["target_metadata"] = Base.metadata
    with database.write() as session:
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "head")


def _scripts() -> Path:
    return Path(migrations.__file__).parent
