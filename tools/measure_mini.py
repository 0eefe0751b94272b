"""Measures a picture model on the test part of a folder of captioned pictures.

    python -m tools.measure_mini MODEL --pictures FOLDER [--json FILE]

`MODEL` is an open_clip folder and is loaded by the code that dam itself uses; `FOLDER` is a
folder of captioned pictures or the `--work` folder of `tools.train_mini`. Every figure stands
beside what chance would give. Prints a table; `--json` keeps the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from indexers.calibration import Standard
from indexers.clip import Clip
from indexers.vocabulary import load_vocabularies, neutral_texts
from tools.mini.pictures import PHOTOS, Pictures, decode

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
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
TIMED = 64


@dataclass(frozen=True, slots=True)
class Figure:
    what: str
    value: float
    chance: float | None  # None where there is no such thing
    of: int  # how many it was counted over


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="measure_mini", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        pictures = _pictures(asked.pictures, Path(scratch))
        clip = Clip(
            asked.model.resolve(),
            cache=Path(scratch),
            digest="measured",
            runtime="torch",
            precision="fp32",
            threads=1,
        )
        figures = measure(clip, pictures)
    _print(figures)
    if asked.json:
        asked.json.write_text(json.dumps([asdict(f) for f in figures], indent=1) + "\n")
    return 0


def measure(clip: Clip, pictures: Pictures) -> list[Figure]:
    """All figures, over photos of the split `test` alone. Raises `ValueError` without any."""
    rows = pictures.of("test")
    if not rows:
        raise ValueError("No photo has the split `test`: there is nothing to measure on.")
    photos = [pictures.photos[at] for at in rows]
    batches = [rows[at : at + 64] for at in range(0, len(rows), 64)]
    vectors = np.concatenate(
        [clip.encode_images([clip.prepare(pictures[at]) for at in batch]) for batch in batches]
    )
    say = clip.encode_texts
    return [
        *recalls(vectors, photos, say),
        *scenes(vectors, photos, say),
        *objects(vectors, photos, say),
        *tags(vectors, photos, say),
        *speeds(clip, [pictures[at] for at in rows[:TIMED]]),
    ]


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


def tags(vectors: Unit, photos: Sequence[Photo], say: Callable[[list[str]], Unit]) -> list[Figure]:
    """Per threshold of confidence: how many tags a photo gets and how many of them are right.

    Right means that a label or a caption says the word: both leave things out, so it is a floor.
    """
    neutral = say(list(neutral_texts()))
    vocabularies = [each for each in load_vocabularies("objects,scenes") if not each.exclusive]
    words = {word: texts for each in vocabularies for word, texts in each.words.items()}
    centres = np.stack([say(list(texts)).mean(axis=0) for texts in words.values()])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    confidence = Standard(vectors, neutral).independent(centres)
    said = [" " + " ".join([*p.labels, *p.captions]).lower() + " " for p in photos]
    true = np.array([[word.lower() in text for word in words] for text in said], dtype=bool)
    found = []
    for threshold in THRESHOLDS:
        given = confidence >= threshold
        count = int(given.sum())
        found.append(Figure(f"tags a photo at {threshold}", count / len(photos), None, len(photos)))
        if count:
            right = float(true[given].mean())
            found.append(Figure(f"tags right at {threshold}", right, float(true.mean()), count))
    return found


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


def _pictures(folder: Path, scratch: Path) -> Pictures:
    if (folder / PHOTOS).is_file():
        return Pictures(folder)
    decode(folder, scratch / "pictures")
    return Pictures(scratch / "pictures")


def _print(figures: Sequence[Figure]) -> None:
    lines = ["| figure | value | chance | of |", "|---|---|---|---|"]
    for figure in figures:
        chance = "" if figure.chance is None else f"{figure.chance:.3f}"
        lines.append(f"| {figure.what} | {figure.value:.3f} | {chance} | {figure.of} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
