"""From folders to assets and files, with real media, real decoders and a real database."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import unicodedata
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from sqlalchemy import func, select, text

from dam.errors import BadRequest, Conflict, DamError, LibraryOffline, NotFound
from dam.library import ingest, missing
from dam.library.libraries import (
    add_library,
    confirm_missing,
    describe_removal,
    find_library,
    library_statuses,
    list_libraries,
    remove_library,
    unreadable_files,
)
from dam.library.stacks import StackReason
from dam.library.update import update_libraries
from dam.media.metadata import MetadataReader
from dam.media.sandbox import Limits, Sandbox
from dam.tables import (
    Asset,
    File,
    FileState,
    Library,
    LibraryState,
    Run,
    RunState,
    Stack,
    TagDecision,
    TagRow,
    Verdict,
)
from tests.media import BLUE, GREEN, RED, write_clip, write_jpeg
from tests.rows import add_producer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session

    from dam.config import Settings
    from dam.db import Database
    from dam.library.ingest import Counts

EXIFTOOL = shutil.which("exiftool")
needs_exiftool = pytest.mark.skipif(EXIFTOOL is None, reason="ExifTool is not installed")


LIMITS = Limits(timeout_s=30, memory_mb=4096, max_pixels=50_000_000)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(LIMITS) as opened:
        yield opened


@pytest.fixture(scope="module")
def reader() -> Iterator[MetadataReader]:
    with MetadataReader("exiftool", LIMITS) as opened:
        yield opened


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


@pytest.fixture
def index(
    database: Database, settings: Settings, sandbox: Sandbox, reader: MetadataReader, root: Path
) -> Callable[..., Counts]:
    add_library(database, root)

    def update(**options: object) -> Counts:
        return update_libraries(database, settings, sandbox=sandbox, reader=reader, **options)  # type: ignore[arg-type]

    return update


def changes(counts: Counts) -> tuple[int, int, int, int]:
    return counts.new, counts.changed, counts.moved, counts.missing


def ids(database: Database) -> dict[str, str | None]:
    """The asset at every path where a file is."""
    with database.read() as session:
        query = select(File.display, File.asset_id).where(File.state == FileState.PRESENT)
        return dict(session.execute(query).all())


def asset_at(database: Database, display: str) -> Asset:
    with database.read() as session:
        query = select(Asset).join(Asset.files).where(File.display == display)
        return session.scalars(query).one()


def library(database: Database) -> Library:
    return list_libraries(database)[0]


def index_by_hand(database: Database) -> None:
    """One finished run per asset, as if every picture had been looked at."""
    with database.write() as session:
        producer = add_producer(session, "visual")
        for asset in session.scalars(select(Asset)):
            session.add(
                Run(
                    asset_id=asset.id,
                    revision=asset.revision,
                    producer_id=producer.id,
                    state=RunState.DONE,
                )
            )


def unfinished(database: Database) -> int:
    """Assets whose current revision has no finished run: what a model would have to look at."""
    with database.read() as session:
        done = select(Run.id).where(
            Run.asset_id == Asset.id, Run.revision == Asset.revision, Run.state == RunState.DONE
        )
        return session.scalar(select(func.count()).select_from(Asset).where(~done.exists())) or 0


def found_by_words(database: Database, words: str) -> set[str]:
    with database.read() as session:
        query = text(
            "SELECT DISTINCT display FROM texts_words JOIN texts ON texts.id = texts_words.rowid "
            "JOIN files ON files.asset_id = texts.asset_id WHERE texts_words MATCH :words"
        )
        return set(session.scalars(query, {"words": words}))


def write_metadata(path: Path, *tags: str) -> None:
    assert EXIFTOOL
    subprocess.run([EXIFTOOL, "-q", "-overwrite_original", *tags, str(path)], check=True)


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
    database: Database, index: Callable[..., Counts], root: Path, tmp_path: Path
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


def test_media_become_assets_with_their_facts(
    database: Database, index: Callable[..., Counts], root: Path
) -> None:
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
def test_metadata_are_stored_and_searchable(
    database: Database, index: Callable[..., Counts], root: Path
) -> None:
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
    database: Database, index: Callable[..., Counts], root: Path
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
    reasons = {entry.path.name: entry.error for entry in unreadable_files(database)}
    assert set(reasons) == {"broken.jpg", "text.jpg", "empty.jpg", "bomb.png", "cut.mp4"}
    assert "empty" in reasons["empty.jpg"]
    assert "DAM_MAX_PIXELS" in reasons["bomb.png"]
    assert all(reasons.values())
    again = index()
    assert (changes(again), again.unreadable, again.unchanged) == ((0, 0, 0, 0), 5, 2)
    assert library_statuses(database)[0].unreadable == 5


def test_a_broken_file_is_read_again_when_it_changes_or_on_request(
    database: Database, index: Callable[..., Counts], root: Path
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


def find_error(database: Database, display: str) -> str | None:
    with database.read() as session:
        return session.scalars(select(File.error).where(File.display == display)).one()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_tried_again_by_every_scan(
    database: Database, index: Callable[..., Counts], root: Path
) -> None:
    write_jpeg(root / "a.jpg", RED).chmod(0)
    assert index().unreadable == 1
    assert "Permission denied" in str(find_error(database, "a.jpg"))
    (root / "a.jpg").chmod(0o644)
    assert index().new == 1


def test_odd_names_become_assets(
    database: Database, index: Callable[..., Counts], root: Path
) -> None:
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
    database: Database, index: Callable[..., Counts], root: Path,
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
    database: Database, index: Callable[..., Counts], root: Path, monkeypatch: pytest.MonkeyPatch
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


# What happens to files afterwards -----------------------------------------------------------


@pytest.fixture
def indexed(database: Database, index: Callable[..., Counts], root: Path) -> dict[str, str | None]:
    """Five pictures in two folders with decisions, all of them looked at; their ids."""
    for seed, name in enumerate(("a", "b", "trip/c", "trip/d", "e")):
        write_jpeg(root / f"{name}.jpg", (RED, GREEN, BLUE)[seed % 3], seed=seed)
    index()
    index_by_hand(database)
    with database.write() as session:
        for asset_id in session.scalars(select(Asset.id)).all():
            session.add(TagDecision(asset_id=asset_id, word="beach", verdict=Verdict.APPROVED))
    return ids(database)


def decided(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.scalars(select(TagDecision.asset_id)))


def test_nothing_changes_when_nothing_changed(
    database: Database, index: Callable[..., Counts], indexed: dict[str, str | None]
) -> None:
    counts = index()
    assert (changes(counts), counts.unchanged) == ((0, 0, 0, 0), 5)
    assert ids(database) == indexed


def test_renamed_folders_moved_files_and_copies_keep_ids_and_run_nothing(
    database: Database, index: Callable[..., Counts], root: Path, indexed: dict[str, str | None]
) -> None:
    (root / "trip").rename(root / "Journey")
    (root / "deep").mkdir()
    (root / "a.jpg").rename(root / "deep" / "renamed.jpg")
    shutil.copy2(root / "b.jpg", root / "copy.jpg")
    os.utime(root / "e.jpg", ns=(1, 1))
    counts = index()
    assert changes(counts) == (1, 0, 3, 0)
    now = ids(database)
    assert now == {
        "Journey/c.jpg": indexed["trip/c.jpg"],
        "Journey/d.jpg": indexed["trip/d.jpg"],
        "deep/renamed.jpg": indexed["a.jpg"],
        "b.jpg": indexed["b.jpg"],
        "copy.jpg": indexed["b.jpg"],
        "e.jpg": indexed["e.jpg"],
    }
    assert unfinished(database) == 0
    assert decided(database) == set(indexed.values())
    assert found_by_words(database, "journey") == {"Journey/c.jpg", "Journey/d.jpg"}
    assert found_by_words(database, "trip") == set()


def test_swapped_and_respelled_names_keep_ids(
    database: Database, index: Callable[..., Counts], root: Path, indexed: dict[str, str | None]
) -> None:
    (root / "a.jpg").rename(root / "x")
    (root / "b.jpg").rename(root / "a.jpg")
    (root / "x").rename(root / "b.jpg")
    (root / "e.jpg").rename(root / "E.JPG")
    (root / "trip" / "c.jpg").rename(root / "trip" / "caf\u00e9.jpg")
    index()
    (root / "trip" / "caf\u00e9.jpg").rename(
        root / "trip" / unicodedata.normalize("NFD", "caf\u00e9.jpg")
    )
    index()
    now = ids(database)
    assert (now["a.jpg"], now["b.jpg"]) == (indexed["b.jpg"], indexed["a.jpg"])
    assert (now["E.JPG"], now["trip/caf\u00e9.jpg"]) == (indexed["e.jpg"], indexed["trip/c.jpg"])
    assert len(now) == 5
    assert unfinished(database) == 0


@needs_exiftool
def test_a_rating_written_by_exiftool_keeps_id_decisions_and_findings(
    database: Database, index: Callable[..., Counts], root: Path, indexed: dict[str, str | None]
) -> None:
    essence = asset_at(database, "a.jpg").essence_hash
    write_metadata(root / "a.jpg", "-Rating=5", "-XMP:Subject=dune")
    shutil.copy(root / "b.jpg", root / "copy.jpg")
    write_metadata(root / "b.jpg", "-Rating=3")
    shutil.copy(root / "trip" / "c.jpg", root / "rated copy.jpg")
    write_metadata(root / "rated copy.jpg", "-Rating=2")
    (root / "e.jpg").rename(root / "moved.jpg")
    write_metadata(root / "moved.jpg", "-Rating=1")
    counts = index()
    assert changes(counts) == (2, 2, 1, 0)
    now = ids(database)
    assert [now["a.jpg"], now["b.jpg"], now["moved.jpg"]] == [
        indexed["a.jpg"], indexed["b.jpg"], indexed["e.jpg"],
    ]  # fmt: skip
    asset = asset_at(database, "a.jpg")
    assert (asset.rating, asset.revision, asset.essence_hash) == (5, 2, essence)
    assert asset_at(database, "moved.jpg").rating == 1
    assert unfinished(database) == 0
    assert found_by_words(database, "dune") == {"a.jpg"}


def test_an_edit_in_place_keeps_id_and_decisions_and_is_looked_at_again(
    database: Database, index: Callable[..., Counts], root: Path, indexed: dict[str, str | None]
) -> None:
    write_jpeg(root / "a.jpg", BLUE, seed=99)
    write_jpeg(root / ".b.tmp.jpg", BLUE, seed=98).replace(root / "b.jpg")
    counts = index()
    assert changes(counts) == (0, 2, 0, 0)
    assert ids(database) == indexed
    assert asset_at(database, "a.jpg").revision == 2
    assert unfinished(database) == 2
    assert decided(database) == set(indexed.values())


def test_a_deleted_file_is_missing_and_keeps_everything_until_it_returns(
    database: Database, index: Callable[..., Counts], root: Path, indexed: dict[str, str | None]
) -> None:
    kept = (root / "a.jpg").rename(root.parent / "kept.jpg")
    assert changes(index()) == (0, 0, 0, 1)
    assert "a.jpg" not in ids(database)
    assert asset_at(database, "a.jpg").id == indexed["a.jpg"]
    assert changes(index()) == (0, 0, 0, 0)
    kept.rename(root / "trip" / "back.jpg")
    assert changes(index()) == (0, 0, 1, 0)
    assert ids(database)["trip/back.jpg"] == indexed["a.jpg"]
    assert unfinished(database) == 0


def test_a_file_that_broke_keeps_its_asset_until_it_is_whole_again(
    database: Database, index: Callable[..., Counts], root: Path, indexed: dict[str, str | None]
) -> None:
    whole = (root / "a.jpg").read_bytes()
    (root / "a.jpg").write_bytes(b"")
    assert index().unreadable == 1
    (root / "a.jpg").write_bytes(whole)
    counts = index()
    assert (changes(counts), counts.unreadable) == ((0, 1, 0, 0), 0)
    assert ids(database) == indexed
    assert unfinished(database) == 0


def test_sidecars_change_metadata_and_nothing_else(
    database: Database, index: Callable[..., Counts], root: Path, indexed: dict[str, str | None]
) -> None:
    sidecar = root / "a.jpg.xmp"
    for rating in (4, 2):
        sidecar.write_text(
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
            'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
            'xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
            f'xmp:Rating="{rating}"/></rdf:RDF></x:xmpmeta>'
        )
        os.utime(sidecar, ns=(rating, rating))
        assert changes(index()) == (0, 1, 0, 0)
        assert asset_at(database, "a.jpg").rating == rating
    assert changes(index()) == (0, 0, 0, 0)
    (root / "a.jpg").rename(root / "trip" / "a.jpg")
    sidecar.rename(root / "trip" / "a.jpg.xmp")
    assert changes(index()) == (0, 0, 1, 0)
    (root / "trip" / "a.jpg.xmp").unlink()
    index()
    asset = asset_at(database, "trip/a.jpg")
    assert (asset.rating, asset.revision) == (None, 1)
    assert unfinished(database) == 0


def test_a_sidecar_beside_an_edited_file_is_read_once(
    database: Database, index: Callable[..., Counts], root: Path, indexed: dict[str, str | None]
) -> None:
    write_jpeg(root / "a.jpg", BLUE, seed=77)
    (root / "a.jpg.xmp").write_text("no XMP at all")
    assert changes(index()) == (0, 1, 0, 0)
    assert changes(index()) == (0, 0, 0, 0)


# Libraries that are not quite there ---------------------------------------------------------


def test_an_unmounted_library_is_offline_and_loses_nothing(
    database: Database, index: Callable[..., Counts], root: Path, indexed: dict[str, str | None]
) -> None:
    away = root.rename(root.parent / "away")
    assert "cannot be opened" in index().notes[0]
    assert library(database).state == LibraryState.OFFLINE
    root.mkdir()  # an empty mount point
    assert index().missing == 0
    assert library(database).state == LibraryState.OFFLINE
    assert ids(database) == indexed
    root.rmdir()
    away.rename(root)
    counts = index()
    assert (changes(counts), counts.unchanged) == ((0, 0, 0, 0), 5)
    assert (library(database).state, library(database).state_reason) == (LibraryState.ONLINE, None)
    assert unfinished(database) == 0


def test_many_files_that_vanish_at_once_suspend_the_library_until_confirmed(
    database: Database, index: Callable[..., Counts], root: Path, monkeypatch: pytest.MonkeyPatch,
    indexed: dict[str, str | None],
) -> None:  # fmt: skip
    monkeypatch.setattr(missing, "ALWAYS_ALLOWED", 1)
    (root / "trip").rename(root.parent / "away")
    write_jpeg(root / "new.jpg", RED, seed=50)
    counts = index()
    assert changes(counts) == (1, 0, 0, 0)
    assert library(database).state == LibraryState.SUSPENDED
    assert "dam library confirm" in str(library(database).state_reason)
    assert set(indexed) <= set(ids(database))
    assert confirm_missing(database, "photos") == 2
    assert library(database).state == LibraryState.ONLINE
    assert "trip/c.jpg" not in ids(database)
    (root.parent / "away").rename(root / "trip")
    index()
    assert {name: ids(database)[name] for name in indexed} == indexed
    assert decided(database) == set(indexed.values())


def test_a_suspended_library_recovers_when_its_files_are_back(
    database: Database, index: Callable[..., Counts], root: Path, monkeypatch: pytest.MonkeyPatch,
    indexed: dict[str, str | None],
) -> None:  # fmt: skip
    monkeypatch.setattr(missing, "ALWAYS_ALLOWED", 1)
    (root / "trip").rename(root.parent / "away")
    index()
    (root.parent / "away").rename(root / "trip")
    assert changes(index()) == (0, 0, 0, 0)
    assert library(database).state == LibraryState.ONLINE


def test_a_renamed_folder_of_any_size_does_not_suspend(
    database: Database, index: Callable[..., Counts], root: Path, monkeypatch: pytest.MonkeyPatch,
    indexed: dict[str, str | None],
) -> None:  # fmt: skip
    monkeypatch.setattr(missing, "ALWAYS_ALLOWED", 0)
    (root / "all").mkdir()
    for name in ("a.jpg", "b.jpg", "e.jpg", "trip"):
        (root / name).rename(root / "all" / name)
    assert changes(index()) == (0, 0, 5, 0)
    assert library(database).state == LibraryState.ONLINE


def test_confirming_an_emptied_library_marks_its_files_missing(
    database: Database, index: Callable[..., Counts], root: Path, indexed: dict[str, str | None]
) -> None:
    shutil.rmtree(root)
    with pytest.raises(LibraryOffline):
        confirm_missing(database, "photos")
    root.mkdir()
    index()
    assert confirm_missing(database, "photos") == 5
    assert changes(index()) == (0, 0, 0, 0)
    assert library(database).state == LibraryState.ONLINE


# Parts of libraries, stops ------------------------------------------------------------------


def test_only_the_named_paths_are_looked_at(
    database: Database, index: Callable[..., Counts], root: Path, indexed: dict[str, str | None],
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
    database: Database, index: Callable[..., Counts], root: Path, indexed: dict[str, str | None]
) -> None:
    (root / "trip" / "c.jpg").rename(root / "c.jpg")
    assert changes(index(paths=[root / "c.jpg"])) == (0, 0, 1, 0)
    assert ids(database)["c.jpg"] == indexed["trip/c.jpg"]


def test_paths_that_cannot_be_indexed_are_refused_with_the_way_out(
    index: Callable[..., Counts], root: Path, tmp_path: Path
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
    database: Database, index: Callable[..., Counts], root: Path, monkeypatch: pytest.MonkeyPatch
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
    database: Database, index: Callable[..., Counts], root: Path
) -> None:
    write_jpeg(root / "a.jpg", RED)
    write_clip(root / "b.mp4", [RED])
    before = {path: path.stat() for path in (root, *root.iterdir())}
    index()
    assert {path: path.stat().st_mtime_ns for path in (root, *root.iterdir())} == {
        path: facts.st_mtime_ns for path, facts in before.items()
    }


# Stacks -------------------------------------------------------------------------------------


def stacked(session: Session) -> list[tuple[str, str, set[str]]]:
    """(reason, cover, members) by file name."""
    names = dict(session.execute(select(File.asset_id, File.display)).all())
    return [
        (
            stack.reason,
            names[stack.cover_id],
            {names[a] for a in session.scalars(select(Asset.id).where(Asset.stack_id == stack.id))},
        )
        for stack in session.scalars(select(Stack).order_by(Stack.reason))
    ]


def test_live_photos_and_raw_pairs_are_stacked_and_stay_level(
    database: Database, index: Callable[..., Counts], root: Path
) -> None:
    write_jpeg(root / "IMG_1.jpg", RED, seed=1)
    write_clip(root / "IMG_1.mov", [RED], seconds_each=2)
    write_jpeg(root / "IMG_2.jpg", RED, seed=2)
    write_clip(root / "IMG_2.mov", [RED, BLUE, GREEN], seconds_each=2)  # no Live Photo lasts 6 s
    write_jpeg(root / "IMG_10.jpg", RED, seed=3)
    index()
    with database.read() as session:
        assert stacked(session) == [
            (StackReason.LIVE_PHOTO, "IMG_1.jpg", {"IMG_1.jpg", "IMG_1.mov"})
        ]
    (root / "IMG_1.mov").rename(root / "IMG_10.mov")
    index()
    with database.read() as session:
        assert stacked(session) == [
            (StackReason.LIVE_PHOTO, "IMG_10.jpg", {"IMG_10.jpg", "IMG_10.mov"})
        ]
    (root / "IMG_10.jpg").unlink()
    index()
    with database.read() as session:
        assert stacked(session) == []
