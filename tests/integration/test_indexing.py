"""From files to findings, with indexers that need no machine learning."""

from __future__ import annotations

import errno
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from dam import store
from dam.errors import DamError, DecoderCrashed, DiskFull, UnreadableMedia
from dam.indexing import registry as registry_module
from dam.indexing import worker as worker_module
from dam.indexing.plan import open_registry, plan_runs, retry_failed
from dam.indexing.registry import PREVIEWS
from dam.indexing.status import read_status
from dam.indexing.troubles import read_troubles
from dam.indexing.worker import Worker
from dam.library.libraries import add_library
from dam.library.update import update_libraries
from dam.media import previews
from dam.media.decoded_stream import VideoStream
from dam.media.previews import preview_folder
from dam.store import load_findings
from dam.tables import Asset, File, Run, RunState, ShotRow, TagRow, VectorRow, Verdict
from dam.tagging import decide, tags_of
from tests.media import BLUE, GREEN, RED, write_clip, write_jpeg, write_sound
from tests.plugins import Buggy, Colour, ColourName, Listener, Loudness, Shaky

if TYPE_CHECKING:
    from pathlib import Path

    from dam.config import Settings
    from dam.db import Database
    from dam.media.sandbox import Counters


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch) -> dict[str, type]:
    chosen: dict[str, type] = {"colour": Colour, "colour_name": ColourName}
    monkeypatch.setattr(registry_module, "discover", lambda: chosen)
    return chosen


@pytest.fixture
def folder(database: Database, tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for number, colour in enumerate((RED, GREEN, BLUE)):
        write_jpeg(folder / f"{number}.jpg", colour, seed=number)
    write_clip(folder / "clip.mp4", [RED, BLUE])
    add_library(database, folder)
    return folder


def index_all(database: Database, settings: Settings) -> Counters:
    """Scan, plan, work until idle; what was decoded from originals."""
    update_libraries(database, settings)
    worker = Worker(database, settings, threading.Event())
    worker.run(until_idle=True)
    return worker.decoded


def ids_by_name(database: Database) -> dict[str, str | None]:
    with database.read() as session:
        return dict(session.execute(select(File.display, File.asset_id)).all())


def words(database: Database, name: str) -> set[str]:
    asset_id = ids_by_name(database)[name]
    assert asset_id is not None
    with database.read() as session:
        return set(session.scalars(select(TagRow.word).where(TagRow.asset_id == asset_id)))


def test_photos_and_clips_are_decoded_once_for_all_indexers(
    database: Database, settings: Settings, folder: Path
) -> None:
    decoded = index_all(database, settings)
    assert (decoded.photos, decoded.videos) == (3, 1)
    assert [words(database, f"{n}.jpg") for n in range(3)] == [{"red"}, {"green"}, {"blue"}]
    assert words(database, "clip.mp4") == {"red", "blue"}
    with database.read() as session:
        assert set(session.scalars(select(Run.state))) == {RunState.DONE}
        for asset in session.scalars(select(Asset)):
            folder = preview_folder(settings.previews_path, asset.essence_hash)
            assert (folder / "thumb.webp").is_file()


@pytest.fixture
def sounding(folder: Path, plugins: dict[str, type]) -> Path:
    """With a film that has sound from its second half on, and a recording."""
    plugins.update(loudness=Loudness, listener=Listener)
    late = np.zeros((2, 8 * 48_000))
    late[:, 4 * 48_000 :] = 0.5 * np.sin(np.arange(4 * 48_000) / 20)
    write_sound(folder / "film.mp4", late, codec="aac", colours=[RED] * 8)
    write_sound(folder / "surf.wav", late[:, 4 * 48_000 :])
    return folder


def test_frames_and_sound_are_each_decoded_once_for_all_indexers(
    database: Database, settings: Settings, sounding: Path
) -> None:
    decoded = index_all(database, settings)
    # The clip without sound is not opened for it.
    assert (decoded.photos, decoded.videos, decoded.sounds) == (3, 2, 2)
    assert words(database, "film.mp4") == {"red", "has a picture", "quiet", "loud"}
    assert words(database, "surf.wav") == {"loud"}
    assert words(database, "clip.mp4") == {"red", "blue", "has a picture"}
    with database.read() as session:
        assert set(session.scalars(select(Run.state))) == {RunState.DONE}
        film = select(TagRow.word, TagRow.start_us, TagRow.end_us).where(
            TagRow.asset_id == ids_by_name(database)["film.mp4"], TagRow.start_us.is_not(None)
        )
        heard = {(word, start_us // 1_000_000) for word, start_us, _ in session.execute(film)}
    assert heard >= {("quiet", 0), ("loud", 4)}


def test_sound_is_heard_where_the_picture_is_broken(
    database: Database, settings: Settings, sounding: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reads both is told why; who only listens goes on."""

    def broken(stream: VideoStream, *_piece: object) -> None:
        raise UnreadableMedia("shows nothing")

    monkeypatch.setattr(VideoStream, "_taken", broken)
    index_all(database, settings)
    assert words(database, "film.mp4") >= {"quiet", "loud"}
    failed = {
        trouble.indexer: trouble.reason
        for trouble in read_troubles(database)
        if trouble.path == "film.mp4"
    }
    assert failed.keys() == {"previews", "colour", "colour_name", "loudness"}
    assert failed["loudness"] == "shows nothing"


def test_a_second_run_decodes_nothing_and_runs_nothing(
    database: Database, settings: Settings, folder: Path
) -> None:
    index_all(database, settings)
    loaded = Colour.entered
    with database.read() as session:
        before = session.scalar(select(func.max(Run.finished_us)))
    decoded = index_all(database, settings)
    assert (decoded.photos, decoded.videos, decoded.sounds) == (0, 0, 0)
    assert Colour.entered == loaded
    with database.read() as session:
        assert session.scalar(select(func.max(Run.finished_us))) == before


def test_moves_renames_and_copies_keep_ids_and_decisions_and_run_nothing(
    database: Database, settings: Settings, folder: Path
) -> None:
    index_all(database, settings)
    before = ids_by_name(database)
    kept = before["0.jpg"]
    assert kept is not None
    with database.write() as session:
        decide(session, kept, "sunset", Verdict.APPROVED)
    (folder / "trip").mkdir()
    (folder / "0.jpg").rename(folder / "trip" / "renamed.jpg")
    shutil.copy(folder / "1.jpg", folder / "copy.jpg")
    loaded = Colour.entered
    decoded = index_all(database, settings)
    after = ids_by_name(database)
    assert after["trip/renamed.jpg"] == kept
    assert after["copy.jpg"] == before["1.jpg"] == after["1.jpg"]
    assert (decoded.photos, Colour.entered) == (0, loaded)
    with database.read() as session:
        assert "sunset" in {tag.word for tag in tags_of(session, kept)}
        assert session.scalar(select(func.count()).select_from(Asset)) == 4


@pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="ExifTool is not installed (make deps)"
)
def test_a_rating_written_by_another_program_keeps_findings(
    database: Database, settings: Settings, folder: Path
) -> None:
    index_all(database, settings)
    before = ids_by_name(database)["1.jpg"]
    loaded = Colour.entered
    subprocess.run(
        ["exiftool", "-q", "-overwrite_original", "-XMP:Rating=4", str(folder / "1.jpg")],
        check=True,
    )
    decoded = index_all(database, settings)
    assert ids_by_name(database)["1.jpg"] == before
    assert (decoded.photos, Colour.entered) == (0, loaded)
    with database.read() as session:
        asset = session.get_one(Asset, before)
        assert (asset.rating, asset.revision) == (4, 2)
    assert words(database, "1.jpg") == {"green"}


def test_an_edited_picture_keeps_its_id_and_is_indexed_again(
    database: Database, settings: Settings, folder: Path
) -> None:
    index_all(database, settings)
    before = ids_by_name(database)["1.jpg"]
    write_jpeg(folder / "1.jpg", BLUE, seed=99)
    decoded = index_all(database, settings)
    assert ids_by_name(database)["1.jpg"] == before
    assert decoded.photos == 1
    assert words(database, "1.jpg") == {"blue"}


def test_bad_files_are_named_with_their_reason_and_stop_nothing(
    database: Database, settings: Settings, folder: Path
) -> None:
    (folder / "text.jpg").write_text("this is no picture")
    (folder / "empty.jpg").touch()
    whole = (folder / "clip.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: len(whole) // 3])
    (folder / "cut.jpg").write_bytes((folder / "0.jpg").read_bytes()[:2000])
    Image.new("1", (30_000, 30_000)).save(folder / "huge.png")
    index_all(database, settings)
    reasons = {trouble.path: trouble.reason for trouble in read_troubles(database)}
    assert set(reasons) == {"text.jpg", "empty.jpg", "cut.mp4", "cut.jpg", "huge.png"}
    assert "0 bytes" in reasons["empty.jpg"]
    assert "DAM_MAX_PIXELS" in reasons["huge.png"]
    assert all(reasons.values())
    assert [words(database, f"{n}.jpg") for n in range(3)] == [{"red"}, {"green"}, {"blue"}]


def test_the_beginning_of_a_cut_video_is_indexed_and_the_damage_is_named(
    database: Database, settings: Settings, folder: Path
) -> None:
    whole = write_clip(folder / "whole.mp4", [RED, BLUE, GREEN], movflags="faststart")
    kept = whole.read_bytes()
    (folder / "cut.mp4").write_bytes(kept[: len(kept) * 2 // 3])
    index_all(database, settings)
    assert words(database, "whole.mp4") == {"red", "green", "blue"}
    assert "red" in words(database, "cut.mp4")
    (trouble,) = read_troubles(database)
    assert (trouble.path, trouble.state) == ("cut.mp4", "damaged")
    assert trouble.reason


def test_a_bug_in_one_indexer_fails_its_runs_only(
    database: Database,
    settings: Settings,
    folder: Path,
    plugins: dict[str, type],
) -> None:
    plugins["buggy"] = Buggy
    index_all(database, settings)
    by_name = {entry.indexer: entry for entry in read_status(database, settings).indexers}
    assert by_name["colour"].failed == 0 and by_name["colour"].done == 4
    assert by_name["buggy"].failed > 0
    trouble = next(entry for entry in read_troubles(database) if entry.indexer == "buggy")
    assert trouble.reason == "ZeroDivisionError: a bug"
    with database.read() as session:
        assert "ZeroDivisionError" in (
            session.scalar(select(Run.trace).where(Run.trace.is_not(None)).limit(1)) or ""
        )
    plugins["buggy"] = type("Mended", (Colour,), {"name": "buggy"})
    retry_failed(database)
    Worker(database, settings, threading.Event()).run(until_idle=True)
    by_name = {entry.indexer: entry for entry in read_status(database, settings).indexers}
    assert by_name["buggy"].failed == 0


@pytest.mark.parametrize(
    ("error", "attempts"), [(DecoderCrashed(), 2), (DiskFull(), 1)], ids=["crash", "full disk"]
)
def test_what_comes_right_later_fails_nobody_who_needs_it(
    database: Database,
    settings: Settings,
    folder: Path,
    plugins: dict[str, type],
    monkeypatch: pytest.MonkeyPatch,
    error: DamError,
    attempts: int,
) -> None:
    """A full disk does not even count as a try."""
    monkeypatch.setattr(worker_module, "FULL_S", 0.01)
    plugins["colour"] = type("Shaky", (Shaky,), {"troubles": [error]})
    index_all(database, settings.model_copy(update={"attempts": attempts}))
    with database.read() as session:
        assert set(session.scalars(select(Run.state))) == {RunState.DONE}
    assert words(database, "0.jpg") == {"red"}


def test_previews_for_which_there_is_no_room_are_made_later(
    database: Database, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "FULL_S", 0.01)
    troubles = [OSError(errno.ENOSPC, "No space left on device") for _ in range(2)]
    publish = previews._publish

    def publish_later(draft: Path, folder: Path) -> None:
        if troubles:
            raise troubles.pop()
        publish(draft, folder)

    monkeypatch.setattr(previews, "_publish", publish_later)
    index_all(database, settings.model_copy(update={"attempts": 1}))
    with database.read() as session:
        assert set(session.scalars(select(Run.state))) == {RunState.DONE}


def test_a_database_that_cannot_be_written_to_for_a_while_loses_nothing(
    database: Database, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "FULL_S", 0.01)
    troubles = [OperationalError("INSERT", {}, Exception("database or disk is full"))]
    save_all = store.save_all

    def save_later(*arguments: object) -> object:
        if troubles:
            raise troubles.pop()
        return save_all(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "save_all", save_later)
    decoded = index_all(database, settings)
    assert (decoded.photos, decoded.videos) == (3, 1)
    with database.read() as session:
        assert set(session.execute(select(Run.state, Run.attempts)).all()) == {(RunState.DONE, 1)}


def test_a_new_version_of_an_indexer_replaces_its_findings_without_the_originals(
    database: Database, settings: Settings, folder: Path, plugins: dict[str, type]
) -> None:
    index_all(database, settings)
    plugins["colour_name"] = type("Newer", (ColourName,), {"version": 2})
    with database.write() as session:  # made once: a suggestion of the older version
        run_id = session.scalars(select(TagRow.run_id).limit(1)).one()
        session.execute(update(TagRow).where(TagRow.run_id == run_id).values(word="stale"))
    decoded = index_all(database, settings)
    assert (decoded.photos, decoded.videos) == (0, 0)
    with database.read() as session:
        assert "stale" not in set(session.scalars(select(TagRow.word)))
        assert session.scalar(select(func.count()).select_from(TagRow)) == 5


def test_photos_are_read_from_their_previews_when_a_model_changes(
    database: Database, settings: Settings, folder: Path, plugins: dict[str, type]
) -> None:
    index_all(database, settings)
    plugins["colour"] = type("Newer", (Colour,), {"version": 2})
    decoded = index_all(database, settings)
    assert decoded.photos == 0
    asset_id = ids_by_name(database)["0.jpg"]
    assert asset_id is not None
    with database.read() as session:
        assert len(load_findings(session, asset_id, "colour")) == 1


def test_a_file_that_vanishes_while_it_waits_is_missing_not_failed(
    database: Database, settings: Settings, folder: Path
) -> None:
    update_libraries(database, settings)
    plan_runs(database, open_registry(database, settings))
    (folder / "2.jpg").unlink()
    Worker(database, settings, threading.Event()).run(until_idle=True)
    with database.read() as session:
        assert session.scalars(select(File.state).where(File.display == "2.jpg")).one() == "missing"
        assert RunState.FAILED not in set(session.scalars(select(Run.state)))


def test_a_worker_told_to_stop_gives_everything_back(
    database: Database, settings: Settings, folder: Path
) -> None:
    update_libraries(database, settings)
    stop = threading.Event()
    stop.set()
    Worker(database, settings, stop).run()
    with database.read() as session:
        assert set(session.scalars(select(Run.attempts))) <= {0}
    index_all(database, settings)
    with database.read() as session:
        assert set(session.scalars(select(Run.state))) == {RunState.DONE}
        assert session.scalar(select(func.count()).select_from(VectorRow)) >= 5
        assert session.scalar(select(func.count()).select_from(ShotRow)) == 0
        assert session.scalar(select(func.count()).select_from(Run).where(Run.attempts > 1)) == 0
    assert PREVIEWS in {entry.indexer for entry in read_status(database, settings).indexers}
