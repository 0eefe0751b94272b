"""Files of one asset: which lie where, how one is put away and comes back; what the kept gains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from dam.changes import FACES_SAID, AssetChange, change_many
from dam.contracts import Setup
from dam.duplicates.copies import copies_of, restore_files, trash_files, trashed_copies
from dam.duplicates.decisions import decide, trash_copies, undo
from dam.duplicates.groups import Duplicates, GroupKind
from dam.edits import EditField
from dam.errors import BadRequest, NotFound
from dam.models import ModelStore
from dam.tables import Asset, FaceDecision, FaceVerdict, File, PairVerdict, Person, Preference
from indexers.fingerprints import Fingerprints
from tests.cli import Dam
from tests.integration.test_duplicates import World, scene
from tests.media import RED, write_jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.config import Settings
    from dam.db import Database
    from dam.duplicates.copies import FileCopy
    from tests.library_world import Index

XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'


@pytest.fixture
def world(database: Database, settings: Settings, tmp_path: Path) -> Iterator[World]:
    with Fingerprints(Setup(models=ModelStore(settings), cache=tmp_path)) as indexer:
        yield World(database, indexer, tmp_path / "photos")


@pytest.fixture
def disk(root: Path, index: Index) -> Path:
    """A library with one picture in three folders, each copy with other things beside it."""
    first = write_jpeg(root / "a" / "one.jpg", RED, seed=1)
    for copy in ("b/one.jpg", "c/renamed.jpg"):
        (root / copy).parent.mkdir()
        (root / copy).write_bytes(first.read_bytes())
    (root / "b" / "one.jpg.xmp").write_text(XMP)
    (root / "c" / "renamed.xmp").write_text(XMP)
    write_jpeg(root / "c" / "renamed.jpeg", RED, seed=2)
    index()
    return root


def files_of(database: Database, disk: Path) -> dict[str, FileCopy]:
    """By path, those of the one asset that has several; first the one that is to be kept."""
    (group,) = Duplicates(database).groups()
    asset_id = group.assets[0].asset_id
    with database.read() as session:
        copies = copies_of(session, [asset_id])[asset_id]
    return {copy.path.removeprefix(f"{disk}/"): copy for copy in copies}


def put_away(database: Database) -> set[str]:
    with database.read() as session:
        return {copy.file_id for copy in trashed_copies(session)}


def test_a_copy_is_put_away_by_file_and_nothing_on_disk_is_touched(
    database: Database, index: Index, disk: Path, settings: Settings
) -> None:
    files = files_of(database, disk)
    beside = {
        path: [(sidecar.name, sidecar.shared_with) for sidecar in copy.sidecars]
        for path, copy in files.items()
    }
    assert beside == {
        "a/one.jpg": [],
        "b/one.jpg": [("one.jpg.xmp", [])],
        "c/renamed.jpg": [("renamed.xmp", ["renamed.jpeg"])],
    }
    assert list(files)[-1] == "a/one.jpg"  # those with a sidecar are rather kept
    digests = {one.digest for copy in files.values() for one in copy.sidecars}
    assert len(digests) == 1
    on_disk = sorted(path.relative_to(disk) for path in disk.rglob("*"))
    going = {files["a/one.jpg"].file_id, files["c/renamed.jpg"].file_id}
    trash_files(database, sorted(going))
    index()  # a scan finds them as they were, and leaves them where the person put them
    assert Duplicates(database).groups() == []
    assert put_away(database) == going
    assert sorted(path.relative_to(disk) for path in disk.rglob("*")) == on_disk

    dam = Dam(settings.home)
    assert {copy["file_id"] for copy in dam.json("trash", "list")["copies"]} == going
    dam.run("trash", "restore-copy", files["a/one.jpg"].file_id)
    assert set(files_of(database, disk)) == {"a/one.jpg", "b/one.jpg"}
    dam.run("duplicates", "remove-copy", files["a/one.jpg"].file_id)
    assert put_away(database) == going


def test_the_last_copy_stays_and_one_that_is_left_alone_comes_back(
    database: Database, index: Index, disk: Path
) -> None:
    files = files_of(database, disk)
    with pytest.raises(BadRequest, match="One file has to stay"):
        trash_files(database, [copy.file_id for copy in files.values()])
    trash_files(database, [files["a/one.jpg"].file_id])
    (disk / "b" / "one.jpg").unlink()
    index()
    assert len(put_away(database)) == 1
    (disk / "c" / "renamed.jpg").unlink()
    index()
    assert put_away(database) == set()


def test_a_copy_with_new_bytes_is_no_copy_any_more(
    database: Database, index: Index, disk: Path
) -> None:
    trash_files(database, [files_of(database, disk)["c/renamed.jpg"].file_id])
    write_jpeg(disk / "c" / "renamed.jpg", RED, seed=9)
    index()
    assert put_away(database) == set()


def test_what_was_put_away_is_found_in_no_folder_and_the_asset_still_is(
    world: World, client: FlaskClient
) -> None:
    asset_id = world.photo("a/one.jpg", scene(1))
    world.add_file(asset_id, "b/one.jpg")
    with world.database.read() as session:
        first, second = copies_of(session, [asset_id])[asset_id]

    def found(**query: str) -> list[str]:
        cards = client.get("/api/v1/assets", query_string=query).json["assets"]
        return [card["path"] for card in cards]

    assert found(folder="a") == ["a/one.jpg"]
    trash_files(world.database, [first.file_id])
    assert found(folder="a") == []
    assert found() == found(folder="b") == ["b/one.jpg"]
    files = client.get(f"/api/v1/assets/{asset_id}").json["files"]
    assert [file["path"] for file in files if file["trashed_at"]] == ["a/one.jpg"]
    with pytest.raises(BadRequest, match="One file has to stay"):
        trash_files(world.database, [second.file_id])
    with pytest.raises(NotFound, match="no copy 999"):
        trash_files(world.database, ["999"])


def test_putting_a_copy_away_is_undone_and_so_is_taking_it_back(world: World) -> None:
    asset_id = world.photo("a.jpg", scene(1))
    world.add_file(asset_id, "b.jpg")
    with world.database.read() as session:
        file_id = copies_of(session, [asset_id])[asset_id][1].file_id

    def away() -> list[str]:
        with world.database.read() as session:
            return [copy.file_id for copy in trashed_copies(session)]

    put = trash_files(world.database, [file_id])
    assert (put.changed, away(), world.groups()) == (1, [file_id], {})
    undo(world.database, put.undo)
    assert (away(), world.groups()) == ([], {GroupKind.EXACT: [{asset_id}]})
    trash_files(world.database, [file_id])
    back = restore_files(world.database, [file_id])
    assert away() == []
    undo(world.database, back.undo)
    assert away() == [file_id]


def test_undoing_a_decision_brings_back_what_was_said_before_it(world: World) -> None:
    one, two, three = (
        world.photo(f"{n}.jpg", scene(1, (320 - 8 * n, 240 - 6 * n))) for n in range(3)
    )
    with world.database.write() as session:
        decide(session, [one, two], PairVerdict.DIFFERENT)
    with world.database.write() as session:
        done = decide(session, [one, two, three], PairVerdict.STACKED, cover_id=one)
    undo(world.database, done.undo)
    assert world.groups() == {GroupKind.PHOTO: [{one, two, three}]}
    with world.database.write() as session:
        assert session.get_one(Asset, one).stack_id is None
        decide(session, [one, three], PairVerdict.DIFFERENT)
    assert world.groups() == {GroupKind.PHOTO: [{two, three}]}  # of the first two it is still said
    with pytest.raises(NotFound, match="cannot be undone any more"):
        undo(world.database, done.undo)


def test_the_kept_one_gains_label_and_stars_but_no_rejection(world: World) -> None:
    keeper = world.photo("large.jpg", scene(1, (640, 480)))
    rejected = world.photo("b.jpg", scene(1, (320, 240)), rating=-1)
    done = trash_copies(world.database, keeper, [rejected], merge=True)
    with world.database.read() as session:
        assert session.get_one(Asset, keeper).rating is None
    undo(world.database, done.undo)
    liked = world.photo("c.jpg", scene(1, (160, 120)), rating=3, label="Green", caption="A hill")
    done = trash_copies(world.database, keeper, [rejected, liked], merge=True)
    with world.database.read() as session:
        kept = session.get_one(Asset, keeper)
        assert (kept.rating, kept.label, kept.caption) == (3, "Green", "A hill")
    undo(world.database, done.undo)
    with world.database.read() as session:
        kept = session.get_one(Asset, keeper)
        assert (kept.rating, kept.label, kept.caption) == (None, None, None)


def test_names_of_faces_go_along_where_the_picture_is_framed_alike(world: World) -> None:
    whole = scene(1, (640, 480))
    keeper = world.photo("large.jpg", whole)
    small = world.photo("small.jpg", whole.resize((320, 240)))
    cut = world.photo("cut.jpg", whole.crop((0, 0, 600, 400)))
    with world.database.write() as session:
        person = Person(name="Ada")
        session.add(person)
        session.flush()
        for asset_id, left in ((keeper, 0.1), (small, 0.11), (small, 0.6), (cut, 0.3)):
            session.add(
                FaceDecision(asset_id=asset_id, at_us=None, left=left, top=0.1, width=0.2,
                             height=0.2, verdict=FaceVerdict.IS, person_id=person.id)
            )  # fmt: skip

    def faces() -> list[float]:
        with world.database.read() as session:
            mine = select(FaceDecision.left).where(FaceDecision.asset_id == keeper)
            return sorted(session.scalars(mine))

    def version() -> object:
        """Changes when faces are to be grouped again."""
        with world.database.read() as session:
            known = session.get(Preference, FACES_SAID)
            return known and known.value

    before = version()
    done = trash_copies(world.database, keeper, [small, cut], merge=True)
    merged = version()
    assert merged != before
    assert faces() == [0.1, 0.6]  # not the same face once more, and none of the cut picture
    undo(world.database, done.undo)
    assert faces() == [0.1]
    assert version() != merged


def test_the_api_tells_what_sets_copies_apart_and_why_one_is_proposed(
    world: World, client: FlaskClient
) -> None:
    small = world.photo("small.jpg", scene(1, (160, 120)), camera="Camera One")
    large = world.photo("large.jpg", scene(1, (640, 480)))
    world.add_file(large, "b/large.jpg")
    change_many(world.database, [small], AssetChange({EditField.TITLE: "Small"}))
    page = client.get("/api/v1/duplicates").json
    assert page["counts"] == {"exact": 1, "photo": 1, "burst": 0, "video": 0, "audio": 0}
    same, alike = page["groups"]
    assert [file["path"].rpartition("/photos/")[2] for file in same["files"]] == [
        "large.jpg",
        "b/large.jpg",
    ]
    assert (alike["reason"], alike["files"]) == ("resolution", [])
    assert [facts["asset_id"] for facts in alike["facts"]] == [large, small]
    assert (
        alike["facts"][1] | {"width_px": 160, "title": "Small", "camera": "Camera One"}
        == (alike["facts"][1])
    )

    def post(what: str, **body: object) -> Any:
        answer = client.post(f"/api/v1/duplicates/{what}", json=body)
        assert answer.status_code == 200, answer.json
        return answer.json

    done = post("files/trash", file_ids=[same["files"][1]["file_id"]])
    trashed = client.get("/api/v1/duplicates/files/trash").json["files"]
    assert [copy["file_id"] for copy in trashed] == [same["files"][1]["file_id"]]
    post("undo", undo=done["undo"])
    post("files/trash", file_ids=[same["files"][1]["file_id"]])
    post("files/restore", file_ids=[same["files"][1]["file_id"]])
    done = post("decide", asset_ids=[small, large], verdict="keep")
    assert client.get("/api/v1/duplicates").json["total"] == 1
    post("undo", undo=done["undo"])
    assert client.get("/api/v1/duplicates").json["total"] == 2


def test_of_equal_copies_the_older_entry_is_proposed(world: World) -> None:
    one = world.photo("z.jpg", scene(1), created_us=1)
    world.photo("a.jpg", scene(1).point(lambda level: level * 0.9), created_us=2)
    (group,) = Duplicates(world.database).groups()
    assert (group.assets[0].asset_id, group.reason) == (one, "age")
    with world.database.write() as session:
        files = session.scalars(select(File)).all()
        assert {file.trashed_us for file in files} == {None}
