"""A folder of captioned pictures, decoded once into one flat file that training maps into memory.

The folder holds `index.jsonl`, one JSON object a line, or `index.csv` with the same columns:

    file      path of the picture, relative to the folder or inside `shard`
    shard     optional: a plain tar beside the index that holds `file`
    labels    what it shows, the main one first (CSV: separated by `;`); may be empty
    captions  sentences (CSV: separated by `|`); may be empty
    split     `train` or `test`; nothing of `test` is ever trained on
    source    optional: figures are given for each
"""

from __future__ import annotations

import csv
import json
import tarfile
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Pixels = NDArray[np.uint8]

PIXELS, PHOTOS, SHAPES = "pixels.u8", "photos.jsonl", "shapes.npy"
# What a training crop is cut from. Larger costs memory and gains nothing at 112 px.
SHORT_SIDE_PX = 128
MAX_ASPECT = 2.0  # a longer strip is cut to its middle, as it is when it is searched


@dataclass(frozen=True, slots=True)
class Photo:
    file: str
    shard: str | None
    labels: tuple[str, ...]
    captions: tuple[str, ...]
    split: str
    source: str


class Pictures:
    """Decoded pictures in the order of `photos`; `decode` makes the folder this reads."""

    def __init__(self, cache: Path) -> None:
        lines = (cache / PHOTOS).read_text(encoding="utf-8").splitlines()
        self.photos = [_photo(json.loads(line)) for line in lines]
        self._shapes = np.load(cache / SHAPES)
        sizes = self._shapes.prod(axis=1) * 3
        self._starts = np.concatenate([[0], np.cumsum(sizes)])
        self._pixels = np.memmap(cache / PIXELS, dtype=np.uint8, mode="r")

    def __len__(self) -> int:
        return len(self.photos)

    def __getitem__(self, at: int) -> Pixels:
        """(height, width, 3), short side at most `SHORT_SIDE_PX`."""
        height, width = self._shapes[at]
        flat: Pixels = self._pixels[self._starts[at] : self._starts[at + 1]]
        return flat.reshape(height, width, 3)

    def size(self, at: int) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self._shapes[at]
        return int(height), int(width)

    def of(self, split: str, source: str | None = None) -> list[int]:
        """Positions of the photos of a split, and of one source where it is named."""
        return [
            at
            for at, photo in enumerate(self.photos)
            if photo.split == split and source in (None, photo.source)
        ]


def decode(folder: Path, cache: Path) -> tuple[int, list[str]]:
    """Fills `cache` from a folder; gives how many pictures it holds and which could not be read.

    Raises `ValueError` for an index that is absent or wrong, naming the file and the line.
    """
    cache.mkdir(parents=True, exist_ok=True)
    photos, shapes, unread = [], [], []
    with (cache / PIXELS).open("wb") as out:
        for photo, opened in _opened(folder, read_index(folder)):
            try:
                pixels = _small(opened)
            except (OSError, UnidentifiedImageError, SyntaxError) as error:
                unread.append(f"{photo.file}: {error}")
                continue
            out.write(pixels.tobytes())
            shapes.append(pixels.shape[:2])
            photos.append(photo)
    if not photos:
        raise ValueError(f"There is no readable picture in {folder}.")
    np.save(cache / SHAPES, np.array(shapes, dtype=np.int64))
    lines = [json.dumps(asdict(photo), ensure_ascii=False) for photo in photos]
    (cache / PHOTOS).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(photos), unread


def read_index(folder: Path) -> list[Photo]:
    """Raises `ValueError`."""
    rows = folder / "index.jsonl"
    table = folder / "index.csv"
    if not rows.is_file() and not table.is_file():
        raise ValueError(f"There is neither index.jsonl nor index.csv in {folder}.")
    path = rows if rows.is_file() else table
    with path.open(encoding="utf-8", newline="") as file:
        read = _jsonl(file) if path == rows else _csv(file)
        photos = []
        for number, row in enumerate(read, start=1):
            try:
                photos.append(_photo(row))
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}, entry {number}: {error!r}") from error
    return photos


def _jsonl(file: Iterator[str]) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in file if line.strip())


def _csv(file: Iterator[str]) -> Iterator[dict[str, Any]]:
    for row in csv.DictReader(file):
        parts = {"labels": ";", "captions": "|"}
        split = {name: (row.get(name) or "").split(mark) for name, mark in parts.items()}
        yield {**row, **{name: [each for each in said if each] for name, said in split.items()}}


def _photo(row: dict[str, Any]) -> Photo:
    if row["split"] not in ("train", "test"):
        raise ValueError(f"split is {row['split']!r}, neither train nor test")
    return Photo(
        file=str(row["file"]),
        shard=row.get("shard") or None,
        labels=tuple(str(each).strip() for each in row.get("labels") or ()),
        captions=tuple(str(each).strip() for each in row.get("captions") or ()),
        split=row["split"],
        source=str(row.get("source") or "pictures"),
    )


def _opened(folder: Path, photos: Sequence[Photo]) -> Iterator[tuple[Photo, BytesIO]]:
    """Bytes of each picture; a shard is read once, in its own order."""
    by_shard: dict[str | None, dict[str, Photo]] = {}
    for photo in photos:
        by_shard.setdefault(photo.shard, {})[photo.file] = photo
    for photo in by_shard.pop(None, {}).values():
        yield photo, BytesIO((folder / photo.file).read_bytes())
    for shard, wanted in by_shard.items():
        with tarfile.open(folder / str(shard), "r:") as archive:
            for member in archive:
                file = archive.extractfile(member) if member.name in wanted else None
                if file is not None:
                    yield wanted[member.name], BytesIO(file.read())


def _small(opened: BytesIO) -> Pixels:
    file = Image.open(opened)
    file.draft("RGB", (SHORT_SIDE_PX, SHORT_SIDE_PX))
    image = file.convert("RGB")
    width, height = image.size
    longest = int(MAX_ASPECT * min(width, height))
    left, top = max(0, width - longest) // 2, max(0, height - longest) // 2
    image = image.crop((left, top, width - left, height - top))
    scale = SHORT_SIDE_PX / min(image.size)
    if scale < 1:
        size = (round(image.width * scale), round(image.height * scale))
        image = image.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image)
