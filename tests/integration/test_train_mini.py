"""Training from a folder to an open_clip model, in seconds and therefore to no use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

from indexers.clip import Clip
from tools import train_mini
from tools.mini import student
from tools.mini.pictures import Photo
from tools.mini.texts import Texts

if TYPE_CHECKING:
    from pathlib import Path

COLOURS = {"red": (200, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 200)}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    lines = []
    for number, (name, colour) in enumerate([*COLOURS.items()] * 8):
        Image.new("RGB", (96, 80), colour).save(folder / f"{number}.jpg")
        caption = f"number {number} is all {name}"
        row = {"file": f"{number}.jpg", "labels": [name], "captions": [caption], "split": "train"}
        lines.append(json.dumps(row))
    (folder / "index.jsonl").write_text("\n".join(lines))
    return folder


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    """Any open_clip folder will do; what this one sees is still different for each colour."""
    torch.manual_seed(0)
    texts = Texts([Photo("a.jpg", None, (), ("anything",), "train", "made")], context=32)
    folder = tmp_path / "teacher"
    student.save(student.build(len(texts.vocabulary)).state_dict(), texts.vocabulary, folder)
    return folder


def test_training_makes_a_model_and_goes_on_when_it_is_asked_again(
    pictures: Path, teacher: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    work, out = tmp_path / "work", tmp_path / "out"
    command = [str(pictures), "--teacher", str(teacher), "--work", str(work), "--out", str(out)]
    short = ["--align-minutes", "0.01", "--batch", "4"]
    train_mini.main([*command, *short, "--processes", "2", "--minutes", "0.02"])
    first = torch.load(work / "training.pt")
    longer = str(0.02 + first["elapsed_s"] / 60)
    train_mini.main([*command, *short, "--processes", "1", "--minutes", longer])
    second = torch.load(work / "training.pt")
    assert second["step"] > first["step"]
    assert second["elapsed_s"] > first["elapsed_s"]
    clip = Clip(out, cache=tmp_path, digest="test", runtime="torch", precision="fp32", threads=1)
    assert np.isfinite(clip.encode_texts(["something red"])).all()
    assert capfd.readouterr().out.count("24 pictures decoded") == 1


def test_photos_without_captions_are_refused(pictures: Path, teacher: Path, tmp_path: Path) -> None:
    index = pictures / "index.jsonl"
    rows = [json.loads(line) for line in index.read_text().splitlines()]
    index.write_text("\n".join(json.dumps({**row, "captions": []}) for row in rows))
    command = [str(pictures), "--teacher", str(teacher), "--work", str(tmp_path / "work")]
    with pytest.raises(ValueError, match="0 photos of the split `train` have captions"):
        train_mini.main([*command, "--out", str(tmp_path / "out")])
