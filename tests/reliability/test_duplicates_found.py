"""Films and recordings that were saved again are found, and nothing else is: precision and recall.

Photos are measured in tests/integration/test_duplicate_photos.py. docs/indexers/fingerprints.md
publishes the figures, those of the full tier by the seed below.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dam.config import VideoTier
from dam.contracts import Item, Kind, Setup
from dam.duplicates import films, recordings
from dam.duplicates.films import Film
from dam.duplicates.movement import Pictures
from dam.findings import Fingerprint, FingerprintKind
from dam.media.sandbox import Limits, Sampling, Sandbox
from dam.media.views import FRAME_PICTURE
from dam.models import ModelStore
from indexers.chromaprint import find_program
from indexers.fingerprints import Fingerprints
from tests.copies_corpus import (
    FILM_EDITS,
    ORIGINAL,
    SOUND_EDITS,
    heard_s,
    joined,
    read_footage,
    read_samples,
    wanted_pairs,
    write_film,
    write_recording,
)
from tests.reliability.conftest import Tier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dam.config import Settings
    from tests.copies_corpus import Footage, Pairs
    from tests.reliability.conftest import RecordFigure

SEED = 5  # RELIABILITY_SEED makes another corpus, which the promise is also held for
SAMPLING = Sampling(VideoTier.FAST, gap_s=4.0, sample_s=2.0)  # as the settings have it
LENGTH_S = 8.0
WIDTH_PX = 256
# Where the part begins; something moves in all of it. Parts of one film are the hardest to tell
# apart: in those of bottles and of persons the camera stands still, and shows the same place at
# another time.
FILMS = {
    Tier.CI: (
        ("testvideo.mp4", 9.0),
        ("bottle-detection.mp4", 0.0),
        ("bottle-detection.mp4", 16.0),
        ("issue-195-aspect-ratio.mp4", 0.0),
    ),
    Tier.FULL: (
        ("testvideo.mp4", 9.0),
        ("bottle-detection.mp4", 0.0),
        ("bottle-detection.mp4", 8.0),
        ("bottle-detection.mp4", 16.0),
        ("bottle-detection.mp4", 24.0),
        ("issue-195-aspect-ratio.mp4", 0.0),
        ("issue-195-aspect-ratio.mp4", 9.0),
        ("issue-134-rotate.mp4", 0.0),
        ("one-by-one-person-detection.mp4", 16.0),
        ("one-by-one-person-detection.mp4", 60.0),
    ),
}
EDITS = {
    Tier.CI: ("resized", "cropped around", "marked", "shortened"),
    Tier.FULL: tuple(FILM_EDITS),
}
EACH_SOUND = {Tier.CI: 8, Tier.FULL: 2}  # of the 100
SPOKEN = {Tier.CI: ("LJ001-0006",), Tier.FULL: ("LJ001-0006", "interview")}
LEAST_HEARD_S = 3.0

pytestmark = pytest.mark.timeout(1_800)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(int(os.environ.get("RELIABILITY_SEED", SEED)))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Limits(timeout_s=120, memory_mb=4096, max_pixels=50_000_000)) as opened:
        yield opened


@pytest.fixture
def indexer(settings: Settings, tmp_path: Path) -> Iterator[Fingerprints]:
    with Fingerprints(Setup(models=ModelStore(settings), cache=tmp_path)) as opened:
        yield opened


def test_films_that_were_saved_again_are_found_and_nothing_else(
    shared: Path,
    tmp_path: Path,
    tier: Tier,
    rng: np.random.Generator,
    sandbox: Sandbox,
    indexer: Fingerprints,
    record_figure: RecordFigure,
) -> None:
    shown, pictures, source = [], [], []
    for number, (name, from_s) in enumerate(FILMS[tier]):
        footage = read_footage(
            shared / "media" / "video" / name, from_s=from_s, length_s=LENGTH_S, width_px=WIDTH_PX
        )
        for edit in (ORIGINAL, *(FILM_EDITS[name] for name in EDITS[tier])):
            copy = tmp_path / "copy.mp4"
            written = write_film(footage, copy, edit, rng)
            film, seen = _film(indexer, sandbox, copy, written)
            shown.append(film)
            pictures.append(seen)
            source.append(number)
    found = {(one, other) for one, other, _ in films.find_pairs(shown, pictures.__getitem__)}
    _hold("films", found, source, record_figure)


@pytest.mark.skipif(find_program() is None, reason="fpcalc is not installed")
def test_recordings_that_were_saved_again_are_found_and_nothing_else(
    shared: Path,
    tmp_path: Path,
    tier: Tier,
    rng: np.random.Generator,
    sandbox: Sandbox,
    indexer: Fingerprints,
    record_figure: RecordFigure,
) -> None:
    media = shared / "media"
    originals = sorted((media / "sounds").glob("*.ogg"))[:: EACH_SOUND[tier]]
    originals += [media / "speech" / f"{name}.wav" for name in SPOKEN[tier]]
    heard, source = [], []
    for number, original in enumerate(originals):
        samples = read_samples(original)
        if heard_s(samples) < LEAST_HEARD_S:
            continue
        for edit in SOUND_EDITS.values():
            copy = write_recording(samples, tmp_path / f"copy.{edit.suffix}", edit, rng)
            heard.append(_words(indexer, sandbox, copy))
            source.append(number)
    assert len(set(source)) > len(originals) // 2
    found = {(one, other) for one, other, _ in recordings.find_pairs(heard)}
    _hold("recordings", found, source, record_figure)


def _hold(what: str, found: Pairs, source: list[int], record_figure: RecordFigure) -> None:
    """As groups, in which copies are shown."""
    groups, wanted = joined(found, len(source)), wanted_pairs(source)
    assert groups
    precision, recall = len(groups & wanted) / len(groups), len(groups & wanted) / len(wanted)
    record_figure("duplicates", f"{what}: precision of {len(groups)} pairs", precision)
    record_figure("duplicates", f"{what}: recall of {len(wanted)} pairs", recall)
    record_figure("duplicates", f"{what}: compared alone", len(found & wanted) / len(wanted))
    assert precision >= 0.99
    assert recall >= 0.95


def _film(
    indexer: Fingerprints, sandbox: Sandbox, path: Path, written: Footage
) -> tuple[Film, Pictures]:
    """What `dam.duplicates.prints` reads of it."""
    with sandbox.video(path, sampling=SAMPLING) as stream:
        frames = list(stream)
    item = Item("film", Kind.VIDEO, written.duration_us, frames=frames)
    prints = _prints(indexer, item)
    looks = [one for one in prints if one.kind is FingerprintKind.PHASH and one.span]
    packed = np.frombuffer(b"".join(one.bits for one in looks), ">u8").astype(np.uint64)
    film = Film(
        np.array([one.span.start_us for one in looks if one.span], np.int64),
        np.array([one.span.end_us for one in looks if one.span], np.int64),
        packed.reshape(len(looks), -1),
        written.duration_us,
    )
    (grey,) = (one.bits for one in prints if one.kind is FingerprintKind.GREY)
    records = np.frombuffer(grey, FRAME_PICTURE)
    return film, Pictures(records["at_ms"].astype(np.int64) * 1_000, records["grey"])


def _words(indexer: Fingerprints, sandbox: Sandbox, path: Path) -> np.ndarray:
    prints = _prints(indexer, Item("sound", Kind.AUDIO, sound=sandbox.sound(path)))
    (bits,) = (one.bits for one in prints if one.kind is FingerprintKind.CHROMAPRINT)
    return np.frombuffer(bits, "<u4").astype(np.uint32)


def _prints(indexer: Fingerprints, item: Item) -> list[Fingerprint]:
    outcome = next(indexer.index([item]))
    assert outcome.error is None
    return [finding for finding in outcome.findings if isinstance(finding, Fingerprint)]
