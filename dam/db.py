"""The one way to the database: read sessions that cannot write, write sessions that are short.

SQLite in WAL mode, foreign keys on, every write BEGIN IMMEDIATE. SQLite 3.7.0 to 3.51.2 can lose
a commit that resets the WAL while another connection checkpoints
(https://sqlite.org/wal.html#walresetbug); on those versions a file lock keeps commits and
checkpoints apart, and nobody checkpoints outside of it. Nothing here may decode, call a model or
wait for a network inside a write session.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import psutil
from filelock import FileLock
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session

from dam.errors import RetryLater

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_TIMEOUT_S = 60.0  # shorter: a long checkpoint fails a worker's save; longer: hangs look dead
WAL_LIMIT_BYTES = 8 << 20  # larger: slower first read after a crash; smaller: more fsyncs
WAL_RESET_FIXED = (3, 51, 3)
NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb", "smbfs", "smb3", "9p", "fuse.sshfs", "afpfs"}


def file_system_of(path: Path) -> str:
    """The file system type under `path` ("ext4", "nfs", …); empty when it cannot be told."""
    resolved = path.resolve()
    best = ""
    kind = ""
    for part in psutil.disk_partitions(all=True):
        mount = part.mountpoint
        if resolved.is_relative_to(mount) and len(mount) >= len(best):
            best, kind = mount, part.fstype
    return kind


def is_network_path(path: Path) -> bool:
    return file_system_of(path).lower() in NETWORK_FILE_SYSTEMS


class LogBusy(RetryLater):
    """It is deleted, but the database's log could not be emptied: something reads it. Try again."""


class Database:
    """Engines over one SQLite file. Safe to share between threads, not between processes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.uses_wal = not is_network_path(path.parent)
        self.needs_commit_lock = sqlite3.sqlite_version_info < WAL_RESET_FIXED and self.uses_wal
        self._commit_lock = FileLock(f"{path}.lock", timeout=BUSY_TIMEOUT_S)
        self._reader = self._engine(writes=False)
        self._writer = self._engine(writes=True)

    def _engine(self, *, writes: bool) -> Engine:
        engine = create_engine(
            f"sqlite:///{self.path}",
            connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
            pool_size=32,
            max_overflow=32,
        )

        @event.listens_for(engine, "connect")
        def _prepare(raw: Any, _record: Any) -> None:
            raw.isolation_level = None  # SQLAlchemy's own BEGIN, below, instead of the driver's
            cursor = raw.cursor()
            cursor.execute(f"PRAGMA journal_mode={'WAL' if self.uses_wal else 'TRUNCATE'}")
            cursor.execute(f"PRAGMA synchronous={'NORMAL' if self.uses_wal else 'FULL'}")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.execute("PRAGMA temp_store=MEMORY")
            cursor.execute("PRAGMA cache_size=-65536")
            if self.needs_commit_lock:
                cursor.execute("PRAGMA wal_autocheckpoint=0")
            if not writes:
                cursor.execute("PRAGMA query_only=ON")
            cursor.close()

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

        return engine

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One consistent snapshot; any write in it fails."""
        with Session(self._reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction that holds the write lock from its first statement; commits at the end.

        Raises `sqlalchemy.exc.OperationalError` or `filelock.Timeout` when another process holds
        the lock longer than `BUSY_TIMEOUT_S`; a retry helps.
        """
        with self._serialised():
            with Session(self._writer, expire_on_commit=False) as session, session.begin():
                yield session
            if self.needs_commit_lock:
                self._checkpoint_when_large()

    def _serialised(self) -> Any:
        if not self.needs_commit_lock:
            return nullcontext()
        return self._commit_lock.acquire(poll_interval=0.005)

    def _checkpoint_when_large(self) -> None:
        wal = self.path.with_name(self.path.name + "-wal")
        try:
            too_large = wal.stat().st_size > WAL_LIMIT_BYTES
        except FileNotFoundError:
            return
        if too_large:
            raw = self._writer.raw_connection()
            try:
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                raw.close()

    def overwrite_deleted(self) -> None:
        """Rewrites the file without what was deleted, and empties the log, so that no byte of it
        is left. Takes a second a gigabyte; others wait.

        Raises `sqlalchemy.exc.OperationalError` or `filelock.Timeout` as `write` does.
        """
        with self._serialised():
            raw = self._writer.raw_connection()
            try:
                cursor = raw.cursor()
                cursor.execute("PRAGMA temp_store=FILE")  # the copy may be larger than the memory
                cursor.execute("VACUUM")
                cursor.execute("PRAGMA temp_store=MEMORY")
                give_up_s = time.monotonic() + BUSY_TIMEOUT_S
                while (
                    self.uses_wal
                    and cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
                ):
                    if time.monotonic() > give_up_s:  # somebody reads what was there before
                        raise LogBusy
                    time.sleep(0.05)
            finally:
                raw.close()

    def copy_to(self, target: Path) -> None:
        """A consistent copy through SQLite's backup interface, while others read and write."""
        target.parent.mkdir(parents=True, exist_ok=True)
        source = sqlite3.connect(self.path)
        copy = sqlite3.connect(target)
        try:
            source.backup(copy)
        finally:
            copy.close()
            source.close()

    def close(self) -> None:
        self._reader.dispose()
        self._writer.dispose()
