"""Measures a picture model on the test part of a folder of captioned pictures.

    python -m tools.measure_mini MODEL --pictures FOLDER [--json FILE]

`MODEL` is an open_clip folder and is loaded by the code that dam itself uses; `FOLDER` is a
folder of captioned pictures or the `--work` folder of `tools.train_mini`. Every figure stands
beside what chance would give. Prints a table; `--json` keeps the figures. The confidence of tags
is the one in the manifest of the model, measured on the half of the photos that did not fit it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from dam.model_files import WEIGHTS, read_manifest
from dam.search.explain import GOOD, STRONG
from dam.search.fuse import Background
from indexers.calibration import Calibration
from indexers.clip import Clip
from tools.mini.figure import Figure, table
from tools.mini.pictures import PHOTOS, Pictures, decode
from tools.mini.tagging import fit, judge, tag_figures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from dam.contracts import Unit
    from tools.mini.pictures import Photo

    Truth = NDArray[np.bool_]

CAPTIONED_POOL = 324  # of the first captioned test photos: the pool of earlier figures
RANKS = (1, 5, 10)
SCENE_SOURCES = ("intel_scenes", "sun_scenes", "weather")
LEAST_SHARE = 0.05  # of a source's test photos that a scene stands for; rarer ones are not asked
LEAST_PHOTOS = 10  # that show an object: under it an average precision is luck
PROMPT = "a photo of {}"
TIMED = 64


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="measure_mini", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    calibration = _calibration(asked.model)
    with tempfile.TemporaryDirectory() as scratch:
        pictures = open_pictures(asked.pictures, Path(scratch))
        figures = measure(load(asked.model, Path(scratch)), pictures, calibration)
    sys.stdout.write(table(figures))
    if asked.json:
        weights = hashlib.sha256((asked.model / WEIGHTS).read_bytes()).hexdigest()
        found = as_json(figures, calibration, weights)
        asked.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    return 0


def load(folder: Path, scratch: Path) -> Clip:
    """With the reference runtime, on one core."""
    return Clip(
        folder.resolve(),
        cache=scratch,
        digest="measured",
        runtime="torch",
        precision="fp32",
        threads=1,
    )


def as_json(
    figures: Sequence[Figure], calibration: Calibration, weights_sha256: str
) -> dict[str, Any]:
    return {
        "weights_sha256": weights_sha256,
        "calibration": asdict(calibration),
        "figures": [asdict(each) for each in figures],
    }


def calibrate(clip: Clip, pictures: Pictures) -> Calibration:
    """Of the first half of the test photos, every other one; `measure` looks at the second."""
    rows = pictures.of("test")[::2]
    photos = [pictures.photos[at] for at in rows]
    return fit(judge(_seen(clip, pictures, rows), photos, clip.encode_texts))


def measure(clip: Clip, pictures: Pictures, calibration: Calibration) -> list[Figure]:
    """All figures, over photos of the split `test` alone. Raises `ValueError` without any."""
    rows = pictures.of("test")
    if not rows:
        raise ValueError("No photo has the split `test`: there is nothing to measure on.")
    photos = [pictures.photos[at] for at in rows]
    vectors = _seen(clip, pictures, rows)
    say = clip.encode_texts
    return [
        *recalls(vectors, photos, say),
        *scenes(vectors, photos, say),
        *objects(vectors, photos, say),
        *cut_off(vectors, photos, say),
        *tag_figures(judge(vectors[1::2], photos[1::2], say), calibration),
        *speeds(clip, [pictures[at] for at in rows[:TIMED]]),
    ]


def _seen(clip: Clip, pictures: Pictures, rows: Sequence[int]) -> Unit:
    batches = [rows[at : at + 64] for at in range(0, len(rows), 64)]
    return np.concatenate(
        [clip.encode_images([clip.prepare(pictures[at]) for at in batch]) for batch in batches]
    )


def _calibration(folder: Path) -> Calibration:
    manifest = read_manifest(folder)
    return Calibration.of(manifest.calibration if manifest else {})


def recalls(
    vectors: Unit, photos: Sequence[Photo], say: Callable[[list[str]], Unit]
) -> list[Figure]:
    """R@k of each caption among the first captioned photos and among all of them."""
    captioned = [at for at, photo in enumerate(photos) if photo.captions]
    found = []
    for pool in dict.fromkeys((min(CAPTIONED_POOL, len(captioned)), len(captioned))):
        rows = captioned[:pool]
        own = np.array([at for at, row in enumerate(rows) for _ in photos[row].captions])
        if not len(own):
            continue
        scores = say([c for row in rows for c in photos[row].captions]) @ vectors[rows].T
        ranks = (scores > scores[np.arange(len(own)), own][:, None]).sum(axis=1)
        found += [
            Figure(f"text to image R@{k}, pool {pool}", float((ranks < k).mean()), k / pool, pool)
            for k in RANKS
        ]
    return found


def cut_off(
    vectors: Unit, photos: Sequence[Photo], say: Callable[[list[str]], Unit]
) -> list[Figure]:
    """How often search calls a caption's own photo a good or a strong match, among all photos of
    the split; in the place of chance, how often any other one."""
    own = [at for at, photo in enumerate(photos) for _ in photo.captions]
    if not own:
        return []
    queries = say([caption for photo in photos for caption in photo.captions])
    sure = np.array(
        [Background.of(query, vectors).confidence(vectors @ query) for query in queries]
    )
    mine = sure[np.arange(len(own)), own]
    count = len(own) * (len(photos) - 1)
    return [
        Figure(
            f"own photo is a {name} match (from {least:g})",
            float((mine >= least).mean()),
            float(((sure >= least).sum() - (mine >= least).sum()) / count),
            len(own),
        )
        for name, least in (("good", GOOD), ("strong", STRONG))
    ]


def scenes(
    vectors: Unit, photos: Sequence[Photo], say: Callable[[list[str]], Unit]
) -> list[Figure]:
    """How often the nearest of a source's main labels is one of the photo's."""
    found = []
    for source in SCENE_SOURCES:
        rows = [at for at, photo in enumerate(photos) if photo.source == source and photo.labels]
        first = [photos[at].labels[0] for at in rows]
        asked = [x for x in sorted(set(first)) if first.count(x) >= LEAST_SHARE * len(rows)]
        rows = [at for at, label in zip(rows, first, strict=True) if label in asked]
        if not rows:
            continue
        nearest = (vectors[rows] @ say([PROMPT.format(x) for x in asked]).T).argmax(axis=1)
        right = [asked[n] in photos[at].labels for n, at in zip(nearest, rows, strict=True)]
        chance = np.mean([len(set(asked) & {*photos[at].labels}) / len(asked) for at in rows])
        found.append(Figure(f"scenes of {source}", float(np.mean(right)), float(chance), len(rows)))
    return found


def objects(
    vectors: Unit, photos: Sequence[Photo], say: Callable[[list[str]], Unit]
) -> list[Figure]:
    """Mean average precision of finding all test photos with a label by its name."""
    labels = sorted({label for photo in photos for label in photo.labels})
    shows = np.array([[label in photo.labels for label in labels] for photo in photos], dtype=bool)
    kept = np.flatnonzero(shows.sum(axis=0) >= LEAST_PHOTOS)
    if not len(kept):
        return []
    scores = say([PROMPT.format(labels[at]) for at in kept]) @ vectors.T
    precision = [_average_precision(scores[n], shows[:, at]) for n, at in enumerate(kept)]
    chance = float(shows[:, kept].mean())
    return [Figure("labels, mean average precision", float(np.mean(precision)), chance, len(kept))]


def _average_precision(scores: NDArray[Any], true: Truth) -> float:
    ordered = true[np.argsort(-scores, kind="stable")]
    at = np.flatnonzero(ordered)
    return float(((np.arange(len(at)) + 1) / (at + 1)).mean())


def speeds(clip: Clip, pixels: Sequence[Any]) -> list[Figure]:
    """Processor time on one thread, without decoding."""
    prepared = [clip.prepare(each) for each in pixels]
    clip.encode_images(prepared[:8])
    began = time.process_time()
    clip.encode_images(prepared)
    image_ms = 1e3 * (time.process_time() - began) / len(prepared)
    texts = ["two dogs run along a beach at sunset"] * len(prepared)
    began = time.process_time()
    clip.encode_texts(texts)
    text_ms = 1e3 * (time.process_time() - began) / len(texts)
    return [
        Figure("image, CPU ms on one core", image_ms, None, len(prepared)),
        Figure("text, CPU ms on one core", text_ms, None, len(texts)),
    ]


def open_pictures(folder: Path, scratch: Path) -> Pictures:
    if (folder / PHOTOS).is_file():
        return Pictures(folder)
    decode(folder, scratch / "pictures")
    return Pictures(scratch / "pictures")


if __name__ == "__main__":
    sys.exit(main())
