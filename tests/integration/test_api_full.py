"""Photos at full size over HTTP: as they are where browsers show them, else decoded once."""

from __future__ import annotations

import io
import os
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pillow_heif
import pytest
from PIL import Image

from dam.config import Settings
from dam.contracts import Kind
from dam.full_size import FullPictures
from dam.library.libraries import add_library
from dam.library.update import update_libraries
from dam.media.sandbox import Limits, Sandbox
from dam.originals import Original
from tests.library_world import ids
from tests.media import write_clip
from tests.rows import add_asset
from tests.rows import add_library as add_library_row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from dam.db import Database

pillow_heif.register_heif_opener()
RED, BLUE = (220, 20, 20), (20, 20, 220)
TURNED = Image.Exif()
TURNED[0x0112] = 6  # shown after a quarter turn to the right


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Limits(timeout_s=60, memory_mb=2048, max_pixels=50_000_000)) as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", threads=1, decoders=1, web_threads=4)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


@dataclass
class World:
    """Indexes a folder and asks for its photos by name."""

    client: FlaskClient
    database: Database
    settings: Settings
    sandbox: Sandbox
    root: Path

    def index(self) -> None:
        add_library(self.database, self.root)
        update_libraries(self.database, self.settings, sandbox=self.sandbox)

    def full(self, name: str, **options: Any) -> TestResponse:
        return self.client.get(f"/api/v1/assets/{ids(self.database)[name]}/full", **options)

    @property
    def decoded(self) -> int:
        owner = self.client.application.extensions["dam"]
        with owner.sandbox() as decoders:
            return int(decoders.counters.photos)

    @property
    def kept(self) -> list[Path]:
        return sorted((self.settings.cache_path / "full").iterdir())


@pytest.fixture
def world(
    client: FlaskClient, database: Database, settings: Settings, sandbox: Sandbox, root: Path
) -> World:
    return World(client, database, settings, sandbox, root)


def halves(width_px: int = 2400, height_px: int = 1800) -> Image.Image:
    """Red above blue."""
    image = Image.new("RGB", (width_px, height_px), RED)
    image.paste(BLUE, (0, height_px // 2, width_px, height_px))
    return image


def shown(answer: TestResponse) -> Image.Image:
    image = Image.open(io.BytesIO(answer.data))
    image.load()
    return image


@pytest.mark.parametrize(
    ("name", "mimetype"),
    [
        ("a.jpg", "image/jpeg"),
        ("a.png", "image/png"),
        ("a.webp", "image/webp"),
        ("a.gif", "image/gif"),
        ("a.avif", "image/avif"),
    ],
)
def test_what_browsers_show_is_served_as_it_is(world: World, name: str, mimetype: str) -> None:
    halves(400, 300).save(world.root / name)
    world.index()
    answer = world.full(name)
    assert (answer.status_code, answer.mimetype) == (200, mimetype)
    assert answer.data == (world.root / name).read_bytes()
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    part = world.full(name, headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.data) == (206, answer.data[:10])
    assert world.decoded == 0


def test_turned_jpeg_is_served_as_it_is_because_browsers_turn_it(world: World) -> None:
    halves(400, 300).save(world.root / "turned.jpg", exif=TURNED)
    world.index()
    assert world.full("turned.jpg").data == (world.root / "turned.jpg").read_bytes()


@pytest.mark.parametrize("name", ["a.tif", "a.heic", "a.bmp", "a.jp2"])
def test_other_photos_are_decoded_at_full_size_and_once(world: World, name: str) -> None:
    halves().save(world.root / name)
    world.index()
    answer = world.full(name)
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert answer.headers["Content-Disposition"].startswith('inline; filename="a.jpg"')
    image = shown(answer)
    assert (image.format, image.size) == ("JPEG", (2400, 1800))
    red, _, blue = image.getpixel((1200, 100))  # type: ignore[misc]
    assert red > 180 > 60 > blue
    assert world.full(name).data == answer.data
    assert world.decoded == 1


@pytest.mark.parametrize("name", ["turned.png", "turned.webp"])
def test_turned_picture_that_not_every_browser_turns_is_made_upright(
    world: World, name: str
) -> None:
    halves(400, 300).save(world.root / name, exif=TURNED)
    world.index()
    image = shown(world.full(name))
    assert image.size == (300, 400)
    assert image.getpixel((280, 200))[0] > 180  # type: ignore[index]  # red lies on the right now


def test_jpeg_for_printers_is_brought_to_the_colours_of_screens(world: World) -> None:
    halves(400, 300).convert("CMYK").save(world.root / "print.jpg")
    world.index()
    assert shown(world.full("print.jpg")).mode == "RGB"


def test_changed_file_is_not_answered_from_the_cache(world: World) -> None:
    halves(400, 300).save(world.root / "a.tif")
    world.index()
    before = world.full("a.tif")
    Image.new("RGB", (500, 300), BLUE).save(world.root / "a.tif")
    after = world.full("a.tif")
    assert shown(after).size == (500, 300)
    assert before.headers["ETag"] != after.headers["ETag"]


def test_only_the_known_version_may_be_kept_for_ever(world: World) -> None:
    halves(400, 300).save(world.root / "a.jpg")
    world.index()
    card = world.client.get("/api/v1/assets").json["assets"][0]
    url = f"/api/v1/assets/{card['id']}/full?v={card['version']}"
    assert "immutable" in world.client.get(url).headers["Cache-Control"]
    halves(404, 300).save(world.root / "a.jpg")  # not scanned yet: not that version
    assert "immutable" not in world.client.get(url).headers["Cache-Control"]


def test_broken_photo_says_why_and_gives_its_place_back(world: World) -> None:
    halves(400, 300).save(world.root / "a.tif")
    world.index()
    (world.root / "a.tif").write_bytes(b"MM\x00*" + b"\xff" * 100)
    for _ in range(4):  # two may be open at once
        answer = world.full("a.tif")
        assert (answer.status_code, answer.json["reason"]) == (404, "failed")
        assert "a.tif" in answer.json["detail"]
    assert world.kept == []


def test_photo_of_too_many_pixels_is_refused(world: World, settings: Settings) -> None:
    halves(400, 300).save(world.root / "a.tif")
    world.index()
    strict = Limits(timeout_s=60, memory_mb=2048, max_pixels=1000)
    owner = world.client.application.extensions["dam"]
    owner._sandbox = Sandbox(strict)
    answer = world.full("a.tif")
    assert answer.status_code == 404
    assert "DAM_MAX_PIXELS" in answer.json["detail"]


def test_only_photos_have_a_full_size(world: World) -> None:
    write_clip(world.root / "clip.mp4", [RED])
    world.index()
    assert world.full("clip.mp4").status_code == 404
    assert world.client.get("/api/v1/assets/none/full").status_code == 404


def test_link_in_place_of_the_photo_is_not_followed(world: World, tmp_path: Path) -> None:
    halves(400, 300).save(world.root / "a.tif")
    (tmp_path / "secret").mkdir()
    halves(600, 300).save(tmp_path / "secret" / "a.tif")
    (world.root / "sub").mkdir()
    halves(402, 300).save(world.root / "sub" / "a.tif")
    world.index()
    (world.root / "a.tif").unlink()
    (world.root / "a.tif").symlink_to(tmp_path / "secret" / "a.tif")
    (world.root / "sub" / "a.tif").unlink()
    (world.root / "sub").rmdir()
    (world.root / "sub").symlink_to(tmp_path / "secret")
    assert world.full("a.tif").status_code == 404
    assert world.full("sub/a.tif").status_code == 404


def test_file_that_is_swapped_after_it_was_opened_changes_nothing(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """The decoder gets the opened file and not its name."""
    path = tmp_path / "a.tif"
    halves(400, 300).save(path)
    with path.open("rb") as opened:
        path.unlink()
        path.symlink_to("/etc/hostname")
        sandbox.whole_picture(opened, "a.tif", tmp_path / "whole.jpg")
    with Image.open(tmp_path / "whole.jpg") as whole:
        assert whole.size == (400, 300)


def test_cache_stays_within_its_limit_and_drops_what_was_looked_at_longest_ago(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    settings = Settings(home=tmp_path / "home", full_cache_mb=1)
    pictures = FullPictures(settings, lambda: nullcontext(sandbox))
    folder = settings.cache_path / "full"
    noise = Image.effect_noise((700, 700), 90)  # as a JPEG less than a half and more than a third
    noise.save(tmp_path / "noise.tif")

    def look(asset_id: str) -> None:
        with (tmp_path / "noise.tif").open("rb") as stream:
            original = Original(stream, "noise.tif", "tiff", "photo", 1, "etag")
            pictures.open(original, asset_id).close()
        for path in folder.iterdir():  # a minute passes
            facts = path.stat()
            os.utime(path, (facts.st_atime - 60, facts.st_mtime - 60))

    before = sandbox.counters.photos
    for asset_id in ("a", "b", "a", "c"):  # b was looked at longest ago when c needs room
        look(asset_id)
    sizes = [path.stat().st_size for path in folder.iterdir()]
    assert len(sizes) == 2
    assert sum(sizes) <= 1 << 20 < sum(sizes) * 3 / 2
    assert sandbox.counters.photos - before == 3
    look("a")
    assert sandbox.counters.photos - before == 3
    look("b")
    assert sandbox.counters.photos - before == 4


def test_offline_library_is_named(client: FlaskClient, database: Database, root: Path) -> None:
    with database.write() as session:
        library = add_library_row(session, root, "away")
        library.state = "offline"
        asset_id = add_asset(session, library, "a.tif", Kind.PHOTO).id
    answer = client.get(f"/api/v1/assets/{asset_id}/full")
    assert answer.status_code == 404
    assert "away" in answer.json["detail"]
