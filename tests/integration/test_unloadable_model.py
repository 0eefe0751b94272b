"""A model that is there but does not load is as good as absent: its work waits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import save_file

from tests.cli import Dam
from tests.media import RED, write_jpeg

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = {"model_cfg": {"embed_dim": 4, "vision_cfg": {}, "text_cfg": {}}}


def test_indexing_ends_says_why_and_names_are_searched(tmp_path: Path) -> None:
    model = tmp_path / "models" / "strange"
    model.mkdir(parents=True)
    (model / "open_clip_config.json").write_text(json.dumps(CONFIG))
    save_file({"weight": np.ones((64, 64), np.float32)}, model / "open_clip_model.safetensors")
    write_jpeg(tmp_path / "photos" / "red-kite.jpg", RED)
    dam = Dam(tmp_path / "home", {"models": str(model.parent), "threads": "1", "decoders": "1"})
    dam.run("library", "add", str(tmp_path / "photos"))

    runs = dam.json("index")["runs"]
    assert (runs["previews"]["done"], runs["shots"]["waiting"]) == (1, 0)
    assert (runs["visual"]["done"], runs["visual"]["failed"], runs["visual"]["waiting"]) == (
        0,
        0,
        1,
    )
    assert "open_clip cannot load the model" in dam.run("status")
    assert dam.json("search", "kite")["results"][0]["path"].endswith("red-kite.jpg")
