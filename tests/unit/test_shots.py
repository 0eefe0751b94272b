"""Shots: PySceneDetect's golden lists to the frame, and sensible cuts where frames are sparse."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest

from dam.contracts import Frame, Item, Kind, Setup, Shot
from dam.errors import DecodeTimeout, UnreadableMedia
from dam.models import ModelStore
from indexers.shots import Shots

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dam.config import Settings


@pytest.fixture
def shots(settings: Settings, tmp_path: Path) -> Iterator[Shots]:
    with Shots(Setup(models=ModelStore(settings), cache=tmp_path)) as indexer:
        yield indexer


def small(frame: av.VideoFrame) -> np.ndarray:
    factor = max(1, max(frame.width, frame.height) // 256)
    size = round(frame.width / factor), round(frame.height / factor)
    return cv2.resize(frame.to_ndarray(format="rgb24"), size)


def every_frame(path: Path) -> Iterator[Frame]:
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            pixels = small(frame)
            yield Frame(round(frame.time * 1e6), number, pixels, None if number % 60 else pixels)


def keyframes(path: Path, apart_us: int) -> Iterator[Frame]:
    """Keyframes, and others where the next would be too far."""
    last_us = -apart_us
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            at_us = round(frame.time * 1e6)
            if frame.key_frame or at_us - last_us >= apart_us:
                last_us = at_us
                pixels = small(frame)
                yield Frame(at_us, None, pixels, pixels)


def flat(value: int, at_us: int, number: int | None = None) -> Frame:
    """A frame with some texture, so that it is sharp."""
    pixels = np.full((90, 160, 3), value, dtype=np.uint8)
    pixels[::4] = np.clip(value * 0.8, 0, 255)
    return Frame(at_us, number, pixels, pixels)


def found(indexer: Shots, frames: Iterator[Frame], duration_us: int | None) -> list[Shot]:
    item = Item("asset", Kind.VIDEO, duration_us=duration_us, frames=frames)
    (outcome,) = indexer.index([item])
    assert outcome.error is None
    shots = list(outcome.findings)
    assert all(isinstance(shot, Shot) for shot in shots)
    assert shots[0].span.start_us == 0
    assert all(a.span.end_us == b.span.start_us for a, b in pairwise(shots)), "no holes"
    assert all(shot.span.start_us <= shot.best_us < shot.span.end_us for shot in shots)
    if duration_us:
        assert shots[-1].span.end_us == duration_us
    return shots


@pytest.mark.parametrize("name", ["testvideo.mp4", "counter.mp4"])
def test_cuts_equal_the_golden_list_when_every_frame_is_seen(
    shots: Shots, shared: Path, name: str
) -> None:
    golden = shared / "media" / "video"
    expected = json.loads((golden / f"golden/{name}.ContentDetector.default.json").read_text())
    with av.open(str(golden / name)) as container:
        duration_us = container.duration
    result = found(shots, every_frame(golden / name), duration_us)
    assert [shot.first_frame for shot in result[1:]] == expected["cuts"]
    assert all(a.end_frame == b.first_frame for a, b in pairwise(result))


def test_fades_to_black_part_shots(shots: Shots, shared: Path) -> None:
    video = shared / "media" / "video" / "fades.mp4"
    result = found(shots, every_frame(video), 10_000_000)
    assert len(result) == 3
    # Black at 3.4 s and at 6.7 s, by eye.
    assert [round(shot.span.start_us / 1e6) for shot in result] == [0, 3, 7]


def test_sparse_frames_find_the_cuts_of_a_real_clip(shots: Shots, shared: Path) -> None:
    video = shared / "media" / "video" / "issue-195-aspect-ratio.mp4"
    result = found(shots, keyframes(video, 2_000_000), 25_120_000)
    assert [shot.span.start_us for shot in result[1:]] == [
        2_800_000, 6_800_000, 12_040_000, 16_840_000, 19_360_000,
    ]  # fmt: skip
    assert all(shot.first_frame is None for shot in result)


def test_a_fixed_camera_is_one_shot_in_either_tier(shots: Shots, shared: Path) -> None:
    video = shared / "media" / "video" / "bottle-detection.mp4"
    assert len(found(shots, keyframes(video, 4_000_000), 39_854_748)) == 1
    assert len(found(shots, every_frame(video), 39_854_748)) == 1


def test_the_best_frame_is_sharp_and_not_black(shots: Shots) -> None:
    frames = [flat(0, 0), flat(120, 1_000_000), flat(120, 2_000_000), flat(0, 3_000_000)]
    blurred = np.full((90, 160, 3), 118, dtype=np.uint8)
    frames.insert(2, Frame(1_500_000, None, blurred, blurred))
    result = found(shots, iter(frames), 4_000_000)
    lit = next(shot for shot in result if shot.span.start_us == 1_000_000)
    assert lit.best_us in (1_000_000, 2_000_000)


def test_a_flash_is_no_shot_of_its_own(shots: Shots) -> None:
    values = [100] * 60 + [250] * 2 + [100] * 60
    frames = (flat(value, n * 40_000, n) for n, value in enumerate(values))
    assert len(found(shots, frames, len(values) * 40_000)) <= 2


def test_one_frame_of_unknown_duration_is_one_shot(shots: Shots) -> None:
    (shot,) = found(shots, iter([flat(50, 0, 0)]), None)
    assert (shot.first_frame, shot.end_frame) == (0, 1)


def test_frames_past_the_promised_duration_stay_inside_it(shots: Shots) -> None:
    frames = (flat(30 if n < 40 else 200, n * 100_000) for n in range(80))
    result = found(shots, frames, 3_000_000)  # the cut lies at 4 s
    assert len(result) == 1


def test_broken_videos_fail_alone(shots: Shots) -> None:
    def breaks() -> Iterator[Frame]:
        yield flat(10, 0)
        raise DecodeTimeout

    items = [
        Item("empty", Kind.VIDEO, duration_us=1000),
        Item("slow", Kind.VIDEO, duration_us=1000, frames=breaks()),
        Item("good", Kind.VIDEO, duration_us=1000, frames=[flat(10, 0)]),
    ]
    empty, slow, good = shots.index(items)
    assert isinstance(empty.error, UnreadableMedia)
    assert isinstance(slow.error, DecodeTimeout)
    assert good.error is None


def test_another_tier_is_another_producer(settings: Settings, tmp_path: Path) -> None:
    prints = {
        Shots(Setup(models=ModelStore(settings), cache=tmp_path, options={"tier": tier}))
        .producer()
        .fingerprint
        for tier in ("fast", "quality")
    }
    assert len(prints) == 2
