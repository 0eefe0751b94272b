"""Makes a trained picture model the one that comes with dam: mini, the evaluation encoder.

    python -m tools.ship_mini MODEL --pictures FOLDER

`MODEL` is the open_clip folder that `tools.train_mini` wrote, `FOLDER` its pictures or its
`--work` folder. Copies configuration and weights to `dam/weights/mini`, fits the confidence of its
tags on one half of the test split, measures everything on the other half or all of it, and writes
`figures.json`, the manifest and the table of the card. Says what to commit; commits nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from dam.model_catalogue import BY_NAME
from dam.model_files import CONFIG, WEIGHTS, Manifest, flaw, size_bytes
from tools.measure_mini import as_json, calibrate, load, measure, open_pictures
from tools.mini.card import FIGURES, FOLDER, fill
from tools.mini.figure import Figure, table
from tools.mini.sample import sample_figures

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCE = "trained from scratch with tools/train_mini.py; README.md beside it names the data"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="ship_mini", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--into", type=Path, default=FOLDER)
    asked = parser.parse_args(arguments)
    figures = ship(asked.model, asked.pictures, asked.into)
    sys.stdout.write(table(figures) + f"\nTo commit, once: {asked.into}\n")
    return 0


def ship(model: Path, pictures_folder: Path, into: Path) -> list[Figure]:
    """Raises `ValueError` for a folder that is no whole model."""
    reason = flaw(model)
    if reason:
        raise ValueError(f"{model}: {reason}")
    for name in (CONFIG, WEIGHTS):
        if model.resolve() != into.resolve():
            shutil.copyfile(model / name, into / name)
    sums = {name: _sha256(into / name) for name in (CONFIG, WEIGHTS)}
    with tempfile.TemporaryDirectory() as scratch:
        pictures = open_pictures(pictures_folder, Path(scratch))
        clip = load(into, Path(scratch))
        calibration = calibrate(clip, pictures)
        figures = [
            *measure(clip, pictures, calibration),
            *sample_figures(clip),
            Figure("size, MB", size_bytes(into) / 1e6, None, 1),
        ]
    found = as_json(figures, calibration, sums[WEIGHTS])
    (into / FIGURES).write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    preset = BY_NAME["mini"]
    Manifest(preset.network, SOURCE, preset.licence, sums, asdict(calibration)).write(into)
    fill(into)
    return figures


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
