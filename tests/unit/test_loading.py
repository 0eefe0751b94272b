"""Networks load without the modules that nobody needs, and those still work when they are."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from indexers.loading import CONFIGURATION

if TYPE_CHECKING:
    from pathlib import Path


def run(code: str, *arguments: object) -> str:
    """In a process of its own: what is imported stays."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def network(folder: Path, **text: object) -> Path:
    folder.mkdir()
    configuration = {"model_cfg": {"text_cfg": text, "vision_cfg": {"layers": 12}}}
    (folder / CONFIGURATION).write_text(json.dumps(configuration))
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return network(tmp_path / "own", width=64)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    return network(tmp_path / "foreign", hf_model_name="somewhere/roberta")


def test_open_clip_comes_without_what_a_plain_network_does_not_need(own: Path) -> None:
    code = """
import sys
from pathlib import Path
from indexers.loading import import_open_clip
import_open_clip(Path(sys.argv[1]))
heavy = {"open_clip", "timm", "transformers", "torch._dynamo", "torch._dynamo.utils"}
print(*(heavy & sys.modules.keys()))
import timm
import transformers
import torch._dynamo.utils
print(torch._dynamo.utils.is_compile_supported("cpu"))
"""
    assert run(code, own).splitlines() == ["open_clip", "True"]


def test_a_text_tower_from_transformers_finds_it_whatever_was_loaded_before(
    own: Path, foreign: Path
) -> None:
    code = """
import sys
from pathlib import Path
from indexers.loading import import_open_clip
for folder in sys.argv[1:]:
    import_open_clip(Path(folder))
    import open_clip.model
    made = open_clip.model.HFTextEncoder.__init__.__globals__
    print(made["transformers"] is not None, end=" ")
"""
    assert run(code, own, foreign, own).split() == ["False", "True", "True"]
    assert run(code, foreign, own).split() == ["True", "True"]


def test_a_picture_tower_from_timm_loads_first_and_after_another(own: Path, shared: Path) -> None:
    code = """
import sys
from pathlib import Path
from indexers.loading import import_open_clip
for folder in sys.argv[1:]:
    import_open_clip(Path(folder))
import open_clip
print(type(open_clip.create_model(f"local-dir:{folder}").visual).__name__)
"""
    standin = shared / "models" / "clip-standin"
    assert run(code, standin) == "TimmModel"
    assert run(code, own, standin) == "TimmModel"
