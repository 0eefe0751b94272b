"""Edited copies of photographs are found, and nothing else is: precision and recall, measured.

docs/indexers/fingerprints.md publishes the figures that these tests hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from dam.contracts import Item, Kind, Setup
from dam.duplicates.hamming import near
from dam.duplicates.photos import Photos, find_pairs
from dam.findings import Fingerprint, FingerprintKind
from dam.models import ModelStore
from indexers.fingerprints import Fingerprints
from tests.edits import EDITS
from tests.media import RED, picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dam.config import Settings

ORIGINALS = 24
HOUR_US = 3_600_000_000
Found = set[tuple[int, int]]


@pytest.fixture
def fingerprints(settings: Settings, tmp_path: Path) -> Iterator[Fingerprints]:
    with Fingerprints(Setup(models=ModelStore(settings), cache=tmp_path)) as indexer:
        yield indexer


def prints_of(indexer: Fingerprints, images: Sequence[Image.Image]) -> list[list[Fingerprint]]:
    items = [
        Item(str(n), Kind.PHOTO, image=np.asarray(image.convert("RGB")))
        for n, image in enumerate(images)
    ]
    outcomes = list(indexer.index(items))
    assert [outcome.error for outcome in outcomes] == [None] * len(items)
    return [list(outcome.findings) for outcome in outcomes]  # type: ignore[arg-type]


def photos_of(
    indexer: Fingerprints,
    images: Sequence[Image.Image],
    *,
    taken_us: Sequence[int] | None = None,
    camera: str | None = None,
    unlike: bool = False,
) -> Photos:
    """What `dam.duplicates.prints` reads of pictures that all have fingerprints."""
    bits: dict[FingerprintKind, list[bytes]] = {kind: [] for kind in FingerprintKind}
    for found in prints_of(indexer, images):
        for one in found:
            bits[one.kind].append(one.bits)
    hashes = np.frombuffer(b"".join(bits[FingerprintKind.PHASH]), ">u8").astype(np.uint64)
    greys = np.frombuffer(b"".join(bits[FingerprintKind.GREY]), np.uint8).reshape(-1, 32, 32)
    return Photos(
        hashes=hashes.reshape(len(images), -1),
        sizes=np.array([image.size for image in images], float),
        taken_us=np.array(taken_us or [-1] * len(images), np.int64),
        cameras=[camera] * len(images),
        greys=lambda rows: greys[rows],
        unlike=lambda one, _other: np.full(len(one), unlike),
    )


def pairs(photos: Photos) -> Found:
    found = find_pairs(photos)
    return set(zip(found.one.tolist(), found.other.tolist(), strict=True))


def connected(found: Found, number: int) -> Found:
    """All pairs that belong together once the found ones do."""
    group = list(range(number))
    for one, other in found:
        joined, gone = group[one], group[other]
        group = [joined if name == gone else name for name in group]
    return {
        (one, other)
        for one in range(number)
        for other in range(one + 1, number)
        if group[one] == group[other]
    }


@pytest.fixture(scope="module")
def originals(shared: Path) -> list[Image.Image]:
    paths = sorted((shared / "media" / "photos").glob("*.jpg"))[:ORIGINALS]
    return [Image.open(path).convert("RGB") for path in paths]


def test_edited_copies_are_found_and_nothing_else(
    fingerprints: Fingerprints, originals: list[Image.Image]
) -> None:
    rng = np.random.default_rng(5)
    images, source = list(originals), list(range(len(originals)))
    for number, original in enumerate(originals):
        for edit in EDITS.values():
            images.append(edit(original, rng))
            source.append(number)
    found = connected(pairs(photos_of(fingerprints, images)), len(images))
    wanted = {
        (one, other)
        for one in range(len(images))
        for other in range(one + 1, len(images))
        if source[one] == source[other]
    }
    precision, recall = len(found & wanted) / len(found), len(found & wanted) / len(wanted)
    print(f"precision {precision:.4f}, recall {recall:.4f} of {len(wanted)} pairs")  # noqa: T201
    assert precision >= 0.99
    assert recall >= 0.95


def test_what_a_picture_model_finds_unlike_is_no_pair(
    fingerprints: Fingerprints, originals: list[Image.Image]
) -> None:
    images = [originals[0], originals[0].resize((200, 150))]
    assert pairs(photos_of(fingerprints, images)) == {(0, 1)}
    assert pairs(photos_of(fingerprints, images, unlike=True)) == set()


def test_exposures_of_one_camera_in_a_row_are_a_burst_and_versions_of_one_are_not(
    fingerprints: Fingerprints, originals: list[Image.Image]
) -> None:
    """Moved by a few pixels a second later; a small copy keeps the time of its original."""
    first = originals[0]
    moved = first.transform(first.size, Image.Transform.AFFINE, (1, 0, 9, 0, 1, 4))
    images = [first, moved, first.resize((320, 240)), originals[1]]
    times = [HOUR_US, HOUR_US + 1_000_000, HOUR_US, HOUR_US + 2_000_000]
    found = find_pairs(photos_of(fingerprints, images, taken_us=times, camera="Camera One"))
    named = {
        (int(one), int(other)): bool(burst)
        for one, other, burst in zip(found.one, found.other, found.is_burst, strict=True)
    }
    assert named[0, 1] is True
    assert named[0, 2] is False
    assert not any(3 in pair for pair in named)


@pytest.mark.parametrize("level", [0, 17, 255])
def test_black_and_flat_pictures_have_no_fingerprint(
    fingerprints: Fingerprints, level: int
) -> None:
    flat = Image.new("RGB", (640, 480), (level, level, level))
    noisy = picture(RED)  # one colour, with the noise of a sensor
    assert prints_of(fingerprints, [flat, noisy]) == [[], []]


def test_no_close_pair_of_hashes_is_missed() -> None:
    """Against comparing all with all, up to the distance that is promised."""
    rng = np.random.default_rng(3)
    hashes = rng.integers(0, 2**63, 300, dtype=np.uint64)
    for at in range(0, 300, 3):
        flipped = rng.choice(64, int(rng.integers(0, 8)), replace=False).astype(np.uint64)
        hashes[at + 1] = hashes[at] ^ np.bitwise_xor.reduce(
            np.uint64(1) << flipped, initial=np.uint64(0)
        )
    distances = np.bitwise_count(hashes[:, None] ^ hashes)
    found = near(hashes, hashes, 7)
    wanted = set(zip(*(at.tolist() for at in np.nonzero(distances <= 7)), strict=True))
    assert set(zip(found.queries.tolist(), found.stored.tolist(), strict=True)) == wanted
    assert (found.bits == distances[found.queries, found.stored]).all()
