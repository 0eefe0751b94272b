"""Uploads over HTTP: resumed, checked, put in place whole, and never out of the library."""

from __future__ import annotations

import errno
import io
import os
import socket
import threading
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from blake3 import blake3

from dam import placing, uploads
from dam.library.libraries import add_library, list_libraries
from dam.library.scan_requests import take_looks
from dam.library.update import update_libraries
from dam.library.watch import Watcher
from dam.tables import Library
from tests.library_world import ids
from tests.media import BLUE, RED, write_jpeg

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from dam.config import Settings
    from dam.db import Database

UPLOADS = "/api/v1/uploads"
CONTENT = bytes(range(256)) * 40


def hash_of(content: bytes) -> str:
    return blake3(content).hexdigest()


@dataclass
class Sender:
    """What a browser does: announces a file and sends it in parts."""

    client: FlaskClient
    library_id: str
    root: Path

    def begin(self, content: bytes = CONTENT, **changes: Any) -> TestResponse:
        body = {
            "library_id": self.library_id,
            "folder": "",
            "name": "beach.jpg",
            "size_bytes": len(content),
            "blake3": hash_of(content),
        }
        return self.client.post(UPLOADS, json={**body, **changes})

    def send(self, upload_id: str, offset: int | str, part: bytes) -> TestResponse:
        return self.client.patch(
            f"{UPLOADS}/{upload_id}",
            data=part,
            headers={"Upload-Offset": str(offset)},
            content_type="application/octet-stream",
        )

    def upload(self, content: bytes = CONTENT, **changes: Any) -> TestResponse:
        begun = self.begin(content, **changes)
        assert begun.status_code == 201, begun.text
        return self.send(begun.json["id"], 0, content)

    def files(self) -> list[str]:
        """All below the root, hidden ones too."""
        found = self.root.rglob("*")
        return sorted(str(path.relative_to(self.root)) for path in found if not path.is_dir())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


@pytest.fixture
def sender(client: FlaskClient, database: Database, root: Path) -> Sender:
    return Sender(client, add_library(database, root).id, root)


# The way of a file -------------------------------------------------------------------------


def test_file_arrives_in_parts_and_appears_whole(sender: Sender) -> None:
    begun = sender.begin(folder="Iceland/Day 1")
    assert begun.status_code == 201
    upload_id = begun.json["id"]
    size_bytes = len(CONTENT)
    fresh = {"id": upload_id, "offset": 0, "size_bytes": size_bytes, "done": False, "path": None}
    assert begun.json == fresh
    for start in range(0, size_bytes, 4000):
        assert sender.files() == []
        assert sender.client.get(f"{UPLOADS}/{upload_id}").json == {**fresh, "offset": start}
        sent = sender.send(upload_id, start, CONTENT[start : start + 4000])
        assert sent.status_code == 200
    path = "Iceland/Day 1/beach.jpg"
    assert sent.json == {**fresh, "offset": size_bytes, "done": True, "path": path}
    assert sender.files() == [path]
    assert (sender.root / path).read_bytes() == CONTENT
    assert sender.client.get(f"{UPLOADS}/{upload_id}").json == sent.json


def test_uploaded_photo_is_found_by_the_watcher_that_hears_no_events(
    sender: Sender, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dam.library.hints.is_network_path", lambda _path: True)
    quick = settings.model_copy(update={"settle_s": 0.1, "rescan_s": 3600.0})
    stop = threading.Event()
    thread = threading.Thread(target=Watcher(database, quick).run, args=(stop,))
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not list_libraries(database)[0].scanned_us and time.monotonic() < deadline:
            time.sleep(0.05)
        photo = write_jpeg(settings.home / "elsewhere.jpg", RED).read_bytes()
        sender.upload(photo, name="red.jpg")
        while not ids(database) and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        stop.set()
        thread.join()
    assert list(ids(database)) == ["red.jpg"]


def test_same_announcement_goes_on_where_it_stopped(sender: Sender) -> None:
    upload_id = sender.begin().json["id"]
    sender.send(upload_id, 0, CONTENT[:1000])
    again = sender.begin().json
    assert (again["id"], again["offset"]) == (upload_id, 1000)
    assert sender.begin(folder="other").json["id"] != upload_id


def test_upload_survives_a_restart_of_the_server(
    sender: Sender, settings: Settings, root: Path
) -> None:
    from web.app import create_app

    upload_id = sender.begin().json["id"]
    sender.send(upload_id, 0, CONTENT[:5000])
    app = create_app(settings)
    try:
        later = Sender(app.test_client(), sender.library_id, root)
        assert later.begin().json["offset"] == 5000
        assert later.send(upload_id, 5000, CONTENT[5000:]).json["done"]
    finally:
        app.extensions["dam"].close()
    assert (root / "beach.jpg").read_bytes() == CONTENT


def test_answer_that_was_lost_is_given_again(sender: Sender) -> None:
    done = sender.upload().json
    size_bytes = len(CONTENT)
    assert sender.begin().json == done
    assert sender.send(done["id"], size_bytes, b"").json == done
    late = sender.send(done["id"], 0, CONTENT)
    assert (late.status_code, late.json["offset"]) == (409, size_bytes)
    assert sender.files() == ["beach.jpg"]


def test_file_that_was_deleted_since_can_be_uploaded_again(sender: Sender) -> None:
    sender.upload()
    (sender.root / "beach.jpg").unlink()
    assert sender.begin().json["offset"] == 0
    assert sender.upload().json["path"] == "beach.jpg"


def test_upload_can_be_forgotten(sender: Sender, settings: Settings) -> None:
    upload_id = sender.begin().json["id"]
    sender.send(upload_id, 0, CONTENT[:1000])
    url = f"{UPLOADS}/{upload_id}"
    assert sender.client.delete(url).status_code == 204
    assert sender.client.get(url).status_code == 404
    assert sender.client.delete(url).status_code == 404
    assert sender.send(upload_id, 1000, CONTENT[1000:]).status_code == 404
    assert list(settings.uploads_path.iterdir()) == []


def test_files_that_are_here_already_are_named(
    sender: Sender, database: Database, settings: Settings
) -> None:
    known = write_jpeg(sender.root / "known.jpg", RED).read_bytes()
    gone = write_jpeg(sender.root / "gone.jpg", BLUE).read_bytes()
    for _ in range(2):
        update_libraries(database, settings)
        asset = ids(database)["known.jpg"]
        (sender.root / "gone.jpg").unlink(missing_ok=True)
    files = [
        {"name": f"{number}.jpg", "size_bytes": len(content), "blake3": hash_of(content)}
        for number, content in enumerate((CONTENT, known, gone))
    ]
    answer = sender.client.post(f"{UPLOADS}/check", json={"files": files})
    assert answer.json == {"files": [{"known": None}, {"known": asset}, {"known": None}]}
    many = sender.client.post(f"{UPLOADS}/check", json={"files": files * 400})
    assert many.status_code == 422


# Never over another file --------------------------------------------------------------------


def test_other_file_of_that_name_is_kept(sender: Sender) -> None:
    contents = [b"first" * 10, b"other" * 10, b"third" * 11]
    paths = [sender.upload(content).json["path"] for content in contents]
    assert paths == ["beach.jpg", "beach (2).jpg", "beach (3).jpg"]
    assert [(sender.root / path).read_bytes() for path in paths] == contents


def test_same_bytes_under_that_name_are_there_already(sender: Sender) -> None:
    (sender.root / "beach.jpg").write_bytes(b"x" * len(CONTENT))
    (sender.root / "beach (2).jpg").write_bytes(CONTENT)
    assert sender.upload().json["path"] == "beach (2).jpg"
    assert sender.files() == ["beach (2).jpg", "beach.jpg"]


def test_file_that_appears_at_the_last_moment_is_kept(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = placing._copy

    def copy_then_lose_the_race(*arguments: Any) -> None:
        copy(*arguments)
        (sender.root / "beach.jpg").write_bytes(b"faster")

    monkeypatch.setattr(placing, "_copy", copy_then_lose_the_race)
    assert sender.upload().json["path"] == "beach (2).jpg"
    assert (sender.root / "beach.jpg").read_bytes() == b"faster"
    assert sender.files() == ["beach (2).jpg", "beach.jpg"]


@pytest.mark.parametrize("refusal", [errno.EPERM, errno.EOPNOTSUPP])
def test_disk_without_hard_links_takes_files_too(
    sender: Sender, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    def no_links(*_: Any, **__: Any) -> None:
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr("dam.placing.os.link", no_links)
    assert sender.upload().json["path"] == "beach.jpg"
    assert sender.upload(b"other").json["path"] == "beach (2).jpg"
    assert (sender.root / "beach.jpg").read_bytes() == CONTENT
    assert sender.files() == ["beach (2).jpg", "beach.jpg"]


def test_many_files_of_one_name_at_once_all_get_their_own(
    sender: Sender, database: Database, settings: Settings
) -> None:
    service = sender.client.application.extensions["dam"].uploads

    def upload(number: int) -> str:
        content = bytes([number]) * 100_000
        begun = service.begin(sender.library_id, "", "same.jpg", 100_000, hash_of(content))
        return str(service.append(begun.id, 0, content).path)

    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(upload, range(16)))
    assert len(set(paths)) == 16
    for number, path in enumerate(paths):
        assert (sender.root / path).read_bytes() == bytes([number]) * 100_000


def test_folder_that_people_see_under_that_name_is_taken(sender: Sender) -> None:
    """A Mac spells é as two characters, and browsers send what they see."""
    name = unicodedata.normalize("NFD", "Café")
    (sender.root / name).mkdir()
    path = sender.upload(folder=unicodedata.normalize("NFC", "Café")).json["path"]
    assert path == f"{name}/beach.jpg"
    assert [folder.name for folder in sender.root.iterdir()] == [name]


# What goes wrong ----------------------------------------------------------------------------


def test_wrong_hash_is_told_and_nothing_is_kept(sender: Sender, settings: Settings) -> None:
    upload_id = sender.begin().json["id"]
    wrong = sender.send(upload_id, 0, b"x" * len(CONTENT))
    assert wrong.status_code == 422
    assert "BLAKE3" in wrong.json["detail"]
    assert sender.files() == []
    assert list(settings.uploads_path.iterdir()) == []
    assert sender.upload().json["done"]


@pytest.mark.parametrize("offset", [1, 999, 1001, 10**18, 10**19 - 1])
def test_part_at_a_wrong_offset_is_refused_with_the_right_one(sender: Sender, offset: int) -> None:
    upload_id = sender.begin().json["id"]
    sender.send(upload_id, 0, CONTENT[:1000])
    for part in (b"", b"x", CONTENT[1000:]):
        refused = sender.send(upload_id, offset, part)
        assert (refused.status_code, refused.json["offset"]) == (409, 1000)
    assert sender.send(upload_id, 1000, CONTENT[1000:]).json["done"]


@pytest.mark.parametrize("offset", ["", "-1", "+1", "0x0", "1.0", " 0 1", "١", "9" * 20, "nan"])
def test_offset_that_is_no_number_is_refused(sender: Sender, offset: str) -> None:
    upload_id = sender.begin().json["id"]
    header = {"Upload-Offset": offset.encode().decode("latin-1")}
    answer = sender.client.patch(
        f"{UPLOADS}/{upload_id}",
        data=b"x",
        headers=header,
        content_type="application/octet-stream",
    )
    assert answer.status_code == 400


def test_more_than_was_announced_is_refused(sender: Sender) -> None:
    upload_id = sender.begin().json["id"]
    assert sender.send(upload_id, 0, CONTENT + b"x").status_code == 413
    assert sender.client.get(f"{UPLOADS}/{upload_id}").json["offset"] == 0


def test_part_is_limited_and_must_be_bytes(sender: Sender) -> None:
    upload_id = sender.begin(size_bytes=100 << 20).json["id"]
    too_large = sender.send(upload_id, 0, bytes((16 << 20) + 1))
    assert (too_large.status_code, too_large.json["status"]) == (413, 413)
    url = f"{UPLOADS}/{upload_id}"
    as_form = sender.client.patch(url, data={"a": "b"}, headers={"Upload-Offset": "0"})
    assert as_form.status_code == 415
    assert sender.client.get(url).json["offset"] == 0


def test_part_that_breaks_off_changes_nothing(sender: Sender) -> None:
    upload_id = sender.begin().json["id"]
    broken = sender.client.patch(
        f"{UPLOADS}/{upload_id}",
        input_stream=io.BytesIO(CONTENT[:700]),
        environ_overrides={"CONTENT_LENGTH": str(len(CONTENT))},
        headers={"Upload-Offset": "0"},
        content_type="application/octet-stream",
    )
    assert broken.status_code == 400
    assert sender.client.get(f"{UPLOADS}/{upload_id}").json["offset"] == 0


def test_client_that_stalls_is_given_up(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.api.uploads.SILENCE_S", 0.2)
    upload_id = sender.begin().json["id"]
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb", buffering=0) as stream:
        theirs.send(CONTENT[:100])
        stalled = sender.client.patch(
            f"{UPLOADS}/{upload_id}",
            environ_overrides={
                **{"gunicorn.socket": ours, "wsgi.input": stream},
                "CONTENT_LENGTH": str(len(CONTENT)),
            },
            headers={"Upload-Offset": "0"},
            content_type="application/octet-stream",
        )
        assert ours.gettimeout() is None
    assert stalled.status_code == 400


def test_racing_parts_are_taken_once(sender: Sender) -> None:
    content = os.urandom(1 << 20)
    service = sender.client.application.extensions["dam"].uploads
    begun = service.begin(sender.library_id, "", "race.jpg", len(content), hash_of(content))

    def push(worker: int) -> int:
        """Sends whatever comes next, as if it were alone; returns how often it was refused."""
        refused = 0
        while True:
            state = service.state(begun.id)
            if state.done:
                return refused
            part = content[state.offset : state.offset + 30_000 + worker]
            try:
                service.append(begun.id, state.offset, part)
            except (uploads.WrongOffset, uploads.Busy):
                refused += 1

    with ThreadPoolExecutor(6) as pool:
        refused = sum(pool.map(push, range(6)))
    assert (sender.root / "race.jpg").read_bytes() == content
    assert sender.files() == ["race.jpg"]
    assert refused


def test_second_writer_waits_and_then_is_told_to_come_again(
    sender: Sender, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    monkeypatch.setattr(uploads, "PATIENCE_S", 0.1)
    upload_id = sender.begin().json["id"]
    with (settings.uploads_path / upload_id / "bytes").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        busy = sender.send(upload_id, 0, CONTENT)
        assert (busy.status_code, busy.headers["Retry-After"]) == (503, "5")
        assert sender.client.delete(f"{UPLOADS}/{upload_id}").status_code == 503
    assert sender.send(upload_id, 0, CONTENT).json["done"]


def test_too_large_file_is_refused_before_it_is_sent(sender: Sender, settings: Settings) -> None:
    answer = sender.begin(size_bytes=(settings.upload_mb << 20) + 1)
    assert answer.status_code == 413
    assert "DAM_UPLOAD_MB" in answer.json["detail"]
    assert sender.begin(size_bytes=0).status_code == 422
    assert sender.begin(size_bytes=-1).status_code == 422


def test_full_disk_is_told_before_it_is_sent(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dam.disk.RESERVE_BYTES", 1 << 60)
    answer = sender.begin()
    assert (answer.status_code, answer.mimetype) == (507, "application/problem+json")
    assert "MiB" in answer.json["detail"]


def test_disk_that_fills_up_meanwhile_loses_nothing(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = sender.begin().json["id"]
    sender.send(upload_id, 0, CONTENT[:1000])
    write = os.pwrite

    def half_then_full(fd: int, part: memoryview, at: int) -> int:
        if len(part) > 500:
            return write(fd, part[: len(part) // 2], at)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr("dam.uploads.os.pwrite", half_then_full)
        refused = sender.send(upload_id, 1000, CONTENT[1000:])
        assert refused.status_code == 507
        assert sender.client.get(f"{UPLOADS}/{upload_id}").json["offset"] == 1000
    assert sender.send(upload_id, 1000, CONTENT[1000:]).json["done"]
    assert (sender.root / "beach.jpg").read_bytes() == CONTENT


def test_library_disk_that_is_full_keeps_what_was_sent(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """/dev/full answers as a disk without space does."""
    opened = os.open

    def onto_full_disk(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if str(path).startswith(".dam-upload-"):
            return opened("/dev/full", os.O_WRONLY)
        return opened(path, flags, *arguments, **options)

    upload_id = sender.begin().json["id"]
    with monkeypatch.context() as full:
        full.setattr("dam.placing.os.open", onto_full_disk)
        assert sender.send(upload_id, 0, CONTENT).status_code == 507
    assert sender.files() == []
    state = sender.begin().json
    assert (state["offset"], state["done"]) == (len(CONTENT), False)
    assert sender.send(upload_id, len(CONTENT), b"").json["done"]
    assert sender.files() == ["beach.jpg"]


def test_library_that_cannot_be_written_to_is_named_before_it_is_sent(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dam.placing.os.access", lambda *_, **__: False)  # tests may run as root
    answer = sender.begin()
    assert answer.status_code == 403
    assert "Permission denied" in answer.json["detail"]


def test_library_that_is_away_takes_nothing(
    sender: Sender, database: Database, settings: Settings
) -> None:
    """Its mount point is an empty folder now: a file in there would be hidden by the disk."""
    write_jpeg(sender.root / "known.jpg", RED)
    update_libraries(database, settings)
    upload_id = sender.begin().json["id"]
    away = sender.root.rename(sender.root.with_name("away"))
    assert sender.begin().status_code == 503
    sender.root.mkdir()
    assert sender.begin().status_code == 503
    assert sender.send(upload_id, 0, CONTENT).status_code == 503
    assert sender.files() == []
    sender.root.rmdir()
    away.rename(sender.root)
    assert sender.send(upload_id, len(CONTENT), b"").json["path"] == "beach.jpg"


def test_library_that_was_removed_meanwhile_is_not_found(
    sender: Sender, database: Database
) -> None:
    upload_id = sender.begin().json["id"]
    with database.write() as session:
        session.delete(session.get_one(Library, sender.library_id))
    assert sender.send(upload_id, 0, CONTENT).status_code == 404
    assert sender.begin().status_code == 404
    assert sender.files() == []


# Attacks ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("../beach.jpg", "..", ".", "/etc/beach.jpg", "a/b.jpg", "a\\b.jpg", "C:\\b.jpg"),
        *("beach.jpg\0.png", "a\nb.jpg", "a\x7fb.jpg", "a\x85b.jpg", "a\u2028b.jpg"),
        *("photo\u202egpj.exe.jpg", "a\u2066b.jpg", "a\u200fb.jpg"),
        *(".hidden.jpg", "beach.jpg.", "beach.jpg ", " beach.jpg", "beach.jpg/"),
        *("CON.jpg", "nul.jpg", "com1.jpg", "LPT9.tar.jpg", "aux .jpg", "com¹.jpg"),
        *("beach.html", "beach.svg", "beach.jpg.exe", "beach.php", "beach", "beach.xmp", ".jpg"),
        *("x" * 240 + ".jpg", "é" * 130 + ".jpg", "beach.jpg.part"),
    ],
)
def test_names_that_lead_elsewhere_or_hide_something_are_refused(
    sender: Sender, tmp_path: Path, name: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    answer = sender.begin(name=name)
    assert answer.status_code == 400
    assert answer.json["detail"]
    assert [path for path in sorted(tmp_path.rglob("*")) if path not in before] == []


@pytest.mark.parametrize(
    "name",
    [
        "Ünïcode 漢字 🙂.jpg",
        "50% off #1 'a' \"b\" <c> & d;e.jpg",
        "-rf.jpg",
        "console.jpg",
        "a..b.jpg",
    ],
)
def test_names_of_people_are_kept(sender: Sender, name: str) -> None:
    assert sender.upload(name=name).json["path"] == name
    assert (sender.root / name).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "folder",
    [
        *("..", "../outside", "a/../../outside", "./a", "a/./b", "/../outside", "a\\..\\b"),
        *("a\0b", "a\nb", ".hidden", "a/.git", "@eaDir", "x.photoslibrary", "#recycle"),
        *("CON", "a/nul", "dots...", "space ", "/".join("abcdefgh" * 5), "x" * 3000),
    ],
)
def test_folders_that_lead_elsewhere_are_refused(
    sender: Sender, tmp_path: Path, folder: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert sender.begin(folder=folder).status_code == 400
    assert [path for path in sorted(tmp_path.rglob("*")) if path not in before] == []


@pytest.mark.parametrize("folder", ["/etc", "//a//b//", "/"])
def test_absolute_folder_lies_in_the_library(sender: Sender, folder: str) -> None:
    path = sender.upload(folder=folder).json["path"]
    assert (sender.root / path).read_bytes() == CONTENT


def test_links_out_of_the_library_are_not_followed(sender: Sender, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (sender.root / "out").symlink_to(outside)
    (sender.root / "in").mkdir()
    (sender.root / "in" / "out").symlink_to("../../outside")
    (sender.root / "file").write_text("no folder")
    for folder in ("out", "out/deeper", "in/out", "in/out/deeper", "file", "file/deeper"):
        assert sender.begin(folder=folder).status_code == 409
    assert list(outside.iterdir()) == []


def test_folder_that_becomes_a_link_meanwhile_is_not_followed(
    sender: Sender, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (sender.root / "trip").mkdir()
    upload_id = sender.begin(folder="trip").json["id"]
    (sender.root / "trip").rmdir()
    (sender.root / "trip").symlink_to(outside)
    assert sender.send(upload_id, 0, CONTENT).status_code == 409
    assert list(outside.iterdir()) == []
    (sender.root / "trip").unlink()
    assert sender.send(upload_id, len(CONTENT), b"").json["path"] == "trip/beach.jpg"


def test_link_under_the_files_own_name_is_not_written_through(
    sender: Sender, tmp_path: Path
) -> None:
    target = tmp_path / "target.jpg"
    target.write_bytes(b"x" * len(CONTENT))
    (sender.root / "beach.jpg").symlink_to(target)
    upload_id = sender.begin().json["id"]
    (sender.root / f".dam-upload-{upload_id}.part").symlink_to(target)
    assert sender.send(upload_id, 0, CONTENT).json["path"] == "beach (2).jpg"
    assert target.read_bytes() == b"x" * len(CONTENT)


def test_library_root_that_became_a_link_takes_nothing(sender: Sender, tmp_path: Path) -> None:
    upload_id = sender.begin().json["id"]
    (tmp_path / "outside").mkdir()
    sender.root.rmdir()
    sender.root.symlink_to(tmp_path / "outside")
    assert sender.send(upload_id, 0, CONTENT).status_code == 503
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize(
    "upload_id", ["..", "%2e%2e", "..%2f..%2fhome", "done", "x" * 32, "A" * 32, "0" * 33, "0" * 32]
)
def test_ids_lead_nowhere(sender: Sender, settings: Settings, upload_id: str) -> None:
    sender.begin()
    for answer in (
        sender.client.get(f"{UPLOADS}/{upload_id}"),
        sender.client.delete(f"{UPLOADS}/{upload_id}"),
        sender.send(upload_id, 0, b"x"),
    ):
        assert answer.status_code in (404, 405, 415)
    assert settings.database_path.exists()


@pytest.mark.parametrize("digest", ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64, "../" * 21 + "a"])
def test_hash_must_be_one(sender: Sender, digest: str) -> None:
    assert sender.begin(blake3=digest).status_code == 422


def test_page_of_another_site_uploads_nothing(sender: Sender) -> None:
    upload_id = sender.begin().json["id"]
    strange = {"Origin": "https://evil.example", "Upload-Offset": "0"}
    for method, url in (("POST", UPLOADS), ("PATCH", f"{UPLOADS}/{upload_id}")):
        answer = sender.client.open(url, method=method, data=b"x", headers=strange)
        assert answer.status_code == 403


def test_unfinished_uploads_are_limited(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_UNFINISHED", 2)
    first = sender.begin(name="1.jpg").json["id"]
    sender.begin(name="2.jpg")
    assert sender.begin(name="3.jpg").status_code == 503
    assert sender.begin(name="1.jpg").json["id"] == first
    sender.send(first, 0, CONTENT)
    assert sender.begin(name="3.jpg").status_code == 201


# What is left behind ------------------------------------------------------------------------


def test_nothing_is_visible_before_it_is_whole(
    sender: Sender, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan in the middle of the copy sees no file."""
    photo = write_jpeg(settings.home / "big.jpg", RED).read_bytes()
    seen = []
    write = os.pread

    def scan_while_copying(*arguments: Any) -> bytes:
        seen.append(update_libraries(database, settings).new)
        return write(*arguments)

    upload_id = sender.begin(photo).json["id"]
    with monkeypatch.context() as slow:
        slow.setattr("dam.placing.os.pread", scan_while_copying)
        assert sender.send(upload_id, 0, photo).json["done"]
    assert seen
    assert not any(seen)
    assert update_libraries(database, settings).new == 1


def test_abandoned_uploads_are_swept_after_a_day(
    sender: Sender, settings: Settings, database: Database
) -> None:
    done = sender.upload(name="done.jpg").json["id"]
    old, young = (sender.begin(name=f"{age}.jpg").json["id"] for age in ("old", "young"))
    left = sender.root / f".dam-upload-{old}.part"  # a kill in the middle of the copy
    left.write_bytes(b"half")
    broken = settings.uploads_path / ("f" * 32)
    broken.mkdir()
    (broken / "upload.json").write_text('{"of": "another version"}')
    yesterday_s = time.time() - uploads.ABANDONED_S - 60
    for folder in (settings.uploads_path / old, broken):
        for path in (*folder.iterdir(), folder):
            os.utime(path, (yesterday_s, yesterday_s))
    os.utime(settings.uploads_path / "done" / f"{done}.json", (yesterday_s, yesterday_s))
    uploads.Uploads(database, settings).sweep()
    assert sorted(path.name for path in settings.uploads_path.iterdir()) == sorted([young, "done"])
    assert list((settings.uploads_path / "done").iterdir()) == []
    assert sender.files() == ["done.jpg"]


def test_look_at_the_file_is_asked_for(sender: Sender, settings: Settings) -> None:
    sender.upload(folder="a")
    assert take_looks(settings.run_path) == [(sender.library_id, b"a/beach.jpg")]
    assert take_looks(settings.run_path) == []
