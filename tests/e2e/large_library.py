"""A library of 100,000 assets within seconds: rows by plain SQL, previews of a few real files.

A small library is indexed as a person's would be; its assets are then copied as rows, each with an
id, a date and a file of its own. Only the web process is run over it: a scan would find out that
the files are not there.

    python -m tests.e2e.large_library HOME PORT   # serves one, for a look of one's own
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dam.config import Settings
from tests.cli import Dam, free_port
from tests.conftest import SHARED
from tests.e2e.conftest import Server, _wait, write_library
from web.server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

ASSETS = 100_000
DAYS = 5000
NEWEST = datetime(2026, 6, 14, 21, 30, tzinfo=UTC)
PHOTOS = 40
US_PER_S = 1_000_000


def build_large_library(home: Path, assets: int = ASSETS) -> None:
    """Fills an empty `home`. The dates are spread as those of people are: trips and quiet weeks."""
    folder = write_library(home / "media" / "Everything")
    (folder / "broken.jpg").unlink()
    if SHARED.is_dir():
        for photo in sorted((SHARED / "media" / "photos").glob("*.jpg"))[:PHOTOS]:
            shutil.copy(photo, folder)
    dam = Dam(home / "data", {"threads": "1", "decoders": "1"})
    dam.run("library", "add", str(folder))
    dam.run("index")
    database = home / "data" / "dam.sqlite3"
    with closing(sqlite3.connect(database)) as connection, connection:
        _copy_rows(connection, assets)


def _copy_rows(connection: sqlite3.Connection, assets: int) -> None:
    rnd = random.Random(3)
    connection.row_factory = sqlite3.Row
    seeds = connection.execute("SELECT * FROM assets").fetchall()
    (library,) = connection.execute("SELECT library_id FROM files LIMIT 1").fetchone()
    columns = seeds[0].keys()
    days = _days(rnd, assets - len(seeds))
    rows, files = [], []
    for number, taken in enumerate(days):
        asset = dict(rnd.choice(seeds))
        # The columns that tell assets apart; what they show is that of the seed.
        asset["id"] = f"{rnd.getrandbits(80):020x}"
        asset["content_hash"] = f"{number:064x}"
        asset["captured_local"] = taken.strftime("%Y-%m-%dT%H:%M:%S")
        asset["captured_us"] = int(taken.timestamp()) * US_PER_S
        rows.append(tuple(asset[column] for column in columns))
        path = f"{taken:%Y/%m}/{number:06d}.jpg"
        files.append((library, path.encode(), path, asset["id"], "present", 1, 1, 1, number, 1))
    marks = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT INTO assets ({', '.join(columns)}) VALUES ({marks})", rows)
    connection.executemany(
        "INSERT INTO files (library_id, path, display, asset_id, state, size_bytes, mtime_ns,"
        " device, inode, seen_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        files,
    )


def _days(rnd: random.Random, assets: int) -> list[datetime]:
    """When each was taken: a day has a few pictures, one in twelve has a hundred or more."""
    taken: list[datetime] = []
    while len(taken) < assets:
        day = NEWEST - timedelta(days=rnd.randrange(DAYS))
        many = rnd.randrange(80, 260) if rnd.random() < 1 / 12 else rnd.randrange(1, 14)
        taken += [day - timedelta(seconds=rnd.randrange(50_000)) for _ in range(many)]
    return taken[:assets]


@contextmanager
def serving_large(home: Path) -> Iterator[Server]:
    """The web process alone."""
    port = free_port()
    command = [sys.executable, "-m", "tests.e2e.large_library", str(home), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    server = Server(f"http://127.0.0.1:{port}")
    try:
        _wait(server)
        yield server
    finally:
        process.terminate()
        process.communicate(timeout=30)


if __name__ == "__main__":
    large_home = Path(sys.argv[1])
    if not large_home.exists():
        build_large_library(large_home)
    serve(Settings(home=large_home / "data", port=int(sys.argv[2])), threading.Event())
