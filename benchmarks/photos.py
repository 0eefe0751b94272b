"""P1: indexing photos of 12 megapixels, against rclip with the same weights."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from benchmarks import rclip_peer
from benchmarks.figures import Cost, Figure, Unavailable, run_measured
from benchmarks.photo_stages import measure_stages
from benchmarks.samples import write_photos, write_random_clip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TITLE = "Photos: 12 megapixels, ViT-B-32 with random weights, previews and metadata"
NUMBER = int(os.environ.get("BENCH_PHOTOS", "300"))
MODEL = "random-vit-b-32"


def measure(workspace: Path) -> Iterator[Figure]:
    photos, models = workspace / "photos", workspace / "models"
    write_photos(photos, NUMBER)
    write_random_clip(models / MODEL)

    runtime, stages = measure_stages(photos, models / MODEL, workspace / "stages")
    ours = _index(photos, models, workspace / "home")
    rate = NUMBER / ours.cpu_s
    note = f"{NUMBER} photos, {runtime}, {ours.wall_s:.0f} s on the clock"
    yield Figure("P1", "dam, everything", rate, "photos/CPU s", note=note)
    for name, cpu_ms in stages.items():
        yield Figure("P1", f"  {name}", cpu_ms, "CPU ms each")
    rest_ms = ours.cpu_s * 1000 / NUMBER - sum(stages.values())
    note = "starting processes, loading the model, handing pixels over, database"
    yield Figure("P1", "  everything else", rest_ms, "CPU ms each", note=note)

    data = workspace / "rclip"
    rclip_peer.prepare(models / MODEL, data)
    peer = rclip_peer.index(photos, data, NUMBER)
    yield Figure(
        "P1",
        "rclip",
        NUMBER / peer.cpu_s,
        "photos/CPU s",
        note=f"{rclip_peer.RUNTIME}, no previews",
    )
    note = f"{runtime} with previews and metadata, against {rclip_peer.RUNTIME}"
    yield Figure("P1", "dam / rclip", peer.cpu_s / ours.cpu_s, "×", "≥ 1.8, then ≥ 2.5", note)


def _index(photos: Path, models: Path, home: Path) -> Cost:
    """`dam index` of a new library, with every process it starts."""
    environment = {"DAM_HOME": str(home), "DAM_MODELS": str(models), "DAM_INDEXERS": "visual"}
    dam = [sys.executable, "-m", "dam"]
    run_measured([*dam, "library", "add", photos], environment=environment)
    cost, printed = run_measured([*dam, "index", "--json"], environment=environment)
    done = json.loads(printed)["runs"]
    if any(done[step]["done"] != NUMBER for step in ("previews", "visual")):
        raise Unavailable(f"dam did not index everything: {printed}")
    return cost
