"""What one walk over a library reports, compared with what the database knows."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from dam.errors import LibraryOffline
from dam.library import walk
from dam.library.libraries import add_library
from dam.library.names import display_of
from dam.library.scan import scan_library
from dam.tables import File, FileState, Library

if TYPE_CHECKING:
    from pathlib import Path

    from dam.db import Database
    from dam.library.walk import Changes, Seen


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


@pytest.fixture
def library(database: Database, root: Path) -> Library:
    return add_library(database, root)


def put(path: Path, content: bytes = b"pixels") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def paths(seen: list[Seen]) -> set[bytes]:
    return {file.path for file in seen}


def remember(database: Database, library: Library, changes: Changes) -> None:
    """What ingest does with the files of a scan, without reading them."""
    with database.write() as session:
        for seen in (*changes.new, *changes.changed):
            session.merge(
                File(
                    id=None,
                    library_id=library.id,
                    path=seen.path,
                    display=display_of(seen.path),
                    size_bytes=seen.size_bytes,
                    mtime_ns=seen.mtime_ns,
                    device=seen.device,
                    inode=seen.inode,
                    sidecar=seen.sidecar,
                )
            )


def known_library(database: Database, library: Library) -> Changes:
    changes = scan_library(database, library)
    remember(database, library, changes)
    return changes


def test_media_are_found_at_any_depth_and_nothing_else(
    database: Database, root: Path, library: Library
) -> None:
    for name in ("a.jpg", "trip/day 1/b.CR2", "trip/c.mp4", "sound.wav", "x.tiff"):
        put(root / name)
    for name in ("notes.txt", "a.jpg.part", "b.mp4.crdownload", "c.jpg.tmp", "d.jpg~", "Makefile"):
        put(root / name)
    found = scan_library(database, library)
    assert paths(found.new) == {
        b"a.jpg",
        b"trip/day 1/b.CR2",
        b"trip/c.mp4",
        b"sound.wav",
        b"x.tiff",
    }
    assert found.complete
    assert not found.notes


@pytest.mark.parametrize(
    "folder",
    [".git", ".hidden", "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information",
     "My Previews.lrdata", "Photos.photoslibrary"],
)  # fmt: skip
def test_folders_of_other_programs_are_passed_over(
    database: Database, root: Path, library: Library, folder: str
) -> None:
    put(root / folder / "deep" / "a.jpg")
    put(root / "kept.jpg")
    put(root / "._kept.jpg")
    assert paths(scan_library(database, library).new) == {b"kept.jpg"}


ODD_NAMES = [
    b"new\nline.jpg",
    b"-rf.jpg",
    b"weird|.jpg",
    b"trailing.jpg|",
    b"trailing.jpg ",
    b"not-utf8-\xff\xfe.jpg",
    "nfd-e\u0301.jpg".encode(),
    "rtl-\u202egnp.jpg".encode(),
    b"%s {} $(touch x) `id`.jpg",
    b"x" * 251 + b".jpg",
]


def test_odd_names_are_found_and_recognised_again(
    database: Database, root: Path, library: Library
) -> None:
    for name in ODD_NAMES:
        with open(os.fsencode(root) + b"/" + name, "wb") as file:  # noqa: PTH123 (bytes)
            file.write(b"x")
    assert paths(known_library(database, library).new) == set(ODD_NAMES)
    again = scan_library(database, library)
    assert (again.unchanged, again.new, again.changed, again.absent) == (len(ODD_NAMES), [], [], [])


def test_display_names_are_nfc_and_mark_what_cannot_be_decoded() -> None:
    assert display_of("e\u0301te\u0301.jpg".encode()) == "été.jpg"
    assert display_of(b"a\xffb.jpg") == "a\ufffdb.jpg"


def test_links_pipes_and_sockets_are_not_followed(
    database: Database, root: Path, library: Library, tmp_path: Path
) -> None:
    outside = put(tmp_path / "outside" / "secret.jpg")
    (root / "link.jpg").symlink_to(outside)
    (root / "loop").symlink_to(root)
    (root / "out").symlink_to(outside.parent)
    os.mkfifo(root / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(root / "socket.jpg"))
        (root / "folder.jpg").mkdir()
        put(root / "folder.jpg" / "real.jpg")
        found = scan_library(database, library)
    assert paths(found.new) == {b"folder.jpg/real.jpg"}


def test_only_differences_are_reported(database: Database, root: Path, library: Library) -> None:
    for name in ("same.jpg", "touched.jpg", "grown.jpg", "replaced.jpg", "gone.jpg"):
        put(root / name)
    known_library(database, library)
    os.utime(root / "touched.jpg", ns=(1, 1))
    put(root / "grown.jpg", b"more pixels")
    facts = (root / "replaced.jpg").stat()
    put(root / "other", b"PIXELS").rename(root / "replaced.jpg")  # same size, same time
    os.utime(root / "replaced.jpg", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    (root / "gone.jpg").unlink()
    put(root / "new.jpg")
    found = scan_library(database, library)
    assert paths(found.new) == {b"new.jpg"}
    assert paths(found.changed) == {b"touched.jpg", b"grown.jpg", b"replaced.jpg"}
    assert found.absent == [b"gone.jpg"]
    assert found.unchanged == 1


def test_a_link_in_the_place_of_a_file_makes_it_absent(
    database: Database, root: Path, library: Library
) -> None:
    put(root / "a.jpg")
    put(root / "b.jpg")
    known_library(database, library)
    (root / "a.jpg").unlink()
    (root / "a.jpg").symlink_to(root / "b.jpg")
    assert scan_library(database, library).absent == [b"a.jpg"]


def test_a_part_of_a_library_is_scanned_alone_and_is_never_complete(
    database: Database, root: Path, library: Library
) -> None:
    for name in ("a/1.jpg", "a/deep/2.jpg", "ab/3.jpg", "4.jpg"):
        put(root / name)
    known_library(database, library)
    for name in ("a/new.jpg", "ab/new.jpg", "new.jpg"):
        put(root / name)
    (root / "a/deep/2.jpg").unlink()
    found = scan_library(database, library, scope=[b"a"])
    assert paths(found.new) == {b"a/new.jpg"}
    assert found.absent == [b"a/deep/2.jpg"]
    assert not found.complete
    one = scan_library(database, library, scope=[b"new.jpg", b"4.jpg"])
    assert (paths(one.new), one.unchanged, one.absent) == ({b"new.jpg"}, 1, [])
    nested = scan_library(database, library, scope=[b"a/deep", b"a", b"a/new.jpg"])
    assert (paths(nested.new), nested.unchanged) == ({b"a/new.jpg"}, 1)


def test_a_part_that_is_gone_is_absent(database: Database, root: Path, library: Library) -> None:
    put(root / "a/1.jpg")
    put(root / "2.jpg")
    known_library(database, library)
    (root / "a/1.jpg").rename(root / "1.jpg")
    (root / "a").rmdir()
    assert scan_library(database, library, scope=[b"a"]).absent == [b"a/1.jpg"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_an_unreadable_folder_hides_its_files_and_only_its(
    database: Database, root: Path, library: Library
) -> None:
    put(root / "closed/a.jpg")
    put(root / "b.jpg")
    known_library(database, library)
    (root / "b.jpg").unlink()
    (root / "closed").chmod(0)
    try:
        found = scan_library(database, library)
    finally:
        (root / "closed").chmod(0o755)
    assert found.absent == [b"b.jpg"]
    assert "closed/" in found.notes[0]


def test_a_sidecar_that_appears_changes_or_goes_is_reported(
    database: Database, root: Path, library: Library
) -> None:
    put(root / "a.jpg")
    put(root / "b.jpg")
    known_library(database, library)

    def retagged() -> dict[bytes, str | None]:
        return dict(scan_library(database, library).retagged)

    assert retagged() == {}
    put(root / "a.jpg.xmp", b"<x/>")
    put(root / "B.XMP", b"<xx/>")
    found = retagged()
    assert set(found) == {b"a.jpg", b"b.jpg"}
    with database.write() as session:
        session.query(File).filter_by(path=b"a.jpg").update({"sidecar": found[b"a.jpg"]})
    assert set(retagged()) == {b"b.jpg"}
    put(root / "a.jpg.xmp", b"<longer/>")
    assert retagged()[b"a.jpg"] != found[b"a.jpg"]
    (root / "a.jpg.xmp").unlink()
    assert retagged()[b"a.jpg"] is None


def test_unreadable_files_are_looked_at_again_only_on_request(
    database: Database, root: Path, library: Library
) -> None:
    put(root / "broken.jpg")
    known_library(database, library)
    with database.write() as session:
        session.query(File).update({"state": FileState.UNREADABLE})
    assert scan_library(database, library).unchanged == 1
    assert paths(scan_library(database, library, retry=True).changed) == {b"broken.jpg"}


def test_a_root_that_is_gone_is_offline(database: Database, root: Path, library: Library) -> None:
    root.rmdir()
    with pytest.raises(LibraryOffline, match="photos"):
        scan_library(database, library)


def test_an_empty_folder_in_place_of_the_root_is_offline(
    database: Database, root: Path, library: Library, tmp_path: Path
) -> None:
    put(root / "a.jpg")
    known_library(database, library)
    root.rename(tmp_path / "elsewhere")
    root.mkdir()
    with pytest.raises(LibraryOffline, match="another folder"):
        scan_library(database, library)


def test_a_root_that_lost_all_its_files_at_once_is_offline(
    database: Database, root: Path, library: Library
) -> None:
    put(root / "a.jpg")
    known_library(database, library)
    (root / "a.jpg").unlink()
    with pytest.raises(LibraryOffline, match="empty"):
        scan_library(database, library)


def test_strange_files_in_place_of_all_known_ones_are_another_disk(
    database: Database, root: Path, library: Library
) -> None:
    for number in range(6):
        put(root / f"{number}.jpg")
    known_library(database, library)
    for number in range(6):
        (root / f"{number}.jpg").unlink()
        put(root / f"strange {number}.jpg", b"other pixels")
    with pytest.raises(LibraryOffline, match="another disk"):
        scan_library(database, library)


def test_a_root_on_a_new_mount_is_known_by_its_files(
    database: Database, root: Path, library: Library, tmp_path: Path
) -> None:
    for number in range(40):
        put(root / f"{number}.jpg")
    known_library(database, library)
    root.rename(tmp_path / "old disk")
    root.mkdir()
    for number in range(40):
        put(root / f"{number}.jpg")
    assert len(scan_library(database, library).changed) == 40


def test_dam_passes_over_its_own_data(database: Database, tmp_path: Path) -> None:
    put(tmp_path / "home" / "previews" / "preview.jpg")
    put(tmp_path / "a.jpg")
    library = add_library(database, tmp_path)
    assert paths(scan_library(database, library).new) == {b"a.jpg"}


def test_very_deep_folders_are_named_and_do_not_fail_the_scan(
    database: Database, root: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "DEEPEST", 3)
    put(root / "1" / "2" / "3" / "deep.jpg")
    put(root / "1" / "2" / "ok.jpg")
    found = scan_library(database, library)
    assert paths(found.new) == {b"1/2/ok.jpg"}
    assert "3 folders deep" in found.notes[0]


def test_a_stopped_scan_is_not_complete(database: Database, root: Path, library: Library) -> None:
    put(root / "a/1.jpg")
    known_library(database, library)
    found = scan_library(database, library, stop=lambda: True)
    assert not found.complete
