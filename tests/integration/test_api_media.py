"""Originals and previews over HTTP: whole, in parts, cached, and never from outside a library."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from dam.contracts import Kind
from dam.media.previews import preview_folder
from dam.tables import File, FileState, Library, LibraryState, RunState
from tests.rows import add_asset, add_library, add_producer, add_run

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.config import Settings
    from dam.db import Database

BYTES = bytes(range(256)) * 10


@dataclass
class Stored:
    """One video in one library, its file really there."""

    url: str
    asset_id: str
    essence: str
    path: Path
    database: Database

    def change(self, **columns: object) -> None:
        with self.database.write() as session:
            file = session.query(File).filter_by(asset_id=self.asset_id).one()
            for name, value in columns.items():
                setattr(file, name, value)

    def set_library(self, state: LibraryState) -> None:
        with self.database.write() as session:
            session.query(Library).one().state = state


@pytest.fixture
def stored(database: Database, tmp_path: Path) -> Stored:
    root = tmp_path / "films"
    with database.write() as session:
        library = add_library(session, root, "films")
        asset = add_asset(session, library, "holiday/clip.mp4", Kind.VIDEO)
        asset.format = "mp4"
        asset_id, essence = asset.id, asset.essence_hash
    path = root / "holiday" / "clip.mp4"
    path.parent.mkdir()
    path.write_bytes(BYTES)
    stored = Stored(f"/api/v1/assets/{asset_id}", asset_id, essence, path, database)
    facts = path.stat()
    stored.change(size_bytes=facts.st_size, mtime_ns=facts.st_mtime_ns)
    return stored


def test_original_is_served_whole_with_its_type_and_length(
    client: FlaskClient, stored: Stored
) -> None:
    answer = client.get(f"{stored.url}/file")
    assert (answer.status_code, answer.data) == (200, BYTES)
    assert answer.mimetype == "video/mp4"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=2500-", 2500, 2560),
        ("bytes=-60", 2500, 2560),
        ("bytes=-99999", 0, 2560),
        ("bytes=2550-9999", 2550, 2560),
    ],
)
def test_range_is_answered_with_that_part(
    client: FlaskClient, stored: Stored, asked: str, start: int, end: int
) -> None:
    answer = client.get(f"{stored.url}/file", headers={"Range": asked})
    assert (answer.status_code, answer.data) == (206, BYTES[start:end])
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/2560"
    assert answer.content_length == end - start


def test_range_behind_the_end_is_refused_with_the_size(client: FlaskClient, stored: Stored) -> None:
    answer = client.get(f"{stored.url}/file", headers={"Range": "bytes=2560-"})
    assert answer.status_code == 416
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Content-Range"] == "bytes */2560"


def test_open_ended_range_of_a_large_file_comes_in_pieces(
    client: FlaskClient, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.files.PIECE_BYTES", 1000)
    answer = client.get(f"{stored.url}/file", headers={"Range": "bytes=500-"})
    assert (answer.status_code, answer.data) == (206, BYTES[500:1500])
    assert answer.headers["Content-Range"] == "bytes 500-1499/2560"


def test_several_ranges_get_the_whole_file(client: FlaskClient, stored: Stored) -> None:
    hostile = "bytes=" + ",".join(f"{n}-" for n in range(500))
    answer = client.get(f"{stored.url}/file", headers={"Range": hostile})
    assert (answer.status_code, answer.data) == (200, BYTES)


@hypothesis(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_no_range_header_breaks_the_server(client: FlaskClient, stored: Stored, asked: str) -> None:
    for header in (asked, f"bytes={asked}"):
        answer = client.get(f"{stored.url}/file", headers={"Range": header})
        assert answer.status_code in {200, 206, 416}
        if answer.status_code != 416:
            assert len(answer.data) == answer.content_length


def test_changed_file_is_sent_whole_to_a_client_with_a_part_of_the_old_one(
    client: FlaskClient, stored: Stored
) -> None:
    etag = client.get(f"{stored.url}/file").headers["ETag"]
    asked = {"Range": "bytes=0-9", "If-Range": etag}
    assert client.get(f"{stored.url}/file", headers=asked).status_code == 206
    stored.path.write_bytes(BYTES + b"more")
    answer = client.get(f"{stored.url}/file", headers=asked)
    assert (answer.status_code, answer.data) == (200, BYTES + b"more")


def test_client_that_has_the_file_is_told_so(client: FlaskClient, stored: Stored) -> None:
    etag = client.get(f"{stored.url}/file").headers["ETag"]
    answer = client.get(f"{stored.url}/file", headers={"If-None-Match": etag})
    assert (answer.status_code, answer.data) == (304, b"")


def test_head_tells_the_size_without_the_bytes(client: FlaskClient, stored: Stored) -> None:
    answer = client.head(f"{stored.url}/file", headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.content_length, answer.data) == (200, len(BYTES), b"")


def test_download_has_the_files_name_whatever_it_is(client: FlaskClient, stored: Stored) -> None:
    stored.change(display='holiday/a"b;\r\nX: é.mp4')
    answer = client.get(f"{stored.url}/file?download=true")
    told = answer.headers["Content-Disposition"]
    assert told.startswith('attachment; filename="a_b;__X: _.mp4"; filename*=UTF-8')
    assert "\r" not in told
    assert "X" not in answer.headers


def test_link_inside_a_library_is_not_followed(
    client: FlaskClient, stored: Stored, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"secret")
    stored.path.unlink()
    stored.path.symlink_to(secret)
    assert client.get(f"{stored.url}/file").status_code == 404


def test_folder_swapped_for_a_link_is_not_followed(
    client: FlaskClient, stored: Stored, tmp_path: Path
) -> None:
    stored.path.parent.rename(tmp_path / "elsewhere")
    stored.path.parent.symlink_to(tmp_path / "elsewhere")
    assert client.get(f"{stored.url}/file").status_code == 404


@pytest.mark.parametrize("path", [b"../secret", b"holiday/../../secret", b"/etc/passwd", b".."])
def test_path_that_climbs_out_is_refused(
    client: FlaskClient, stored: Stored, tmp_path: Path, path: bytes
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    stored.change(path=path)
    assert client.get(f"{stored.url}/file").status_code == 404


def test_fifo_is_refused_without_waiting(client: FlaskClient, stored: Stored) -> None:
    stored.path.unlink()
    os.mkfifo(stored.path)
    assert client.get(f"{stored.url}/file").status_code == 404


def test_offline_library_is_named(client: FlaskClient, stored: Stored) -> None:
    stored.set_library(LibraryState.OFFLINE)
    answer = client.get(f"{stored.url}/file")
    assert answer.status_code == 404
    assert "'films' is offline" in answer.json["detail"]


def test_missing_file_is_said_to_be_missing(client: FlaskClient, stored: Stored) -> None:
    stored.change(state=FileState.MISSING)
    answer = client.get(f"{stored.url}/file")
    assert answer.status_code == 404
    assert "missing from disk" in answer.json["detail"]


def test_second_copy_is_served_when_the_first_is_gone(client: FlaskClient, stored: Stored) -> None:
    copy = stored.path.with_name("copy.mp4")
    stored.path.rename(copy)
    with stored.database.write() as session:
        first = session.query(File).one()
        session.add(
            File(
                library_id=first.library_id,
                path=b"holiday/copy.mp4",
                display="holiday/copy.mp4",
                asset_id=stored.asset_id,
                size_bytes=1,
                mtime_ns=1,
                device=1,
                inode=1,
            )
        )
    assert client.get(f"{stored.url}/file").data == BYTES


def test_too_many_open_originals_are_asked_to_come_back(
    client: FlaskClient, stored: Stored, settings: Settings
) -> None:
    slots = client.application.extensions["dam"].originals
    held = [client.get(f"{stored.url}/file", buffered=False) for _ in range(slots.number)]
    refused = client.get(f"{stored.url}/file")
    assert refused.status_code == 503
    assert "Retry-After" in refused.headers
    for answer in held:
        answer.close()
    assert client.get(f"{stored.url}/file").status_code == 200


def test_preview_that_is_not_made_yet_is_pending(client: FlaskClient, stored: Stored) -> None:
    answer = client.get(f"{stored.url}/thumbnail")
    assert (answer.status_code, answer.json["reason"]) == (404, "pending")


def test_preview_that_could_not_be_made_says_why(
    client: FlaskClient, stored: Stored, database: Database
) -> None:
    with database.write() as session:
        from dam.tables import Asset

        run = add_run(
            session,
            session.get_one(Asset, stored.asset_id),
            add_producer(session, "previews"),
        )
        run.state, run.error = RunState.FAILED, "clip.mp4: moov atom not found"
    answer = client.get(f"{stored.url}/thumbnail")
    assert (answer.status_code, answer.json["reason"]) == (404, "failed")
    assert "moov atom not found" in answer.json["detail"]


def test_preview_of_the_current_version_may_be_kept_for_ever(
    client: FlaskClient, stored: Stored, settings: Settings
) -> None:
    folder = preview_folder(settings.previews_path, stored.essence)
    folder.mkdir(parents=True)
    (folder / "thumb.webp").write_bytes(b"RIFF")
    version = stored.essence[:16]
    kept = client.get(f"{stored.url}/thumbnail?v={version}")
    assert (kept.status_code, kept.data, kept.mimetype) == (200, b"RIFF", "image/webp")
    assert "immutable" in kept.headers["Cache-Control"]
    assert "no-cache" in client.get(f"{stored.url}/thumbnail").headers["Cache-Control"]
    assert "no-cache" in client.get(f"{stored.url}/thumbnail?v=old").headers["Cache-Control"]


def test_sprite_is_described_as_a_track_of_thumbnails(
    client: FlaskClient, stored: Stored, settings: Settings
) -> None:
    folder = preview_folder(settings.previews_path, stored.essence)
    folder.mkdir(parents=True)
    sprite = {
        "tile_width_px": 160,
        "tile_height_px": 90,
        "columns": 2,
        "times_us": [0, 500_000, 3_661_250_000],
    }
    (folder / "sprite.json").write_text(json.dumps(sprite))
    assert client.get(f"{stored.url}/sprite.json").json == sprite
    track = client.get(f"{stored.url}/thumbnails.vtt")
    assert track.mimetype == "text/vtt"
    version = stored.essence[:16]
    assert track.text == (
        "WEBVTT\n\n"
        f"00:00:00.000 --> 00:00:00.500\nsprite?v={version}#xywh=0,0,160,90\n\n"
        f"00:00:00.500 --> 01:01:01.250\nsprite?v={version}#xywh=160,0,160,90\n\n"
        f"01:01:01.250 --> 01:01:02.250\nsprite?v={version}#xywh=0,90,160,90\n"
    )


def test_kind_without_such_a_preview_is_told_so(client: FlaskClient, stored: Stored) -> None:
    answer = client.get(f"{stored.url}/waveform")
    assert answer.status_code == 404
    assert "audio" in answer.json["detail"]


def test_unknown_asset_is_not_found(client: FlaskClient) -> None:
    for what in ("file", "thumbnail", "preview", "poster", "sprite", "sprite.json", "waveform"):
        answer = client.get(f"/api/v1/assets/none/{what}")
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
