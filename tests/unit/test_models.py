"""Weights on this machine: found, listed, verified, imported and pulled, or a command to mend."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save, save_file

from dam.config import Settings
from dam.errors import BadRequest, Conflict, NotFound, WeightsUnavailable
from dam.model_catalogue import BY_NAME
from dam.model_files import Manifest
from dam.model_pulls import Pulls
from dam.models import ModelCondition, ModelStore
from tests.model_hub import COMMIT, ModelHub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = {"model_cfg": {"embed_dim": 4, "vision_cfg": {}, "text_cfg": {}}}
FAST = BY_NAME["fast"]


def make_model(folder: Path, value: float = 0.0) -> Path:
    folder.mkdir(parents=True)
    (folder / "open_clip_config.json").write_text(json.dumps(CONFIG))
    weights = {"weight": np.full((64, 64), value, dtype=np.float32)}
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """The folder that `DAM_MODELS` names."""
    folder = tmp_path / "local"
    folder.mkdir()
    return folder


@pytest.fixture
def store(tmp_path: Path, local: Path) -> ModelStore:
    return ModelStore(Settings(home=tmp_path / "home", models=local))


@pytest.fixture
def hub() -> Iterator[ModelHub]:
    files = {
        "open_clip_config.json": json.dumps(CONFIG).encode(),
        "open_clip_model.safetensors": save({"weight": np.ones((256, 256), dtype=np.float32)}),
        "open_clip_pytorch_model.bin": b"a pickle that nobody wants",
        "README.md": b"a card",
    }
    with ModelHub(FAST.repository, files) as running:
        yield running


def test_a_missing_model_names_the_command_that_brings_it(store: ModelStore) -> None:
    with pytest.raises(WeightsUnavailable, match="dam models pull fast"):
        store.find("auto")
    with pytest.raises(WeightsUnavailable, match="dam models pull best"):
        store.find("best")
    with pytest.raises(NotFound, match="dam models pull"):
        store.verify("best")


def test_presets_are_listed_without_weights(store: ModelStore) -> None:
    states = store.list()
    assert [s.name for s in states if s.indexer == "visual"] == ["fast", "balanced", "best"]
    assert {"ast", "clap"} <= {state.name for state in states}
    assert {state.state for state in states} == {ModelCondition.MISSING}
    assert all(state.mend == f"dam models pull {state.name}" for state in states)
    assert all(state.licence and state.size_bytes for state in states)
    assert {state.licence for state in states} <= {"MIT", "Apache-2.0", "BSD-3-Clause"}


def test_auto_takes_the_best_preset_then_the_only_other_model(
    store: ModelStore, local: Path
) -> None:
    make_model(local / "mine")
    assert store.find("auto").name == "mine"
    make_model(local / "fast")
    assert store.find("auto").name == FAST.network
    make_model(local / BY_NAME["best"].folder)
    assert store.find("auto").name == BY_NAME["best"].network
    assert [s.name for s in store.list() if s.in_use] == ["best"]


def test_auto_asks_which_of_several_unknown_models(store: ModelStore, local: Path) -> None:
    make_model(local / "one")
    make_model(local / "two")
    with pytest.raises(WeightsUnavailable, match=r"DAM_VISUAL_MODEL to one of one, two"):
        store.find("auto")


def make_transformer(folder: Path, model_type: str, weights: str = "model.safetensors") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    (folder / "preprocessor_config.json").write_text("{}")
    save_file({"weight": np.zeros((8, 8), dtype=np.float32)}, folder / weights)
    return folder


def test_every_indexer_finds_its_own_kind_of_model_by_its_configuration(
    store: ModelStore, local: Path
) -> None:
    with pytest.raises(WeightsUnavailable, match="dam models pull ast"):
        store.find("auto", indexer="sounds")
    events = make_transformer(local / "events", "audio-spectrogram-transformer")
    words = make_transformer(local / "words", "clap")
    assert store.find("auto", indexer="sounds").path == events
    assert store.find("auto", indexer="sound_space").path == words
    with pytest.raises(WeightsUnavailable, match="dam models pull fast"):
        store.find("auto")
    with pytest.raises(WeightsUnavailable, match="words is not on this machine"):
        store.find("words", indexer="sounds")
    assert {s.name: s.indexer for s in store.list() if s.in_use} == {
        "events": "sounds", "words": "sound_space",
    }  # fmt: skip


def test_a_model_of_sounds_is_whole_only_with_weights_that_cannot_run_code(
    store: ModelStore, local: Path
) -> None:
    folder = make_transformer(local / "events", "audio-spectrogram-transformer", "x.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(WeightsUnavailable, match="dam models pull ast"):
        store.find("auto", indexer="sounds")
    with pytest.raises(WeightsUnavailable, match="is a pickle, which can run code"):
        store.find("events", indexer="sounds")
    assert store.verify("events").state is ModelCondition.DAMAGED


@pytest.fixture
def built_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that carries weights, and a setting that allows them."""
    folder = tmp_path / "package" / "weights"
    make_model(folder / "mini")
    monkeypatch.setattr("dam.models.BUILT_IN", folder)
    monkeypatch.setenv("DAM_BUILT_IN_MODEL", "true")
    return folder


def test_the_built_in_model_is_used_only_where_there_is_no_other(
    built_in: Path, tmp_path: Path, local: Path
) -> None:
    store = ModelStore(Settings(home=tmp_path / "home", models=local))
    assert store.find("auto").path == built_in / "mini"
    make_model(local / "mine")
    assert store.find("auto").name == "mine"
    make_model(local / "fast")
    assert store.find("auto").name == FAST.network
    assert store.find("mini").path == built_in / "mini"


def test_the_built_in_model_says_what_it_is_and_cannot_be_pulled(
    built_in: Path, tmp_path: Path
) -> None:
    store = ModelStore(Settings(home=tmp_path / "home"))
    state = store.list()[0]
    assert (state.name, state.state, state.in_use) == ("mini", ModelCondition.READY, True)
    assert "evaluation encoder" in (state.notice or "")
    assert "evaluation" in state.licence
    with pytest.raises(BadRequest, match="comes with dam"):
        store.pull("mini")
    with pytest.raises(NotFound, match="fast"):
        Pulls(Settings(home=tmp_path / "home")).start("mini")


def test_the_built_in_model_can_be_left_out(built_in: Path, tmp_path: Path) -> None:
    store = ModelStore(Settings(home=tmp_path / "home", built_in_model=False))
    assert "mini" not in [state.name for state in store.list()]
    with pytest.raises(WeightsUnavailable, match="DAM_BUILT_IN_MODEL"):
        store.find("mini")
    with pytest.raises(WeightsUnavailable, match="dam models pull fast"):
        store.find("auto")


def test_an_installation_without_the_built_in_weights_says_so_and_is_no_fault(
    built_in: Path, tmp_path: Path
) -> None:
    (built_in / "mini" / "open_clip_model.safetensors").unlink()
    store = ModelStore(Settings(home=tmp_path / "home"))
    state = store.list()[0]
    assert (state.name, state.state) == ("mini", ModelCondition.MISSING)
    assert (state.reason, state.mend, state.in_use) == (None, None, False)
    assert "without its weights" in state.source
    with pytest.raises(WeightsUnavailable, match="not in this installation"):
        store.find("mini")
    with pytest.raises(WeightsUnavailable, match="dam models pull fast"):
        store.find("auto")


def test_damaged_built_in_weights_are_not_used(built_in: Path, tmp_path: Path) -> None:
    weights = "open_clip_model.safetensors"
    Manifest("mini", "made here", "none", {weights: "0" * 64}).write(built_in / "mini")
    store = ModelStore(Settings(home=tmp_path / "home"))
    state = store.list()[0]
    assert (state.state, state.mend, state.in_use) == (ModelCondition.DAMAGED, None, False)
    with pytest.raises(WeightsUnavailable, match="dam models pull fast"):
        store.find("auto")


def test_what_was_measured_of_a_model_goes_with_it(
    store: ModelStore, local: Path, tmp_path: Path
) -> None:
    source = make_model(tmp_path / "elsewhere" / "mine")
    Manifest("mine", "made here", "none", calibration={"least_confidence": 0.7}).write(source)
    store.import_folder(source)
    assert store.find("mine").calibration == {"least_confidence": 0.7}
    make_model(local / "plain")
    assert store.find("plain").calibration == {}


def test_a_model_is_found_by_preset_network_folder_and_path(
    store: ModelStore, local: Path, tmp_path: Path
) -> None:
    make_model(local / FAST.folder)
    assert store.find("fast") == store.find(FAST.network) == store.find(FAST.folder)
    elsewhere = make_model(tmp_path / "elsewhere" / "mine")
    assert store.find(str(elsewhere)).path == elsewhere


def test_the_digest_follows_the_bytes_and_not_the_place(
    store: ModelStore, local: Path, settings: Settings
) -> None:
    first = store.find(str(make_model(local / "a")))
    same = ModelStore(settings).find(str(make_model(local / "b")))
    other = store.find(str(make_model(local / "c", value=1.0)))
    assert first.digest == same.digest != other.digest
    config = local / "a" / "open_clip_config.json"
    config.write_text(config.read_text() + " ")
    assert store.find("a").digest != first.digest, "the configuration shapes the vectors too"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: f.write_bytes(f.read_bytes()[:-7]), "its header promises"),
        (lambda f: f.write_bytes(b""), "is not a safetensors file"),
        (lambda f: f.write_bytes(b"\xff" * 4000), "is not a safetensors file"),
        (lambda f: f.write_bytes(b"\x04\0\0\0\0\0\0\0nope"), "damaged header"),
        (lambda f: f.rename(f.with_name("open_clip_pytorch_model.bin")), "is a pickle"),
        (lambda f: f.unlink(), "is missing"),
        (lambda f: (f.parent / "open_clip_config.json").write_text("{"), "cannot be read"),
        (lambda f: (f.parent / "open_clip_config.json").write_text("{}"), "no model_cfg"),
    ],
)
def test_a_damaged_model_is_refused_with_the_reason(
    store: ModelStore, local: Path, damage: object, said: str
) -> None:
    damage(make_model(local / "mine") / "open_clip_model.safetensors")  # type: ignore[operator]
    with pytest.raises(WeightsUnavailable, match=said):
        store.find("mine")
    (state,) = [state for state in store.list() if state.name == "mine"]
    assert state.state is ModelCondition.DAMAGED
    assert said in (state.reason or "")
    assert state.mend
    with pytest.raises(BadRequest, match=said):
        store.import_folder(local / "mine", "copy")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ({"hf_model_name": "xlm-roberta-base"}, "another repository"),
        ({"hf_tokenizer_name": "timm/ViT-B-16-SigLIP2"}, "tokenizer.json"),
    ],
)
def test_a_model_that_would_need_a_hub_to_load_is_refused(
    store: ModelStore, local: Path, text: dict[str, str], said: str
) -> None:
    config = {"model_cfg": {**CONFIG["model_cfg"], "text_cfg": text}}
    (make_model(local / "mine") / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsUnavailable, match=said):
        store.find("mine")


def test_an_imported_model_is_verified_against_its_manifest(
    store: ModelStore, tmp_path: Path
) -> None:
    state = store.import_folder(make_model(tmp_path / "usb" / "mine"))
    assert (state.name, state.state) == ("mine", ModelCondition.READY)
    assert store.verify("mine").state is ModelCondition.READY
    weights = store.find("mine").path / "open_clip_model.safetensors"
    body = bytearray(weights.read_bytes())
    body[-1] ^= 1  # same length, same header
    weights.write_bytes(body)
    damaged = store.verify("mine")
    assert damaged.state is ModelCondition.DAMAGED
    assert "sha256" in (damaged.reason or "")
    with pytest.raises(WeightsUnavailable, match="sha256"):
        store.find("mine")


def test_an_import_neither_overwrites_nor_escapes(store: ModelStore, tmp_path: Path) -> None:
    source = make_model(tmp_path / "usb" / "mine")
    store.import_folder(source)
    with pytest.raises(Conflict, match="already"):
        store.import_folder(source)
    for name in ("../out", ".hidden", "a b"):
        with pytest.raises(BadRequest, match="not a name"):
            store.import_folder(source, name)
    with pytest.raises(BadRequest, match="not an open_clip folder"):
        store.import_folder(tmp_path)


def test_an_import_that_dies_leaves_nothing_that_looks_whole(
    store: ModelStore, settings: Settings, tmp_path: Path
) -> None:
    incoming = make_model(settings.pulled_models_path / ".incoming-mine")
    assert (incoming / "open_clip_model.safetensors").is_file()  # killed before its rename
    with pytest.raises(WeightsUnavailable):
        store.find("mine")
    assert "mine" not in [state.name for state in store.list()]
    assert store.import_folder(make_model(tmp_path / "usb" / "mine")).state == "ready"


def test_offline_never_pulls_and_says_what_to_do(tmp_path: Path, hub: ModelHub) -> None:
    store = ModelStore(Settings(home=tmp_path / "home", offline=True), hub=hub.address)
    with pytest.raises(WeightsUnavailable, match=r"DAM_OFFLINE is set.*dam models import PATH"):
        store.pull("fast")


def test_a_pulled_preset_is_verified_and_served(settings: Settings, hub: ModelHub) -> None:
    store = ModelStore(settings, hub=hub.address)
    state = store.pull("fast")
    assert (state.name, state.state, state.licence) == ("fast", ModelCondition.READY, "MIT")
    assert state.sha256 == hub.promised["open_clip_model.safetensors"]
    assert state.in_use
    found = store.find("auto")
    assert sorted(path.name for path in found.path.iterdir()) == [
        "dam-model.json", "open_clip_config.json", "open_clip_model.safetensors",
    ]  # fmt: skip
    assert COMMIT in (found.path / "dam-model.json").read_text()


def test_a_download_that_breaks_off_goes_on_at_the_next_try(
    settings: Settings, hub: ModelHub
) -> None:
    store = ModelStore(settings, hub=hub.address)
    right = hub.promised["open_clip_model.safetensors"]
    hub.promised["open_clip_model.safetensors"] = "0" * 64
    with pytest.raises(WeightsUnavailable, match="arrived damaged"):
        store.pull("fast")
    with pytest.raises(WeightsUnavailable, match="dam models pull"):
        store.find("fast")
    hub.promised["open_clip_model.safetensors"] = right
    hub.cut = "open_clip_model.safetensors"
    assert store.pull("fast").state is ModelCondition.READY


def test_without_a_network_pull_names_the_other_way(settings: Settings) -> None:
    store = ModelStore(settings, hub="http://127.0.0.1:1")
    with pytest.raises(WeightsUnavailable, match="dam models import PATH"):
        store.pull("fast")
    failed, *others = store.list()
    assert (failed.name, failed.state) == ("fast", ModelCondition.FAILED)
    assert "dam models import PATH" in (failed.reason or "")
    assert {state.state for state in others} == {ModelCondition.MISSING}


def test_pulling_again_replaces_a_damaged_model(settings: Settings, hub: ModelHub) -> None:
    store = ModelStore(settings, hub=hub.address)
    store.pull("fast")
    weights = store.find("fast").path / "open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    assert store.list()[0].state is ModelCondition.DAMAGED
    assert store.list()[0].mend == "dam models pull fast"
    assert store.pull("fast").state is ModelCondition.READY


def test_an_unknown_network_is_refused(settings: Settings) -> None:
    with pytest.raises(BadRequest, match="neither a preset"):
        ModelStore(settings, hub="http://127.0.0.1:1").pull("ViT-Z-99/nothing")
