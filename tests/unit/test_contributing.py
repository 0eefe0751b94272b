"""The indexer that CONTRIBUTING.md shows, taken from that page and run."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dam.contracts import Frame, Indexer, Item, Kind, Setup, Span, Tag
from dam.errors import WeightsUnavailable
from dam.indexing.registry import contract_faults

if TYPE_CHECKING:
    from dam.contracts import ModelFiles

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"


class NoModels:
    def find(self, name: str) -> ModelFiles:
        raise WeightsUnavailable(name)


@pytest.fixture
def example(tmp_path: Path) -> type[Indexer]:
    page = PAGE.read_text(encoding="utf-8")
    shown = re.search(r"<!-- example: (\S+) -->\n```python\n(.*?)```", page, re.DOTALL)
    assert shown, "CONTRIBUTING.md shows no example indexer"
    path = tmp_path / shown[1]
    path.write_text(shown[2], encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: type[Indexer] = module.Brightness
    return found


def grey(level: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((36, 64, 3), level, np.uint8)


def test_example_indexer_keeps_the_contract(example: type[Indexer]) -> None:
    assert contract_faults(example) == []


def test_example_indexer_tells_bright_from_dark(example: type[Indexer], tmp_path: Path) -> None:
    frames = [
        Frame(0, None, grey(10), grey(10)),
        Frame(1_000_000, None, grey(240)),  # not a sample: carries no image
        Frame(2_000_000, None, grey(240), grey(240)),
    ]
    items = [
        Item("a", Kind.PHOTO, image=grey(250)),
        Item("b", Kind.VIDEO, duration_us=4_000_000, frames=iter(frames)),
        Item("c", Kind.VIDEO, duration_us=None, frames=iter(())),
    ]
    with example(Setup(models=NoModels(), cache=tmp_path)) as indexer:
        photo, video, empty = indexer.index(items)
    assert [(f.word, f.span) for f in photo.findings if isinstance(f, Tag)] == [("bright", None)]
    assert [(f.word, f.span) for f in video.findings if isinstance(f, Tag)] == [
        ("dark", Span(0, 2_000_000)),
        ("bright", Span(2_000_000, 4_000_000)),
    ]
    assert not empty.findings
