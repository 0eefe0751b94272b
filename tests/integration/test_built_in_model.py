"""What dam finds with nothing but what comes with it, and how that gives way to a better model."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
import torch

from dam.indexing.choice import return_to_earlier_model, serving_model, serving_notice
from dam.indexing.plan import open_registry, plan_runs
from dam.indexing.worker import Worker
from dam.library.libraries import add_library
from dam.library.update import update_libraries
from dam.model_catalogue import BY_NAME
from dam.model_files import read_manifest
from dam.vectors.spaces import every_space
from demo.library import build_library
from demo.pictures import SHOWN
from tests.cli import Dam
from tests.media import BLUE, GREEN, RED, write_jpeg
from tools.mini import student
from tools.mini.pictures import Photo
from tools.mini.texts import Texts

if TYPE_CHECKING:
    from pathlib import Path

    from dam.config import Settings
    from dam.db import Database

MINI = BY_NAME["mini"]


def make_model(folder: Path, *, seed: int) -> Path:
    """An open_clip folder that loads, and has learnt nothing."""
    torch.manual_seed(seed)
    texts = Texts([Photo("a.jpg", None, (), ("anything",), "train", "made")], context=32)
    folder.parent.mkdir(parents=True, exist_ok=True)
    student.save(student.build(len(texts.vocabulary)).state_dict(), texts.vocabulary, folder)
    return folder


def index_all(database: Database, settings: Settings) -> None:
    """As `dam index` does: scan, work until idle, let a complete space take over."""
    update_libraries(database, settings)
    Worker(database, settings, threading.Event()).run(until_idle=True)
    plan_runs(database, open_registry(database, settings))


@pytest.fixture
def plain(settings: Settings) -> Settings:
    """No model at all; vectors alone are made."""
    return settings.model_copy(update={"indexers": "visual"})


@pytest.fixture
def built_in(plain: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The same machine with a dam that carries weights."""
    monkeypatch.setattr("dam.models.BUILT_IN", tmp_path / "package")
    make_model(tmp_path / "package" / "mini", seed=1)
    return plain.model_copy(update={"built_in_model": True})


@pytest.fixture
def pictures(database: Database, tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for number, colour in enumerate((RED, GREEN, BLUE)):
        write_jpeg(folder / f"{number}.jpg", colour, seed=number)
    add_library(database, folder)
    return folder


def test_it_gives_way_to_a_better_model_without_a_gap_and_can_be_returned_to(
    database: Database, plain: Settings, built_in: Settings, pictures: Path, tmp_path: Path
) -> None:
    def serving() -> tuple[str | None, str | None, int]:
        with database.read() as session:
            spaces = len(every_space(session))
        return serving_model(database, "visual"), serving_notice(database, "visual"), spaces

    index_all(database, plain)
    assert serving() == (None, None, 0)
    index_all(database, built_in)
    assert serving() == (MINI.network, MINI.notice, 1), "indexed without a model, then with it"

    make_model(tmp_path / "models" / "better", seed=2)
    better = built_in.model_copy(update={"models": tmp_path / "models"})
    plan_runs(database, open_registry(database, better))
    assert open_registry(database, better).producer("visual").model == "better"
    assert serving() == (MINI.network, MINI.notice, 1), "the old one serves until then"
    index_all(database, better)
    assert serving() == ("better", None, 2)

    assert return_to_earlier_model(database, "visual") == MINI.network
    assert serving() == (MINI.network, MINI.notice, 2)
    assert open_registry(database, better).producer("visual").model == MINI.network
    index_all(database, better)
    assert serving() == (MINI.network, MINI.notice, 2), "a person's choice stays"


# With the weights that come with dam ---------------------------------------------------------


@pytest.fixture(scope="module")
def closed_machine(mini: Path, tmp_path_factory: pytest.TempPathFactory) -> Dam:
    """The sample library of `make demo`, indexed with nothing but what comes with dam."""
    pytest.importorskip("skimage")
    pytest.importorskip("sklearn")
    library = tmp_path_factory.mktemp("library") / "sample"
    build_library(library)
    settings = {"built_in_model": "true", "threads": "1", "indexers": "shots,visual,tags"}
    dam = Dam(tmp_path_factory.mktemp("home"), settings)
    dam.run("library", "add", str(library))
    dam.run("index")
    return dam


@pytest.mark.parametrize(("text", "path"), SHOWN.items())
def test_the_sample_library_answers_with_the_picture_first(
    closed_machine: Dam, text: str, path: str
) -> None:
    found = closed_machine.json("search", text)
    first = found["results"][0]
    assert first["path"].endswith(path)
    assert any(moment["channel"] == "visual" for moment in first["moments"])
    assert found["model"] == {"name": "mini", "notice": MINI.notice}
    assert found["waiting"] == []


def test_it_says_that_it_is_an_evaluation_encoder(closed_machine: Dam) -> None:
    for command in (["models", "list"], ["search", "a cat"], ["status"]):
        assert "evaluation encoder" in closed_machine.run(*command)
    listed = closed_machine.json("models", "list")["models"][0]
    assert (listed["name"], listed["in_use"], listed["licence"]) == ("mini", True, MINI.licence)
    assert "ready" in closed_machine.run("models", "verify", "mini")


def test_its_tags_are_suggested_from_the_measured_confidence_on(
    closed_machine: Dam, mini: Path
) -> None:
    manifest = read_manifest(mini)
    assert manifest is not None
    least = manifest.calibration["least_confidence"]
    assert least >= 0.5
    results = closed_machine.json("search", "kind:photo")["results"]
    assert len(results) > 10
    for hit in results:
        tags = closed_machine.json("tags", "list", hit["asset_id"])["tags"]
        assert all(tag["score"] >= least for tag in tags if tag["score"] is not None)
