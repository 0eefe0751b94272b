"""From folders to assets and files, with real media, real decoders and a real database."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from sqlalchemy import select

from dam.errors import BadRequest, Conflict, DamError, NotFound
from dam.indexing.troubles import read_troubles
from dam.library import ingest
from dam.library.libraries import (
    add_library,
    describe_removal,
    find_library,
    library_statuses,
    list_libraries,
    remove_library,
)
from dam.tables import (
    Asset,
    File,
    TagDecision,
    TagRow,
    Verdict,
)
from tests.library_world import (
    asset_at,
    changes,
    find_error,
    found_by_words,
    ids,
    library,
    needs_exiftool,
    write_metadata,
)
from tests.media import BLUE, GREEN, RED, write_clip, write_jpeg

if TYPE_CHECKING:
    from dam.config import Settings
    from dam.db import Database
    from tests.library_world import Ids, Index


# Adding and removing libraries --------------------------------------------------------------


def test_a_library_is_named_after_its_folder_or_as_told(database: Database, tmp_path: Path) -> None:
    for folder in ("a/photos", "b/photos", "c"):
        (tmp_path / folder).mkdir(parents=True)
    added = [
        add_library(database, tmp_path / folder, name)
        for folder, name in (("a/photos", None), ("b/photos", None), ("c", "Holidays"))
    ]
    assert [entry.name for entry in added] == ["photos", "photos 2", "Holidays"]
    assert find_library(database, "Holidays").id == find_library(database, added[2].id).id
    assert find_library(database, str(tmp_path / "c")).name == "Holidays"
    with pytest.raises(NotFound, match="Holidays, photos, photos 2"):
        find_library(database, "nowhere")


def test_what_cannot_be_a_library_is_refused_with_its_reason(
    database: Database, settings: Settings, root: Path, tmp_path: Path
) -> None:
    (root / "inner").mkdir()
    (tmp_path / "file.jpg").touch()
    (tmp_path / "link").symlink_to(root)
    add_library(database, root, "mine")

    def refusal(path: Path, name: str | None = None) -> DamError:
        with pytest.raises(DamError) as refused:
            add_library(database, path, name)
        return refused.value

    assert isinstance(refusal(root), Conflict)
    assert "already the library “mine”" in str(refusal(tmp_path / "link"))
    assert "inside the library “mine”" in str(refusal(root / "inner"))
    assert "“mine”" in str(refusal(tmp_path))
    assert isinstance(refusal(tmp_path / "nowhere"), NotFound)
    assert "is a file" in str(refusal(tmp_path / "file.jpg"))
    assert "DAM_HOME" in str(refusal(settings.home))
    (tmp_path / "other").mkdir()
    assert isinstance(refusal(tmp_path / "other", "mine"), Conflict)
    assert len(list_libraries(database)) == 1


def test_removing_a_library_forgets_all_but_decisions_and_other_places(
    database: Database, index: Index, root: Path, tmp_path: Path
) -> None:
    originals = [
        write_jpeg(root / f"{name}.jpg", RED, seed=n)
        for n, name in enumerate(("plain", "decided", "elsewhere"))
    ]
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(originals[2], other / "copy.jpg")
    add_library(database, other)
    index()
    before = ids(database)
    with database.write() as session:
        decided = before["decided.jpg"]
        session.add(TagDecision(asset_id=decided, word="beach", verdict=Verdict.APPROVED))
    described = describe_removal(database, "photos")
    assert (described.files, described.assets_removed, described.assets_kept) == (3, 1, 1)
    assert remove_library(database, "photos") == described
    with database.read() as session:
        assert set(session.scalars(select(Asset.id))) == {decided, before["elsewhere.jpg"]}
    assert all(original.is_file() for original in originals)
    add_library(database, root)
    index()
    assert ids(database)["decided.jpg"] == decided


# New files ----------------------------------------------------------------------------------


def test_media_become_assets_with_their_facts(database: Database, index: Index, root: Path) -> None:
    write_jpeg(root / "trip" / "IMG_2041_beach-sunset.jpg", RED)
    write_clip(root / "clip.mp4", [RED, BLUE])
    (root / "notes.txt").write_text("not media")
    assert changes(index()) == (2, 0, 0, 0)
    photo, clip = (
        asset_at(database, "trip/IMG_2041_beach-sunset.jpg"),
        asset_at(database, "clip.mp4"),
    )
    assert (photo.kind, photo.format, photo.width_px, photo.height_px) == (
        "photo",
        "jpeg",
        320,
        240,
    )
    assert (clip.kind, clip.has_audio) == ("video", False)
    assert clip.duration_us is not None
    assert 3_500_000 < clip.duration_us < 4_500_000
    assert library(database).scans == 1
    for words in ("beach", "sunset", "2041", "trip", "beach trip"):
        expected = {"trip/IMG_2041_beach-sunset.jpg"} if words != "beach trip" else set()
        assert found_by_words(database, words) == expected


@needs_exiftool
def test_metadata_are_stored_and_searchable(database: Database, index: Index, root: Path) -> None:
    write_metadata(
        write_jpeg(root / "a.jpg", RED), "-XMP:Title=Harbour", "-XMP:Description=Two boats",
        "-XMP:Subject=mole", "-XMP:Subject=ferry", "-Make=Canon", "-Model=Canon EOS R5",
        "-Rating=4",
        "-GPSLatitude=48.8584", "-GPSLatitudeRef=N", "-GPSLongitude=2.2945", "-GPSLongitudeRef=E",
        "-DateTimeOriginal=2023:05:01 10:00:00", "-OffsetTimeOriginal=+02:00",
    )  # fmt: skip
    index()
    asset = asset_at(database, "a.jpg")
    assert (asset.title, asset.rating, asset.camera) == ("Harbour", 4, "Canon EOS R5")
    assert (asset.captured_local, asset.captured_offset_min) == ("2023-05-01T10:00:00", 120)
    for word in ("harbour", "boats", "ferry", "canon", "france"):
        assert found_by_words(database, word) == {"a.jpg"}
    with database.read() as session:
        assert set(session.scalars(select(TagRow.word))) == {"mole", "ferry"}


def test_broken_files_are_named_with_their_reason_and_all_else_is_taken(
    database: Database, index: Index, root: Path
) -> None:
    write_jpeg(root / "good.jpg", RED)
    (root / "broken.jpg").write_bytes((root / "good.jpg").read_bytes()[:60])
    (root / "text.jpg").write_text("these are words, no picture")
    (root / "empty.jpg").touch()
    Image.new("1", (10_000, 10_000)).save(root / "bomb.png")
    write_clip(root / "whole.mp4", [RED])
    (root / "cut.mp4").write_bytes((root / "whole.mp4").read_bytes()[:2000])
    counts = index()
    assert (counts.new, counts.unreadable) == (2, 5)
    reasons = {Path(trouble.path).name: trouble.reason for trouble in read_troubles(database)}
    assert set(reasons) == {"broken.jpg", "text.jpg", "empty.jpg", "bomb.png", "cut.mp4"}
    assert "empty" in reasons["empty.jpg"]
    assert "DAM_MAX_PIXELS" in reasons["bomb.png"]
    assert all(reasons.values())
    again = index()
    assert (changes(again), again.unreadable, again.unchanged) == ((0, 0, 0, 0), 5, 2)
    assert library_statuses(database)[0].unreadable == 5


def test_a_broken_file_is_read_again_when_it_changes_or_on_request(
    database: Database, index: Index, root: Path
) -> None:
    good = write_jpeg(root.parent / "good.jpg", RED).read_bytes()
    (root / "a.jpg").write_bytes(good[:60])
    index()
    first = find_error(database, "a.jpg")
    index(retry=True)
    assert find_error(database, "a.jpg") == first
    (root / "a.jpg").write_bytes(good)
    counts = index()
    assert (counts.new, counts.unreadable) == (1, 0)
    assert find_error(database, "a.jpg") is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_tried_again_by_every_scan(
    database: Database, index: Index, root: Path
) -> None:
    write_jpeg(root / "a.jpg", RED).chmod(0)
    assert index().unreadable == 1
    assert "Permission denied" in str(find_error(database, "a.jpg"))
    (root / "a.jpg").chmod(0o644)
    assert index().new == 1


def test_odd_names_become_assets(database: Database, index: Index, root: Path) -> None:
    names = [
        b"new\nline.jpg", b"-rf.jpg", b"trailing.jpg|", b"not-utf8-\xff.jpg", b"x" * 251 + b".jpg",
        "nfd-e\u0301.jpg".encode(), "rtl-\u202egnp.jpg".encode(), b"  spaces  .jpg", b"#hash?.jpg",
    ]  # fmt: skip
    for seed, name in enumerate(names):
        picture = write_jpeg(root.parent / "picture.jpg", RED, seed=seed)
        picture.rename(root / os.fsdecode(name))
    counts = index()
    assert (counts.new, counts.unreadable) == (len(names), 0)
    with database.read() as session:
        assert set(session.scalars(select(File.path))) == set(names)
        assert "nfd-\u00e9.jpg" in set(session.scalars(select(File.display)))


def test_a_bug_while_one_file_is_read_costs_only_this_file(
    database: Database, index: Index, root: Path,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    write_jpeg(root / "good.jpg", RED)
    write_jpeg(root / "odd.jpg", GREEN)
    real = ingest.essence_hash

    def buggy(path: Path, *rest: object) -> str:
        if path.name == "odd.jpg":
            raise ZeroDivisionError("by accident")
        return real(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(ingest, "essence_hash", buggy)
    with caplog.at_level(logging.WARNING):
        assert (index().new, find_error(database, "odd.jpg")) == (
            1, "Unexpected ZeroDivisionError: by accident",
        )  # fmt: skip
    assert "odd.jpg" in caplog.text


def test_a_file_that_grows_while_it_is_read_is_left_to_the_next_scan(
    database: Database, index: Index, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = write_jpeg(root.parent / "whole.jpg", RED).read_bytes()
    growing = root / "growing.jpg"
    growing.write_bytes(whole[:-100])
    real = ingest.hash_file

    def hash_and_grow(root_fd: int, seen: ingest.Seen) -> str:
        digest = real(root_fd, seen)
        growing.write_bytes(whole)
        return digest

    monkeypatch.setattr(ingest, "hash_file", hash_and_grow)
    assert (changes(index()), ids(database)) == ((0, 0, 0, 0), {})
    monkeypatch.undo()
    assert index().new == 1


# Parts of libraries, stops ------------------------------------------------------------------


def test_only_the_named_paths_are_looked_at(
    database: Database, index: Index, root: Path, indexed: Ids,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for seed, name in enumerate(("new.jpg", "trip/new.jpg", "other/new.jpg")):
        write_jpeg(root / name, RED, seed=60 + seed)
    (root / "a.jpg").unlink()
    monkeypatch.chdir(root)
    assert changes(index(paths=[root / "trip", (root / "new.jpg").relative_to(root)])) == (
        2,
        0,
        0,
        0,
    )
    assert "a.jpg" in ids(database)
    assert changes(index(paths=[root])) == (1, 0, 0, 1)


def test_a_move_between_named_folders_is_recognised(
    database: Database, index: Index, root: Path, indexed: Ids
) -> None:
    (root / "trip" / "c.jpg").rename(root / "c.jpg")
    assert changes(index(paths=[root / "c.jpg"])) == (0, 0, 1, 0)
    assert ids(database)["c.jpg"] == indexed["trip/c.jpg"]


def test_paths_that_cannot_be_indexed_are_refused_with_the_way_out(
    index: Index, root: Path, tmp_path: Path
) -> None:
    (root / "notes.txt").touch()
    (root / ".git").mkdir()
    (root / "link.jpg").symlink_to(root / "notes.txt")
    with pytest.raises(BadRequest, match="dam library add"):
        index(paths=[tmp_path])
    with pytest.raises(NotFound):
        index(paths=[root / "nowhere.jpg"])
    for name in ("notes.txt", ".git", "link.jpg"):
        with pytest.raises(BadRequest):
            index(paths=[root / name])


def test_a_stop_loses_nothing_and_the_next_update_goes_on(
    database: Database, index: Index, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "BATCH_FILES", 2)
    for seed in range(6):
        write_jpeg(root / f"{seed}.jpg", RED, seed=seed)
    seen: list[int] = []
    first = index(on_progress=lambda counts: seen.append(counts.new), stop=lambda: bool(seen))
    assert (first.new, seen, len(ids(database))) == (2, [2], 2)
    assert library(database).scans == 0
    second = index()
    assert (second.new, second.unchanged) == (4, 2)
    assert library(database).scans == 1


def test_an_update_opens_nothing_below_the_root_for_writing(
    database: Database, index: Index, root: Path
) -> None:
    write_jpeg(root / "a.jpg", RED)
    write_clip(root / "b.mp4", [RED])
    before = {path: path.stat() for path in (root, *root.iterdir())}
    index()
    assert {path: path.stat().st_mtime_ns for path in (root, *root.iterdir())} == {
        path: facts.st_mtime_ns for path, facts in before.items()
    }
