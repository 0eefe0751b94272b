"""Groups of copies as people see them: what is in them, what is decided, what is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sqlalchemy import select

from dam import store
from dam.changes import undo_change
from dam.contracts import VOICE_HZ, Frame, Item, Kind, Setup, Sound
from dam.duplicates.decisions import decide, trash_copies
from dam.duplicates.groups import Duplicates, GroupKind
from dam.errors import BadRequest, NotFound
from dam.library.stacks import Stacker
from dam.models import ModelStore
from dam.store import Lease
from dam.tables import (
    Asset,
    File,
    FileState,
    Library,
    PairVerdict,
    ProducerRow,
    RunState,
    Stack,
    Verdict,
)
from dam.tagging import decide as tag
from dam.tagging import tags_of
from dam.trash import move_to_trash
from indexers.chromaprint import find_program
from indexers.fingerprints import Fingerprints
from tests.cli import Dam
from tests.rows import add_asset, add_library, add_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.config import Settings
    from dam.db import Database

LENGTH_US = 12_000_000


def scene(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Something with shapes that no other seed has."""
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def film(seeds: Sequence[int | None], *, late_us: int = 0, side_px: int = 160) -> list[Frame]:
    """Three seconds of each scene (None: black), four frames a second."""
    frames = []
    for at_us in range(late_us, len(seeds) * 3_000_000, 250_000):
        seed = seeds[at_us // 3_000_000]
        image = Image.new("RGB", (160, 120)) if seed is None else scene(seed, (160, 120))
        pixels = np.asarray(image.resize((side_px, side_px * 3 // 4)))
        frames.append(Frame(at_us - late_us, None, pixels, pixels))
    return frames


def melody(seconds: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    at = np.arange(VOICE_HZ // 4) / VOICE_HZ
    return np.concatenate(
        [0.4 * np.sin(2 * np.pi * hz * at) for hz in rng.uniform(200, 1500, seconds * 4)]
    ).astype(np.float32)


class World:
    """Assets with the fingerprints that the indexer gives them."""

    def __init__(self, database: Database, indexer: Fingerprints, root: Path) -> None:
        self.database = database
        self.duplicates = Duplicates(database)
        self._indexer = indexer
        with database.write() as session:
            self._library_id = add_library(session, root).id
            producer = indexer.producer()
            row = ProducerRow(
                fingerprint=producer.fingerprint, indexer="fingerprints", version=1, parameters={}
            )
            session.add(row)
            session.flush()
            self._producer_id = row.id

    def photo(self, name: str, image: Image.Image, **columns: object) -> str:
        item = Item(name, Kind.PHOTO, image=np.asarray(image))
        width, height = image.size
        return self._add(item, {"width_px": width, "height_px": height} | columns)

    def video(self, name: str, frames: list[Frame]) -> str:
        length_us = frames[-1].at_us + 250_000
        return self._add(Item(name, Kind.VIDEO, length_us, frames=frames), {})

    def audio(self, name: str, samples: np.ndarray) -> str:
        length_us = len(samples) * 1_000_000 // VOICE_HZ
        sound = [Sound(0, np.repeat(samples, 3)[None], samples)]
        return self._add(Item(name, Kind.AUDIO, length_us, sound=sound), {})

    def _add(self, item: Item, columns: dict[str, object]) -> str:
        outcome = next(self._indexer.index([item]))
        assert outcome.error is None
        with self.database.write() as session:
            library = session.get_one(Library, self._library_id)
            asset = add_asset(session, library, item.asset_id, item.kind)
            asset.duration_us = item.duration_us
            for column, value in columns.items():
                setattr(asset, column, value)
            run_row = add_run(session, asset, session.get_one(ProducerRow, self._producer_id))
            run_row.state, run_row.fence = RunState.LEASED, 1
            session.flush()
            store.save(session, Lease(run_row.id, 1, asset.id, self._producer_id), outcome.findings)
            return asset.id

    def add_file(self, asset_id: str, name: str, state: FileState = FileState.PRESENT) -> None:
        with self.database.write() as session:
            session.add(
                File(library_id=self._library_id, path=name.encode(), display=name, state=state,
                     asset_id=asset_id, size_bytes=1, mtime_ns=1, device=1, inode=7)
            )  # fmt: skip

    def decide(self, asset_ids: list[str], verdict: PairVerdict | None) -> None:
        with self.database.write() as session:
            decide(session, asset_ids, verdict)

    def groups(self) -> dict[GroupKind, list[set[str]]]:
        found: dict[GroupKind, list[set[str]]] = {}
        for group in self.duplicates.groups():
            found.setdefault(group.kind, []).append({copy.asset_id for copy in group.assets})
        return found


@pytest.fixture
def world(database: Database, settings: Settings, tmp_path: Path) -> Iterator[World]:
    with Fingerprints(Setup(models=ModelStore(settings), cache=tmp_path)) as indexer:
        yield World(database, indexer, tmp_path / "photos")


def test_scaled_copies_are_one_group_with_the_largest_first(world: World) -> None:
    small = world.photo("small.jpg", scene(1, (160, 120)))
    large = world.photo("large.jpg", scene(1, (640, 480)))
    world.photo("other.jpg", scene(2))
    (group,) = world.duplicates.groups()
    assert group.kind is GroupKind.PHOTO
    assert [copy.asset_id for copy in group.assets] == [large, small]
    assert group.assets[0].path.endswith("/photos/large.jpg")
    assert 0 <= group.distance < 0.1


def test_of_equal_size_the_one_that_more_is_known_of_comes_first(world: World) -> None:
    world.photo("a.jpg", scene(1), size_bytes=900)
    known = world.photo("b.jpg", scene(1).point(lambda level: level * 0.9), camera="Camera One")
    assert world.duplicates.groups()[0].assets[0].asset_id == known


def test_exact_copies_are_one_asset_with_its_files(world: World) -> None:
    asset = world.photo("a.jpg", scene(1))
    assert world.groups() == {}
    world.add_file(asset, "gone.jpg", FileState.MISSING)
    assert world.groups() == {}
    world.add_file(asset, "copy/a.jpg")
    (group,) = world.duplicates.groups()
    assert (group.kind, group.distance) == (GroupKind.EXACT, 0)
    assert [copy.path.rpartition("/photos/")[2] for copy in group.assets] == ["a.jpg", "copy/a.jpg"]
    world.decide([asset], PairVerdict.KEEP)
    assert world.groups() == {}


def test_films_match_by_their_looks_in_time_and_never_by_black(world: World) -> None:
    whole = world.video("whole.mp4", film([1, 2, 3, None, 4]))
    part = world.video("part.mp4", film([2, 3, None, 4], late_us=125_000, side_px=80))
    world.video("black.mp4", film([None] * 4))
    world.video("darkness.mp4", film([None] * 4))
    world.video("same start.mp4", film([1, 11, 12, 13, 14]))
    world.video("other order.mp4", film([4, None, 3, 2, 1]))
    assert world.groups() == {GroupKind.VIDEO: [{whole, part}]}


def walk(seed: int, *, place: int = 5, mark: bool = False, seconds: int = 10) -> list[Frame]:
    """Somebody before a camera that stands still, four frames a second; nobody: seed 0."""
    rng = np.random.default_rng(seed)
    path = np.array([80, 60]) + np.cumsum(rng.normal(0, 6, (seconds * 4, 2)), axis=0)
    frames = []
    for number, (x, y) in enumerate(path):
        image = scene(place, (160, 120))
        if seed:
            ImageDraw.Draw(image).ellipse((x - 14, y - 20, x + 14, y + 20), fill=(250, 240, 230))
        if mark:
            ImageDraw.Draw(image).text((6, 90), "SAMPLE", fill=(255, 255, 255), font_size=16)
        pixels = np.asarray(image)
        frames.append(Frame(number * 250_000, None, pixels, pixels))
    return frames


def test_what_moves_before_a_still_camera_tells_a_copy_from_another_take(world: World) -> None:
    take = world.video("take.mp4", walk(1))
    marked = world.video("marked.mp4", walk(1, mark=True))
    part = world.video(
        "part.mp4",
        [Frame(one.at_us - 2_500_000, None, one.small, one.image) for one in walk(1)[10:36]],
    )
    for seed in (2, 3, 4):
        world.video(f"other take {seed}.mp4", walk(seed))
    world.video("nobody there.mp4", walk(0))
    assert world.groups() == {GroupKind.VIDEO: [{take, marked, part}]}


def test_a_still_that_is_a_film_matches_as_a_picture_does(world: World) -> None:
    still = world.video("still.mp4", walk(0))
    copy = world.video("longer.mp4", walk(0, seconds=12, mark=True))
    world.video("another still.mp4", walk(0, place=6))
    assert world.groups() == {GroupKind.VIDEO: [{still, copy}]}


@pytest.mark.skipif(find_program() is None, reason="fpcalc is not installed")
def test_recordings_match_when_cut_and_quieter_and_silence_matches_nothing(world: World) -> None:
    song = melody(20, 1)
    whole = world.audio("whole.wav", song)
    part = world.audio("part.mp3", song[5 * VOICE_HZ :] * 0.4)
    world.audio("other.wav", melody(20, 2))
    world.audio("silence.wav", np.zeros(20 * VOICE_HZ, np.float32))
    world.audio("quiet.wav", np.zeros(20 * VOICE_HZ, np.float32))
    assert world.groups() == {GroupKind.AUDIO: [{whole, part}]}


def rain(seconds: int, seed: int) -> np.ndarray:
    """Noise of one colour, which sounds the same whenever it is listened to."""
    white = np.random.default_rng(seed).normal(0, 0.1, seconds * VOICE_HZ)
    return np.convolve(white, np.hanning(64) / 8, "same").astype(np.float32)


@pytest.mark.skipif(find_program() is None, reason="fpcalc is not installed")
def test_a_few_seconds_match_their_copy_and_no_other_rain(world: World) -> None:
    whole = world.audio("whole.wav", rain(5, 1))
    part = world.audio("part.mp3", rain(5, 1)[10_000:70_000] * 0.4)
    for seed in (2, 3, 4):
        world.audio(f"other rain {seed}.wav", rain(5, seed))
    assert world.groups() == {GroupKind.AUDIO: [{whole, part}]}


@pytest.mark.parametrize("verdict", [PairVerdict.KEEP, PairVerdict.DIFFERENT])
def test_what_was_decided_is_not_asked_again_and_can_be_taken_back(
    world: World, verdict: PairVerdict
) -> None:
    one, two = (world.photo(f"{name}.jpg", scene(1, size)) for name, size in
                (("a", (320, 240)), ("b", (160, 120))))  # fmt: skip
    world.decide([two, one], verdict)
    assert world.groups() == {}
    third = world.photo("c.jpg", scene(1, (240, 180)))
    assert world.groups() == {GroupKind.PHOTO: [{one, two, third}]}  # of a new one it is unknown
    world.decide([third, one, two], verdict)
    assert world.groups() == {}
    world.decide([one, two, third], None)
    assert world.groups() == {GroupKind.PHOTO: [{one, two, third}]}


def test_what_is_in_the_trash_or_has_no_file_is_no_duplicate(world: World) -> None:
    one, two, three = (world.photo(f"{n}.jpg", scene(1, (320 - n, 240))) for n in range(3))
    with world.database.write() as session:
        move_to_trash(session, [one], 1)
    assert world.groups() == {GroupKind.PHOTO: [{two, three}]}
    with world.database.write() as session:
        session.query(File).filter_by(asset_id=two).one().state = FileState.MISSING
    assert world.groups() == {}


def test_decisions_name_assets_that_are_there(world: World) -> None:
    one = world.photo("a.jpg", scene(1))
    with pytest.raises(NotFound, match="no asset nobody"):
        world.decide([one, "nobody"], PairVerdict.KEEP)
    with pytest.raises(BadRequest, match="Name 1 to 200"):
        world.decide([], PairVerdict.KEEP)


def test_the_list_of_the_command_line_has_the_promised_form(
    world: World, settings: Settings
) -> None:
    dam = Dam(settings.home)
    large = world.photo("large.jpg", scene(1, (640, 480)))
    small = world.photo("small.jpg", scene(1, (160, 120)))
    (group,) = dam.json("duplicates", "list")
    assert set(group) == {"kind", "assets", "distance"}
    assert [set(copy) for copy in group["assets"]] == [{"asset_id", "path"}] * 2
    assert [copy["asset_id"] for copy in group["assets"]] == [large, small]
    dam.run("duplicates", "keep", large, small)
    assert dam.json("duplicates", "list", "--kind", "photo") == []


def test_a_chosen_stack_outlives_looking_at_its_files_again_and_can_be_dissolved(
    world: World,
) -> None:
    one, two = (world.photo(f"{n}.jpg", scene(1, (320 - n, 240))) for n in range(2))
    with world.database.write() as session:
        decide(session, [one, two], PairVerdict.STACKED, cover_id=two)
    with world.database.write() as session:
        Stacker().restack(session, [one])
        stack = session.scalars(select(Stack)).one()
        assert (stack.cover_id, stack.reason) == (two, "chosen")
        assert {session.get_one(Asset, each).stack_id for each in (one, two)} == {stack.id}
    assert world.groups() == {}
    world.decide([one, two], None)
    with world.database.read() as session:
        assert session.get_one(Asset, one).stack_id is None
    assert world.groups() == {GroupKind.PHOTO: [{one, two}]}
    with pytest.raises(BadRequest, match="shown for all"):
        world.decide([one, two], PairVerdict.STACKED)


def test_the_kept_one_gains_what_its_copies_have_and_all_is_undone_as_one(world: World) -> None:
    keeper = world.photo("large.jpg", scene(1, (640, 480)))
    copy = world.photo("small.jpg", scene(1, (160, 120)), rating=4, title="A hill")
    with world.database.write() as session:
        store.replace_keywords(session, copy, ["hill", "fog"])
        tag(session, keeper, "fog", Verdict.REJECTED)
    done = trash_copies(world.database, keeper, [copy], merge=True)
    with world.database.read() as session:
        kept, gone = session.get_one(Asset, keeper), session.get_one(Asset, copy)
        assert (kept.rating, kept.title, kept.trashed_us) == (4, "A hill", None)
        assert gone.trashed_us is not None
        said = {view.word: view.verdict for view in tags_of(session, keeper)}
        assert said == {"hill": Verdict.APPROVED}
    undo_change(world.database, done.undo)
    with world.database.read() as session:
        kept, gone = session.get_one(Asset, keeper), session.get_one(Asset, copy)
        assert (kept.rating, kept.title, gone.trashed_us) == (None, None, None)
        assert tags_of(session, keeper) == []


def test_the_api_lists_pages_and_does_only_what_it_is_told(
    world: World, client: FlaskClient
) -> None:
    pairs = [
        [world.photo(f"{seed}-{px}.jpg", scene(seed, (px, px))) for px in (300, 200)]
        for seed in (1, 2, 3)
    ]
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/api/v1/duplicates?limit=2{cursor}").json
        assert page["total"] == 3
        seen += [[copy["asset_id"] for copy in group["assets"]] for group in page["groups"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert seen == pairs
    assert client.get("/api/v1/duplicates?cursor=WzFd").status_code == 400

    def post(what: str, **body: object) -> Any:
        answer = client.post(f"/api/v1/duplicates/{what}", json=body)
        assert answer.status_code == 200, answer.json
        return answer.json

    post("decide", asset_ids=pairs[0], verdict="different")
    post("stack", asset_ids=pairs[1], cover_id=pairs[1][0])
    done = post("trash", keep_id=pairs[2][0], asset_ids=[pairs[2][1]])
    assert client.get("/api/v1/duplicates").json["groups"] == []
    assert client.post("/api/v1/assets/bulk/undo", json={"undo": done["undo"]}).status_code == 200
    post("decide", asset_ids=pairs[0], verdict=None)
    post("decide", asset_ids=pairs[1], verdict=None)
    assert client.get("/api/v1/duplicates?kind=photo").json["total"] == 3
    assert client.get("/api/v1/duplicates?kind=burst").json["total"] == 0
