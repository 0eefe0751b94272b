"""The layout of a grid over HTTP: the same assets in the same order as the list, at once."""

from __future__ import annotations

import base64
import random
import secrets
import struct
import time
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert

from dam.layout import read_layout
from dam.tables import Asset, File, Library, Stack
from tests.rows import add_asset, add_library

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.db import Database

LAYOUT = "/api/v1/assets/layout"
ASSETS = "/api/v1/assets"
DAY_US = 86_400_000_000
# A quarter of this on a quiet machine; here, several test runs may share its processors.
CPU_LIMIT_S = 1.5


@pytest.fixture
def seeded(database: Database, tmp_path: Path) -> None:
    """Forty assets: some at the same instant, some undated, two stacks, one with a lost cover."""
    rnd = random.Random(7)
    with database.write() as session:
        library = add_library(session, tmp_path / "photos")
        assets = []
        for number in range(40):
            asset = add_asset(session, library, f"{number}.jpg")
            asset.width_px, asset.height_px = rnd.choice([(4000, 3000), (3000, 4000), (None, None)])
            if number % 5:
                day = rnd.randrange(6)
                asset.captured_us = day * DAY_US
                asset.captured_local = f"1970-01-0{day + 1}T00:00:00"
            assets.append(asset)
        session.flush()
        for cover, member in ((1, 2), (11, 12)):
            stack = Stack(reason="raw_jpeg", cover_id=assets[cover].id)
            session.add(stack)
            session.flush()
            assets[cover].stack_id = assets[member].stack_id = stack.id
        for file in session.query(File).filter_by(asset_id=assets[11].id):
            session.delete(file)


def listed(client: FlaskClient, **query: object) -> list[dict[str, Any]]:
    cards: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = client.get(ASSETS, query_string={"limit": 7, "cursor": cursor, **query}).json
        cards += page["assets"]
        cursor = page["next_cursor"]
        if cursor is None:
            return cards


def ids_of(layout: dict[str, Any]) -> list[str]:
    packed = base64.b64decode(layout["ids"])
    return [packed[at : at + 10].hex() for at in range(0, len(packed), 10)]


def aspects_of(layout: dict[str, Any]) -> list[int]:
    packed = base64.b64decode(layout["aspects"])
    return list(struct.unpack(f"<{len(packed) // 2}H", packed))


@pytest.mark.parametrize("query", [{}, {"since": "1970-01-03"}, {"kind": "photo"}])
def test_layout_has_the_assets_of_the_list_in_its_order(
    client: FlaskClient, seeded: None, query: dict[str, str]
) -> None:
    cards = listed(client, **query)
    layout = client.get(LAYOUT, query_string=query).json
    assert ids_of(layout) == [card["id"] for card in cards]
    assert layout["total"] == len(cards) > 0


def test_aspects_and_days_follow_the_same_order(client: FlaskClient, seeded: None) -> None:
    cards = listed(client)
    layout = client.get(LAYOUT).json
    expected = {4000: 1333, 3000: 750, None: 0}
    assert aspects_of(layout) == [expected[card["width_px"]] for card in cards]
    days = [day for day, count in layout["days"] for _ in range(count)]
    assert days == [(card["captured_local"] or "")[:10] or None for card in cards]
    assert [day for day, _ in layout["days"]][-1] is None
    assert all(a[0] != b[0] for a, b in zip(layout["days"], layout["days"][1:], strict=False))


def test_extreme_shapes_stay_within_sixteen_bits(
    client: FlaskClient, database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        library = add_library(session, tmp_path / "photos")
        sizes = ((1, 9000), (900_000, 1))
        for at, (width_px, height_px) in enumerate(sizes):
            asset = add_asset(session, library, f"{at}.jpg")
            asset.width_px, asset.height_px = width_px, height_px
            asset.captured_us, asset.captured_local = -at, "1970-01-01T00:00:00"
    assert aspects_of(client.get(LAYOUT).json) == [1, 65_535]


def test_unchanged_layout_is_not_sent_again(
    client: FlaskClient, database: Database, seeded: None
) -> None:
    first = client.get(LAYOUT)
    assert first.headers["ETag"] == f'"{first.json["version"]}"'
    again = client.get(LAYOUT, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    with database.write() as session:
        session.query(Asset).filter(Asset.width_px == 4000).first().width_px = 5000
    changed = client.get(LAYOUT, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.json["version"] != first.json["version"]


def test_empty_library_has_an_empty_layout(client: FlaskClient) -> None:
    layout = client.get(LAYOUT).json
    assert (layout["total"], layout["ids"], layout["aspects"], layout["days"]) == (0, "", "", [])


def test_a_hundred_thousand_assets_are_laid_out_in_a_moment(database: Database) -> None:
    with database.write() as session:
        session.add(Library(id="l", name="l", root=b"/l"))
        session.flush()
        rows = [_row(number) for number in range(100_000)]
        connection = session.connection()  # rows without the ORM, whose bookkeeping takes seconds
        connection.execute(insert(Asset), rows)
        connection.execute(insert(File), [_file_row(row, at) for at, row in enumerate(rows)])
    with database.read() as session:
        before_s = time.process_time()
        layout = read_layout(session)
        spent_s = time.process_time() - before_s
    assert layout.total == 100_000
    assert spent_s < CPU_LIMIT_S


def _row(number: int) -> dict[str, object]:
    return {
        "id": secrets.token_hex(10),
        "kind": "photo",
        "content_hash": str(number),
        "essence_hash": str(number),
        "size_bytes": 1,
        "format": "jpeg",
        "captured_us": number * 60_000_000,
        "captured_local": time.strftime("%Y-%m-%dT%H:%M:00", time.gmtime(number * 60)),
        "width_px": 4000,
        "height_px": 3000,
        "details": {"maker_note": "x" * 500},
    }


def _file_row(asset: dict[str, object], number: int) -> dict[str, object]:
    name = f"{number}.jpg"
    stat = {"size_bytes": 1, "mtime_ns": 1, "device": 1, "inode": number}
    return {
        "library_id": "l",
        "path": name.encode(),
        "display": name,
        "asset_id": asset["id"],
        **stat,
    }
