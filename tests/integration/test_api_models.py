"""Models from the web app: listed, downloaded in the background, and put to use."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.numpy import save

from dam.config import Settings
from dam.model_catalogue import BY_NAME
from dam.model_pulls import INTERRUPTED, DownloadRecord, Pulls
from dam.models import ModelCondition, ModelStore
from dam.tables import Preference
from tests.model_hub import CONFIG, fast_hub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.db import Database
    from tests.model_hub import ModelHub

MODELS = "/api/v1/models"
LIMIT_S = 90
HEAVY = ("torch", "open_clip", "huggingface_hub", "transformers")
# A web process of its own that pulls a model: what it loads for that must stay light.
LIGHT = f"""
import sys, time
from pathlib import Path
from dam.config import Settings
from web.app import create_app
app = create_app(Settings(home=Path(sys.argv[1])))
client = app.test_client()
assert client.post("{MODELS}/fast/pull").status_code == 202
while (state := client.get("{MODELS}").json["models"][0]["state"]) == "downloading":
    time.sleep(0.1)
assert state == "ready", state
assert client.post("{MODELS}/fast/use").status_code == 200
heavy = [name for name in {HEAVY!r} if name in sys.modules]
assert not heavy, heavy
app.extensions["dam"].close()
"""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelHub]:
    """A hub on this machine, named as `huggingface_hub` wants it, also to child processes."""
    with fast_hub() as opened:
        monkeypatch.setenv("HF_ENDPOINT", opened.address)
        yield opened


def fast(client: FlaskClient) -> Any:
    return next(one for one in client.get(MODELS).json["models"] if one["name"] == "fast")


def wait_for(ready: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + LIMIT_S
    while not (found := ready()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def settled(client: FlaskClient) -> Any:
    return wait_for(lambda: found if (found := fast(client))["state"] != "downloading" else None)


def test_a_missing_model_is_listed_with_the_command_that_brings_it(client: FlaskClient) -> None:
    model = fast(client)
    assert (model["state"], model["command"]) == ("missing", "dam models pull fast")
    assert model["licence"] == "MIT" and model["size_bytes"] > 1e8 and model["summary"]
    assert "finds photos and moments" in model["purpose"]
    assert model["can_be_pulled"] and not model["in_use"] and model["download"] is None


def test_a_model_is_downloaded_in_the_background(client: FlaskClient, hub: ModelHub) -> None:
    asked = client.post(f"{MODELS}/fast/pull")
    assert asked.status_code == 202
    assert asked.json["state"] == "downloading"
    assert asked.json["download"]["error"] is None
    assert client.post(f"{MODELS}/fast/pull").status_code == 202, "asked twice, done once"
    model = settled(client)
    assert (model["state"], model["download"], model["command"]) == ("ready", None, None)
    assert model["sha256"] == hub.promised["open_clip_model.safetensors"]
    assert model["in_use"], "it is the only one"


def test_a_download_that_fails_says_why_and_goes_on_when_asked_again(
    client: FlaskClient, hub: ModelHub
) -> None:
    right = hub.promised["open_clip_model.safetensors"]
    hub.promised["open_clip_model.safetensors"] = "0" * 64
    client.post(f"{MODELS}/fast/pull")
    model = settled(client)
    assert model["state"] == "failed"
    assert "arrived damaged" in model["reason"] == model["download"]["error"]
    total = sum(len(body) for body in hub.files.values())
    assert model["download"]["total_bytes"] == total
    assert 0 < model["download"]["received_bytes"] <= total
    hub.promised["open_clip_model.safetensors"] = right
    client.post(f"{MODELS}/fast/pull")
    assert settled(client)["state"] == "ready"


def test_pulling_and_using_load_no_machine_learning_into_the_web(
    tmp_path: Path, hub: ModelHub
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert done.returncode == 0, done.stderr


def test_a_download_that_the_end_of_the_server_cut_off_goes_on_with_the_next(
    settings: Settings, hub: ModelHub
) -> None:
    hub.hold = "open_clip_model.safetensors"
    store = ModelStore(settings)

    def state() -> Any:
        return store.list()[0]

    first = Pulls(settings)
    first.start("fast")
    wait_for(lambda: hub.held)
    assert state().state is ModelCondition.DOWNLOADING
    first.close()
    assert (state().state, state().reason) == (ModelCondition.FAILED, INTERRUPTED)
    hub.release()
    second = Pulls(settings)
    second.resume()
    wait_for(lambda: state().state is ModelCondition.READY)
    second.close()


def test_a_download_can_be_cancelled(
    client: FlaskClient, settings: Settings, hub: ModelHub
) -> None:
    hub.hold = "open_clip_model.safetensors"
    client.post(f"{MODELS}/fast/pull")
    wait_for(lambda: hub.held)
    assert client.delete(f"{MODELS}/fast/pull").json["state"] == "missing"
    hub.release()
    record = DownloadRecord(settings.pulled_models_path, BY_NAME["fast"].network)
    record.begin(None)  # this process downloads it, as `dam models pull` would
    assert fast(client)["state"] == "downloading"
    refused = client.delete(f"{MODELS}/fast/pull")
    assert (refused.status_code, "Another program" in refused.json["detail"]) == (409, True)


def test_what_is_unknown_or_offline_is_refused(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method, path in (("POST", "pull"), ("DELETE", "pull"), ("POST", "use")):
        assert client.open(f"{MODELS}/typo/{path}", method=method).status_code == 404
    offline = Settings(home=settings.home, offline=True)
    monkeypatch.setattr(client.application.extensions["dam"].pulls, "_settings", offline)
    refused = client.post(f"{MODELS}/fast/pull")
    assert (refused.status_code, "dam models import" in refused.json["detail"]) == (503, True)


def test_a_model_that_is_here_can_be_put_to_use(
    client: FlaskClient, settings: Settings, database: Database
) -> None:
    for name, fill in (("fast", 0.0), ("mine", 1.0)):
        folder = settings.pulled_models_path / name
        folder.mkdir(parents=True)
        (folder / "open_clip_config.json").write_bytes(CONFIG)
        weights = save({"weight": np.full((8, 8), fill, dtype=np.float32)})
        (folder / "open_clip_model.safetensors").write_bytes(weights)
    assert fast(client)["in_use"]
    used = client.post(f"{MODELS}/mine/use")
    assert (used.status_code, used.json["in_use"], used.json["serves"]) == (200, True, False)
    assert not fast(client)["in_use"]
    with database.read() as session:
        assert session.get_one(Preference, "visual_model").value == "mine"
    absent = client.post(f"{MODELS}/best/use")
    assert (absent.status_code, "dam models pull best" in absent.json["detail"]) == (409, True)


def test_the_evaluation_encoder_says_what_it_is_and_is_not_pulled(
    client: FlaskClient, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "package" / "mini"
    folder.mkdir(parents=True)
    (folder / "open_clip_config.json").write_bytes(CONFIG)
    weights = save({"weight": np.ones((8, 8), dtype=np.float32)})
    (folder / "open_clip_model.safetensors").write_bytes(weights)
    monkeypatch.setattr("dam.models.BUILT_IN", folder.parent)
    allowed = settings.model_copy(update={"built_in_model": True})
    monkeypatch.setattr(client.application.extensions["dam"], "settings", allowed)
    mini = client.get(MODELS).json["models"][0]
    assert (mini["name"], mini["state"], mini["in_use"]) == ("mini", "ready", True)
    assert "evaluation encoder" in mini["notice"]
    assert (mini["can_be_pulled"], mini["command"]) == (False, None)
    assert fast(client)["notice"] is None
    assert client.post(f"{MODELS}/mini/pull").status_code == 404
    assert client.get("/api/v1/status").json["notice"] is None, "it answers nothing yet"


def test_a_setting_that_names_a_model_decides(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixed = Settings(home=settings.home, visual_model="fast")
    monkeypatch.setattr(client.application.extensions["dam"], "settings", fixed)
    refused = client.post(f"{MODELS}/balanced/use")
    assert refused.status_code == 409
    assert "DAM_VISUAL_MODEL is set to fast" in refused.json["detail"]
