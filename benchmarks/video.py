"""P6: sampling 1080p against the ffmpeg program. P7: shots against PySceneDetect."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from scenedetect import AdaptiveDetector, detect

from benchmarks.figures import Cost, Figure, measured, run_measured
from benchmarks.samples import write_video
from dam.config import Settings, VideoTier
from dam.contracts import Item, Kind, Setup, Shot
from dam.media.sandbox import Limits, Sampling, Sandbox
from dam.models import ModelStore
from indexers.shots import Shots

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TITLE = "Video: 1080p H.264, 30 frames/s"
SECONDS = 40
LIMITS = Limits(timeout_s=600, memory_mb=4096, max_pixels=250_000_000)
TOLERANCE = 1  # frames


def measure(workspace: Path) -> Iterator[Figure]:
    for keyframe_every in (60, 250):
        path = workspace / f"{keyframe_every}.mp4"
        cuts = write_video(path, seconds=SECONDS, keyframe_every=keyframe_every)
        yield from _sampling(path, f"a keyframe every {keyframe_every}")
        yield from _shots(path, cuts, workspace, f"a keyframe every {keyframe_every}")


def _sampling(path: Path, kind: str) -> Iterator[Figure]:
    filled, keyframes = _sample(path, gap_s=4), _sample(path, gap_s=SECONDS)
    yield Figure("P6", f"dam samples, {kind}", SECONDS / filled.cpu_s, "× real time")
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        return
    options = ["-v", "error", "-skip_frame", "nokey"]
    to_nothing = ["-vf", "scale=640:-2", "-f", "null", "-"]
    theirs, _ = run_measured([ffmpeg, *options, "-i", path, *to_nothing])
    note = (
        f"keyframes alone, as ffmpeg -skip_frame nokey with scale=640 ({theirs.cpu_s:.2f} CPU s); "
        f"with gaps over 4 s decoded {filled.cpu_s / theirs.cpu_s:.2f}×"
    )
    yield Figure("P6", f"dam / ffmpeg, {kind}", keyframes.cpu_s / theirs.cpu_s, "×", "≤ 1", note)


def _sample(path: Path, *, gap_s: float) -> Cost:
    """One pass of the fast tier, less what starting the decoder process costs."""
    with measured() as start, Sandbox(LIMITS) as sandbox:
        sandbox.probe(path)
    sampling = Sampling(tier=VideoTier.FAST, gap_s=gap_s, sample_s=2)
    with measured() as cost, Sandbox(LIMITS) as sandbox:
        sandbox.probe(path)
        for _ in sandbox.video(path, sampling=sampling):
            pass
    return Cost(cost.wall_s - start.wall_s, cost.cpu_s - start.cpu_s)


def _shots(path: Path, cuts: list[int], workspace: Path, kind: str) -> Iterator[Figure]:
    with measured() as theirs:
        scenes = detect(str(path), AdaptiveDetector())
    reference = _f1([scene[0].frame_num for scene in scenes[1:]], cuts)
    for tier in VideoTier:
        with measured() as ours:
            shots = _find_shots(path, workspace, tier)
        found = [round(shot.span.start_us * 30 / 1e6) for shot in shots[1:]]
        note = (
            f"F1 within a frame on {len(cuts)} cuts: dam {_f1(found, cuts):.3f}, PySceneDetect "
            f"{reference:.3f}; {ours.cpu_s:.1f} and {theirs.cpu_s:.1f} CPU s"
        )
        name = f"PySceneDetect Adaptive / dam {tier}, {kind}"
        yield Figure("P7", name, theirs.cpu_s / ours.cpu_s, "×", "≥ 1.5", note)


def _find_shots(path: Path, workspace: Path, tier: VideoTier) -> list[Shot]:
    setup = Setup(
        models=ModelStore(Settings(home=workspace)),
        cache=workspace / "cache",
        options={"tier": tier},
    )
    with Sandbox(LIMITS) as sandbox, Shots(setup) as shots:
        frames = sandbox.video(path, sampling=Sampling(tier=tier, gap_s=4, sample_s=2))
        item = Item("clip", Kind.VIDEO, duration_us=SECONDS * 1_000_000, frames=frames)
        (outcome,) = shots.index([item])
    if outcome.error:
        raise outcome.error
    return [finding for finding in outcome.findings if isinstance(finding, Shot)]


def _f1(found: list[int], cuts: list[int]) -> float:
    """Harmonic mean of precision and recall, within `TOLERANCE` frames."""
    hits = sum(any(abs(frame - cut) <= TOLERANCE for frame in found) for cut in cuts)
    return 2 * hits / (len(found) + len(cuts)) if found or cuts else 1.0
