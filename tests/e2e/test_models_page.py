"""Models: what is here, how the rest is had, and which one is used."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from safetensors.numpy import save

from dam.model_catalogue import BY_NAME
from tests.cli import Dam
from tests.e2e.conftest import serving
from tests.model_hub import ModelHub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.conftest import Server

CONFIG = json.dumps({"model_cfg": {"embed_dim": 4, "vision_cfg": {}, "text_cfg": {}}}).encode()
WEIGHTS = "open_clip_model.safetensors"
SLOW_MS = 60_000  # the download is a process that starts first


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelHub]:
    weights = save({"weight": np.ones((512, 512), dtype=np.float32)})
    files = {"open_clip_config.json": CONFIG, WEIGHTS: weights}
    with ModelHub(BY_NAME["fast"].repository, files) as opened:
        monkeypatch.setenv("HF_ENDPOINT", opened.address)
        yield opened


@pytest.fixture
def online(hub: ModelHub, tmp_path: Path) -> Iterator[Server]:
    """A dam without models that may download them from the hub."""
    with serving(Dam(tmp_path / "home", {"offline": "0", "threads": "1"})) as running:
        yield running


def test_a_missing_model_says_what_it_is_and_how_it_is_had(page: Page, online: Server) -> None:
    page.goto(online.url)
    page.get_by_role("link", name="Models").click()
    card = page.get_by_role("article", name="fast", exact=True)
    expect(card.get_by_text("not on this machine")).to_be_visible()
    expect(card.get_by_text("MIT")).to_be_visible()
    expect(card.get_by_text("MB", exact=False).first).to_be_visible()
    expect(card.get_by_text("dam models pull fast", exact=True)).to_be_visible()


def test_a_model_is_downloaded_and_its_progress_is_seen(
    page: Page, online: Server, hub: ModelHub
) -> None:
    hub.hold = WEIGHTS
    page.goto(f"{online.url}/models")
    card = page.get_by_role("article", name="fast", exact=True)
    card.get_by_role("button", name="Download").click()
    progress = card.get_by_role("progressbar", name="Download of fast")
    expect(progress).to_be_visible()
    expect(card.get_by_text(" of ", exact=False)).to_be_visible(timeout=SLOW_MS)
    page.reload()
    expect(progress).to_be_visible()
    hub.release()
    expect(card.get_by_text("on this machine", exact=True)).to_be_visible(timeout=SLOW_MS)
    expect(card.get_by_text("in use", exact=True)).to_be_visible()
    expect(card.get_by_role("button", name="Download")).to_have_count(0)


def test_a_download_that_failed_says_why_and_is_tried_again(
    page: Page, online: Server, hub: ModelHub
) -> None:
    right, hub.promised[WEIGHTS] = hub.promised[WEIGHTS], "0" * 64
    page.goto(f"{online.url}/models")
    card = page.get_by_role("article", name="fast", exact=True)
    card.get_by_role("button", name="Download").click()
    expect(card.get_by_role("alert")).to_contain_text("arrived damaged", timeout=SLOW_MS)
    hub.promised[WEIGHTS] = right
    card.get_by_role("button", name="Download again").click()
    expect(card.get_by_text("on this machine", exact=True)).to_be_visible(timeout=SLOW_MS)


def test_a_download_is_stopped(page: Page, online: Server, hub: ModelHub) -> None:
    hub.hold = WEIGHTS
    page.goto(f"{online.url}/models")
    card = page.get_by_role("article", name="fast", exact=True)
    card.get_by_role("button", name="Download").click()
    card.get_by_role("button", name="Stop").click()
    expect(card.get_by_role("progressbar")).to_have_count(0, timeout=SLOW_MS)
    expect(card.get_by_role("button", name="Download")).to_be_visible()


def test_another_model_is_put_to_use(
    page: Page, hub: ModelHub, tmp_path: Path, shared: Path
) -> None:
    settings = {"offline": "0", "threads": "1", "models": str(shared / "models")}
    dam = Dam(tmp_path / "home", settings)
    dam.run("models", "pull", "fast")
    with serving(dam) as running:
        models = {model["name"]: model for model in running.get("/api/v1/models")["models"]}
        used = next(name for name, model in models.items() if model["in_use"])
        other = next(
            name
            for name, model in models.items()
            if model["state"] == "ready" and model["indexer"] == "visual" and name != used
        )
        page.goto(f"{running.url}/models")
        card = page.get_by_role("article", name=other, exact=True)
        card.get_by_role("button", name="Use this one").click()
        expect(card.get_by_text("in use", exact=True)).to_be_visible()
        before = page.get_by_role("article", name=used, exact=True)
        expect(before.get_by_text("in use", exact=True)).to_have_count(0)
        expect(page.get_by_text("searches go on as before", exact=False)).to_be_visible()


def test_offline_is_said_with_the_setting(
    page: Page, newcomer: Server, expected_messages: set[str]
) -> None:
    expected_messages.add("status of 503")
    page.goto(f"{newcomer.url}/models")
    card = page.get_by_role("article", name="fast", exact=True)
    card.get_by_role("button", name="Download").click()
    expect(page.get_by_text("DAM_OFFLINE", exact=False).first).to_be_visible()
