"""Explains P1: the runtimes and precisions of the picture encoder, on the same pictures."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.figures import Figure, measured
from benchmarks.samples import write_random_clip
from dam.config import Settings
from indexers.visual import Visual

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexers.clip import Clip

TITLE = "Encoders: ViT-B-32 with random weights, encoding alone"
BATCHES = 4
QUERIES = 20


def measure(workspace: Path) -> Iterator[Figure]:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the indexer does, before torch loads
    from indexers.clip import Clip

    model = workspace / "random-vit-b-32"
    write_random_clip(model)
    wishes = [("torch", "fp32"), ("torch", "bf16")]
    if importlib.util.find_spec("openvino"):
        wishes += [("openvino", "fp32"), ("openvino", "bf16")]
    reference = 0.0
    for runtime, precision in wishes:
        clip = Clip(
            model,
            cache=workspace / f"{runtime}-{precision}",
            digest="0",
            runtime=runtime,
            precision=precision,
            threads=Settings().threads,
        )
        rate, text_ms = _rates(clip)
        reference = reference or rate
        name = clip.towers.runtime  # what was asked for, unless it failed parity with fp32
        yield Figure("P1", name, rate, "photos/CPU s")
        yield Figure("P1", "  against torch fp32", rate / reference, "×")
        yield Figure("P1", "  one text query", text_ms, "CPU ms")


def _rates(clip: Clip) -> tuple[float, float]:
    """(pictures a CPU second, CPU milliseconds of one text)."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (Visual.batch_size, 224, 224, 3), dtype=np.uint8)
    batch = [clip.prepare(picture) for picture in pixels]
    clip.encode_images(batch)  # the first call sets buffers up
    clip.encode_texts(["a first query"])
    with measured() as pictures:
        for _ in range(BATCHES):
            clip.encode_images(batch)
    with measured() as texts:
        for number in range(QUERIES):
            clip.encode_texts([f"a photo of {number} boats on a lake"])
    return BATCHES * len(batch) / pictures.cpu_s, texts.cpu_s * 1000 / QUERIES
