"""What becomes of files that move, change, go and come back: ids, decisions and findings stay."""

from __future__ import annotations

import os
import shutil
import unicodedata
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from dam.errors import LibraryOffline
from dam.library import missing
from dam.library.libraries import (
    confirm_missing,
)
from dam.library.stacks import StackReason
from dam.tables import (
    Asset,
    File,
    LibraryState,
    Stack,
)
from tests.library_world import (
    asset_at,
    changes,
    decided,
    found_by_words,
    ids,
    library,
    needs_exiftool,
    unfinished,
    write_metadata,
)
from tests.media import BLUE, GREEN, RED, write_clip, write_jpeg

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from dam.db import Database
    from tests.library_world import Ids, Index


# What happens to files afterwards -----------------------------------------------------------


def test_nothing_changes_when_nothing_changed(
    database: Database, index: Index, indexed: Ids
) -> None:
    counts = index()
    assert (changes(counts), counts.unchanged) == ((0, 0, 0, 0), 5)
    assert ids(database) == indexed


def test_renamed_folders_moved_files_and_copies_keep_ids_and_run_nothing(
    database: Database, index: Index, root: Path, indexed: Ids
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
    database: Database, index: Index, root: Path, indexed: Ids
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
    database: Database, index: Index, root: Path, indexed: Ids
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
    database: Database, index: Index, root: Path, indexed: Ids
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
    database: Database, index: Index, root: Path, indexed: Ids
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
    database: Database, index: Index, root: Path, indexed: Ids
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
    database: Database, index: Index, root: Path, indexed: Ids
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
    database: Database, index: Index, root: Path, indexed: Ids
) -> None:
    write_jpeg(root / "a.jpg", BLUE, seed=77)
    (root / "a.jpg.xmp").write_text("no XMP at all")
    assert changes(index()) == (0, 1, 0, 0)
    assert changes(index()) == (0, 0, 0, 0)


# Libraries that are not quite there ---------------------------------------------------------


def test_an_unmounted_library_is_offline_and_loses_nothing(
    database: Database, index: Index, root: Path, indexed: Ids
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
    database: Database, index: Index, root: Path, monkeypatch: pytest.MonkeyPatch,
    indexed: Ids,
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
    database: Database, index: Index, root: Path, monkeypatch: pytest.MonkeyPatch,
    indexed: Ids,
) -> None:  # fmt: skip
    monkeypatch.setattr(missing, "ALWAYS_ALLOWED", 1)
    (root / "trip").rename(root.parent / "away")
    index()
    (root.parent / "away").rename(root / "trip")
    assert changes(index()) == (0, 0, 0, 0)
    assert library(database).state == LibraryState.ONLINE


def test_a_renamed_folder_of_any_size_does_not_suspend(
    database: Database, index: Index, root: Path, monkeypatch: pytest.MonkeyPatch,
    indexed: Ids,
) -> None:  # fmt: skip
    monkeypatch.setattr(missing, "ALWAYS_ALLOWED", 0)
    (root / "all").mkdir()
    for name in ("a.jpg", "b.jpg", "e.jpg", "trip"):
        (root / name).rename(root / "all" / name)
    assert changes(index()) == (0, 0, 5, 0)
    assert library(database).state == LibraryState.ONLINE


def test_confirming_an_emptied_library_marks_its_files_missing(
    database: Database, index: Index, root: Path, indexed: Ids
) -> None:
    shutil.rmtree(root)
    with pytest.raises(LibraryOffline):
        confirm_missing(database, "photos")
    root.mkdir()
    index()
    assert confirm_missing(database, "photos") == 5
    assert changes(index()) == (0, 0, 0, 0)
    assert library(database).state == LibraryState.ONLINE


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
    database: Database, index: Index, root: Path
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
