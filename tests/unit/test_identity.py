"""Every row of the table in `dam.library.identity`, without files: bytes are just names here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from dam.contracts import Kind, Vector
from dam.decisions import TABLES
from dam.library.identity import Change, Content, Identity, Placement
from dam.library.walk import Seen
from dam.store import load_findings
from dam.tables import (
    Asset,
    Base,
    FaceDecision,
    FaceVerdict,
    File,
    FileState,
    LineEdit,
    ProducerRow,
    Revision,
    Run,
    RunState,
    SpaceRow,
    TagDecision,
    VectorRow,
    Verdict,
)
from tests.rows import add_library, add_producer, add_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session

    from dam.db import Database


def fill(asset: Asset) -> None:
    asset.kind, asset.format = Kind.PHOTO, "jpeg"


class Scans:
    """Places files as ingest does, with the vanished ones given by path."""

    def __init__(self, session: Session, library_id: str) -> None:
        self.session = session
        self.library_id = library_id
        self.gone: set[bytes] = set()
        self._inode = 0

    def place(
        self, path: str, content: str, essence: str | None = None, inode: int | None = None
    ) -> Placement:
        self._inode += 1
        seen = Seen(path.encode(), 1, len(content), inode or self._inode, 1, None)
        identity = Identity(self.session, self.library_id, self.is_gone)
        placement = identity.place_known(seen, content) or identity.place_unknown(
            seen,
            Content(content, essence or f"shows {content}", len(content)),
            fill,
            is_last=True,
        )
        assert placement is not None
        return placement

    def is_gone(self, file: File) -> bool:
        return file.path in self.gone or file.state == FileState.MISSING

    def indexed(self, asset: Asset, producer: ProducerRow) -> Run:
        run = add_run(self.session, asset, producer)
        run.state = RunState.DONE
        self.session.flush()
        return run

    def runs(self, asset: Asset) -> list[int]:
        """The revisions that were indexed."""
        return list(self.session.scalars(select(Run.revision).where(Run.asset_id == asset.id)))

    def paths(self, asset: Asset) -> list[bytes]:
        query = select(File.path).where(File.asset_id == asset.id).order_by(File.path)
        return list(self.session.scalars(query))


@pytest.fixture
def scans(database: Database, tmp_path: Path) -> Iterator[Scans]:
    with database.write() as session:
        yield Scans(session, add_library(session, tmp_path / "photos").id)


@pytest.fixture
def producer(scans: Scans) -> ProducerRow:
    return add_producer(scans.session, "visual")


def decide(scans: Scans, asset: Asset, word: str) -> None:
    scans.session.add(TagDecision(asset_id=asset.id, word=word, verdict=Verdict.APPROVED))
    scans.session.flush()


def decisions(scans: Scans, asset: Asset) -> set[str]:
    query = select(TagDecision.word).where(TagDecision.asset_id == asset.id)
    return set(scans.session.scalars(query))


def test_no_table_of_decisions_about_an_asset_is_forgotten() -> None:
    """Neither when its library goes, nor when a changed copy becomes an asset of its own."""
    deciding = {
        mapper.class_
        for mapper in Base.registry.mappers
        if {"asset_id", "decided_us"} <= set(mapper.columns.keys())
    }
    assert deciding == set(TABLES)


def test_unknown_bytes_at_a_new_path_are_a_new_asset(scans: Scans) -> None:
    first, second = scans.place("a.jpg", "A"), scans.place("b.jpg", "B")
    assert first.asset.id != second.asset.id
    assert (first.change, first.is_new_content) == (Change.NEW, True)
    assert (first.asset.revision, first.asset.content_hash) == (1, "A")


def test_a_touched_file_is_unchanged(scans: Scans, producer: ProducerRow) -> None:
    before = scans.place("a.jpg", "A")
    scans.indexed(before.asset, producer)
    again = scans.place("a.jpg", "A")
    assert (again.file.id, again.asset.id) == (before.file.id, before.asset.id)
    assert (again.change, again.is_new_content, again.asset.revision) == (
        Change.UNCHANGED, False, 1,
    )  # fmt: skip
    assert scans.runs(again.asset) == [1]


def test_a_missing_file_that_is_back_is_the_same(scans: Scans) -> None:
    before = scans.place("a.jpg", "A")
    before.file.state = FileState.MISSING
    again = scans.place("a.jpg", "A")
    assert (again.file.id, again.asset.id) == (before.file.id, before.asset.id)
    assert again.file.state == FileState.PRESENT


def test_a_moved_file_keeps_its_row_and_its_asset(scans: Scans) -> None:
    before = scans.place("a.jpg", "A")
    scans.gone = {b"a.jpg"}
    moved = scans.place("trip/b.jpg", "A")
    assert (moved.change, moved.is_new_content) == (Change.MOVED, False)
    assert (moved.file.id, moved.asset.id) == (before.file.id, before.asset.id)
    assert scans.paths(moved.asset) == [b"trip/b.jpg"]


def test_a_file_that_was_missing_for_long_is_found_by_its_content(scans: Scans) -> None:
    before = scans.place("a.jpg", "A")
    before.file.state = FileState.MISSING
    assert scans.place("b.jpg", "A").file.id == before.file.id


def test_a_copy_is_a_second_file_of_the_asset(scans: Scans, producer: ProducerRow) -> None:
    before = scans.place("a.jpg", "A")
    scans.indexed(before.asset, producer)
    copy = scans.place("b.jpg", "A")
    assert (copy.change, copy.asset.id) == (Change.NEW, before.asset.id)
    assert scans.paths(copy.asset) == [b"a.jpg", b"b.jpg"]
    assert scans.runs(copy.asset) == [1]


def test_of_two_copies_that_moved_each_is_recognised_by_its_inode(scans: Scans) -> None:
    first = scans.place("1/a.jpg", "A", inode=100)
    second = scans.place("2/a.jpg", "A", inode=200)
    scans.gone = {b"1/a.jpg", b"2/a.jpg"}
    assert scans.place("3/a.jpg", "A", inode=200).file.id == second.file.id
    assert scans.place("4/a.jpg", "A", inode=100).file.id == first.file.id


def test_a_moved_file_of_which_a_copy_was_made_is_both(scans: Scans) -> None:
    before = scans.place("a.jpg", "A")
    scans.gone = {b"a.jpg"}
    changes = [scans.place(path, "A").change for path in ("b.jpg", "c.jpg")]
    assert changes == [Change.MOVED, Change.NEW]
    assert scans.paths(before.asset) == [b"b.jpg", b"c.jpg"]


def test_swapped_files_keep_their_assets(scans: Scans) -> None:
    a, b = scans.place("a.jpg", "A").asset, scans.place("b.jpg", "B").asset
    scans.place("a.jpg", "B")
    scans.place("b.jpg", "A")
    assert (scans.paths(a), scans.paths(b)) == ([b"b.jpg"], [b"a.jpg"])
    assert (a.revision, b.revision) == (1, 1)


def test_names_that_moved_up_by_one_keep_their_assets(scans: Scans) -> None:
    a, b, c = (scans.place(f"{n}.jpg", content).asset for n, content in enumerate("ABC"))
    scans.gone = {b"0.jpg"}
    changes = [
        scans.place(f"{n}.jpg", content).change for n, content in ((3, "C"), (1, "A"), (2, "B"))
    ]
    assert [scans.paths(asset) for asset in (a, b, c)] == [[b"1.jpg"], [b"2.jpg"], [b"3.jpg"]]
    assert Change.NEW not in changes[1:]


def test_a_file_moved_over_another_leaves_the_other_asset_without_files(scans: Scans) -> None:
    a, b = scans.place("a.jpg", "A").asset, scans.place("b.jpg", "B").asset
    decide(scans, a, "beach")
    scans.gone = {b"b.jpg"}
    moved = scans.place("a.jpg", "B")
    assert (moved.change, moved.former_asset_id) == (Change.MOVED, a.id)
    assert (scans.paths(a), scans.paths(b)) == ([], [b"a.jpg"])
    assert decisions(scans, a) == {"beach"}
    assert scans.place("restored.jpg", "A").asset.id == a.id


def test_a_rating_written_by_another_program_keeps_the_findings(
    scans: Scans, producer: ProducerRow
) -> None:
    before = scans.place("a.jpg", "A", "sunset").asset
    decide(scans, before, "beach")
    run = scans.indexed(before, producer)
    edit = scans.place("a.jpg", "A rated", "sunset")
    assert (edit.change, edit.is_new_content, edit.asset.id) == (Change.CHANGED, True, before.id)
    assert edit.asset.revision == 2
    scans.session.refresh(run)
    assert (run.revision, run.state) == (2, RunState.DONE)
    assert decisions(scans, edit.asset) == {"beach"}
    numbers = select(Revision.number, Revision.content_hash).where(Revision.asset_id == before.id)
    assert scans.session.execute(numbers).all() == [(1, "A"), (2, "A rated")]


def test_a_rating_written_into_one_of_two_copies_keeps_both_with_the_asset(
    scans: Scans, producer: ProducerRow
) -> None:
    asset = scans.place("a.jpg", "A", "sunset").asset
    scans.place("b.jpg", "A", "sunset")
    scans.indexed(asset, producer)
    edit = scans.place("a.jpg", "A rated", "sunset")
    assert edit.asset.id == asset.id
    assert scans.paths(asset) == [b"a.jpg", b"b.jpg"]
    assert scans.runs(asset) == [2]


def test_an_edited_picture_keeps_id_and_decisions_and_loses_its_findings(
    scans: Scans, producer: ProducerRow
) -> None:
    before = scans.place("a.jpg", "A").asset
    before.thumbhash = b"old"
    decide(scans, before, "beach")
    scans.indexed(before, producer)
    edit = scans.place("a.jpg", "A cropped")
    assert (edit.asset.id, edit.asset.revision, edit.asset.thumbhash) == (before.id, 2, None)
    assert decisions(scans, edit.asset) == {"beach"}
    assert scans.runs(edit.asset) == []


def test_an_edit_of_one_of_two_copies_is_a_new_asset_with_the_decisions(
    scans: Scans, producer: ProducerRow
) -> None:
    asset = scans.place("a.jpg", "A").asset
    scans.place("b.jpg", "A")
    decide(scans, asset, "beach")
    box = {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}
    scans.session.add(FaceDecision(asset_id=asset.id, verdict=FaceVerdict.DRAWN, **box))
    scans.session.add(LineEdit(asset_id=asset.id, start_us=0, end_us=9, text="Hello"))
    scans.indexed(asset, producer)
    edit = scans.place("b.jpg", "A cropped")
    assert (edit.change, edit.former_asset_id) == (Change.CHANGED, asset.id)
    assert (scans.paths(asset), scans.paths(edit.asset)) == ([b"a.jpg"], [b"b.jpg"])
    assert decisions(scans, asset) == decisions(scans, edit.asset) == {"beach"}
    (face,) = scans.session.scalars(select(FaceDecision).filter_by(asset_id=edit.asset.id))
    assert {side: getattr(face, side) for side in box} == box
    (line,) = scans.session.scalars(select(LineEdit).filter_by(asset_id=edit.asset.id))
    assert line.text == "Hello"
    assert (scans.runs(asset), scans.runs(edit.asset)) == ([1], [])


def test_an_edit_keeps_the_id_when_the_other_copy_is_gone(scans: Scans) -> None:
    asset = scans.place("a.jpg", "A").asset
    scans.place("b.jpg", "A")
    scans.gone = {b"a.jpg"}
    assert scans.place("b.jpg", "A cropped").asset.id == asset.id


def test_a_file_moved_and_rated_is_the_same(scans: Scans, producer: ProducerRow) -> None:
    before = scans.place("a.jpg", "A", "sunset")
    scans.indexed(before.asset, producer)
    scans.gone = {b"a.jpg"}
    moved = scans.place("b.jpg", "A rated", "sunset")
    assert (moved.change, moved.is_new_content) == (Change.MOVED, True)
    assert (moved.file.id, moved.asset.id) == (before.file.id, before.asset.id)
    assert scans.runs(moved.asset) == [2]


def test_a_former_content_at_a_new_path_brings_a_lost_asset_back(
    scans: Scans, producer: ProducerRow
) -> None:
    asset = scans.place("a.jpg", "A").asset
    scans.place("a.jpg", "A cropped")
    scans.indexed(asset, producer)
    scans.gone = {b"a.jpg"}
    back = scans.place("from backup.jpg", "A")
    assert (back.asset.id, back.asset.revision, back.asset.content_hash) == (asset.id, 3, "A")
    assert scans.runs(asset) == []


def test_the_same_essence_beside_a_present_file_is_another_asset_with_the_same_findings(
    scans: Scans, producer: ProducerRow
) -> None:
    asset = scans.place("a.jpg", "A", "sunset").asset
    asset.thumbhash = b"blurred"
    run = scans.indexed(asset, producer)
    space = SpaceRow(producer_id=producer.id, indexer="visual", dim=2)
    scans.session.add(space)
    scans.session.flush()
    scans.session.add(
        VectorRow(space_id=space.id, run_id=run.id, asset_id=asset.id, values=b"\x00\x3c\x00\x00")
    )
    add_run(scans.session, asset, add_producer(scans.session, "still pending"))
    twin = scans.place("b.jpg", "A rated", "sunset").asset
    assert twin.id != asset.id
    assert twin.thumbhash == b"blurred"
    assert scans.runs(twin) == [1]
    assert len(scans.runs(asset)) == 2
    (found,) = load_findings(scans.session, twin.id, "visual")
    assert isinstance(found, Vector)
    assert found.values.tolist() == [1.0, 0.0]


def test_a_path_that_could_not_be_read_before_takes_a_moved_file_in(scans: Scans) -> None:
    before = scans.place("a.jpg", "A")
    broken = File(
        library_id=scans.library_id, path=b"b.jpg", display="b.jpg", state=FileState.UNREADABLE,
        size_bytes=1, mtime_ns=1, device=1, inode=9, error="broken",
    )  # fmt: skip
    scans.session.add(broken)
    scans.session.flush()
    scans.gone = {b"a.jpg"}
    placed = scans.place("b.jpg", "A")
    assert (placed.file.id, placed.asset.id) == (broken.id, before.asset.id)
    assert (placed.file.state, placed.file.error) == (FileState.PRESENT, None)
    assert scans.paths(before.asset) == [b"b.jpg"]


def test_a_file_of_another_library_moves_only_once_it_is_missing_there(
    scans: Scans, tmp_path: Path
) -> None:
    before = scans.place("a.jpg", "A")
    other = Scans(scans.session, add_library(scans.session, tmp_path / "disk", "disk").id)
    before.file.state = FileState.MISSING
    moved = other.place("a.jpg", "A")
    assert (moved.file.id, moved.file.library_id) == (before.file.id, other.library_id)


@pytest.mark.parametrize("order", [lambda x: x, reversed], ids=["forwards", "backwards"])
def test_the_order_of_files_does_not_change_what_they_are(
    scans: Scans, order: Callable[[list[tuple[str, str]]], list[tuple[str, str]]]
) -> None:
    a, b = scans.place("a.jpg", "A").asset, scans.place("b.jpg", "B").asset
    scans.gone = {b"a.jpg", b"b.jpg"}
    for path, content in order([("x.jpg", "A"), ("y.jpg", "B"), ("z.jpg", "A")]):
        scans.place(path, content)
    assert (set(scans.paths(a)), scans.paths(b)) == ({b"x.jpg", b"z.jpg"}, [b"y.jpg"])
