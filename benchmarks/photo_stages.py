"""Where the time of a photo goes: dam's own steps, one after the other, without its processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blake3 import blake3

from benchmarks.figures import measured
from dam.config import Settings
from dam.media.essence import essence_hash
from dam.media.image import decode_picture, pixels_of, probe_picture
from dam.media.metadata import MetadataReader
from dam.media.renditions import thumbhash_of, thumbnail, write_photo
from dam.media.sandbox import Limits
from indexers.clip import Clip
from indexers.visual import Visual

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

    from dam.media.probe import Probe

MEASURED = 60  # photos; fewer and the figures shake
LIMITS = Limits(timeout_s=600, memory_mb=4096, max_pixels=250_000_000)


def measure_stages(photos: Path, model: Path, work: Path) -> tuple[str, dict[str, float]]:
    """(the encoder's runtime, CPU milliseconds a photo by stage)."""
    paths = sorted(photos.glob("*.jpg"))[:MEASURED]
    work.mkdir()
    costs: dict[str, float] = {}

    with measured() as cost:
        probes = [_hash(path) for path in paths]
    costs["hash and probe"] = cost.cpu_s
    costs["metadata"] = _metadata_s(paths, probes)
    with measured() as cost:
        pictures = [_decode(path) for path in paths]
    costs["decode"] = cost.cpu_s
    with measured() as cost:
        for picture in pictures:
            thumb = thumbnail(picture)
            write_photo(picture, thumb, work)
            thumbhash_of(thumb)
    costs["previews"] = cost.cpu_s
    runtime, costs["encode"] = _encode(pictures, model, work)
    return runtime, {name: cpu_s * 1000 / len(paths) for name, cpu_s in costs.items()}


def _hash(path: Path) -> Probe:
    content = blake3(max_threads=1).update_mmap(path).hexdigest()
    with path.open("rb") as file:
        probe = probe_picture(file, path, LIMITS.max_pixels)
    essence_hash(path, probe, content)
    return probe


def _decode(path: Path) -> Image:
    with path.open("rb") as file:
        return decode_picture(file, path, LIMITS.max_pixels)


def _metadata_s(paths: list[Path], probes: list[Probe]) -> float:
    """Less what starting the readers costs, which a library of any size pays once."""
    files = list(zip(paths, probes, strict=True))
    cost_s = []
    for part in (files[:1], files):
        with measured() as cost, MetadataReader("exiftool", LIMITS) as reader:
            reader.read_many(part)
        cost_s.append(cost.cpu_s)
    return cost_s[1] - cost_s[0]


def _encode(pictures: list[Image], model: Path, work: Path) -> tuple[str, float]:
    """Preparing and encoding, in batches as the indexer makes them."""
    threads = Settings().threads
    cache = work / "cache"
    clip = Clip(model, cache=cache, digest="0", runtime="auto", precision="auto", threads=threads)
    clip.encode_images([clip.prepare(pixels_of(pictures[0]))])  # the first call sets buffers up
    with measured() as cost:
        for start in range(0, len(pictures), Visual.batch_size):
            batch = pictures[start : start + Visual.batch_size]
            clip.encode_images([clip.prepare(pixels_of(picture)) for picture in batch])
    return clip.towers.runtime, cost.cpu_s
