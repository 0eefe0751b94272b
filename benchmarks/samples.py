"""Media and weights made for measuring: nothing is downloaded, no person's files are needed."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import av
import numpy as np
from PIL import ExifTags, Image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PHOTO_PX = (4000, 3000)
VIDEO_PX = (1920, 1080)


def write_photos(folder: Path, number: int, *, seed: int = 1) -> None:
    """JPEGs of 12 megapixels and about 2.5 MB, all different, with a camera's EXIF."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    scene = _scene(rng, PHOTO_PX)
    for index in range(number):
        shift = rng.integers(0, PHOTO_PX[1], 2)
        exif = Image.Exif()
        exif[ExifTags.Base.Make] = "Benchmark"
        exif[ExifTags.Base.Model] = "Generator"
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = (
            f"2024:{index % 12 + 1:02}:{index % 28 + 1:02} {index % 24:02}:15:00"
        )
        photo = Image.fromarray(np.roll(scene, tuple(shift), axis=(0, 1)))
        photo.save(folder / f"IMG_{index:04}.jpg", quality=90, exif=exif)


def _scene(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Shapes at all scales under the noise of a sensor: it compresses as photographs do."""
    width, height = size
    pixels = np.zeros((height, width, 3), np.float32)
    for cells, strength in ((6, 90), (40, 40), (250, 22), (1000, 9)):
        coarse = rng.integers(0, 256, (cells * 3 // 4 + 1, cells, 3), dtype=np.uint8)
        grown = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
        pixels += (np.asarray(grown, np.float32) / 255 - 0.5) * strength
    pixels += rng.uniform(60, 190, 3)  # each scene has its own light
    pixels += rng.normal(0, 2.5, pixels.shape).astype(np.float32)
    return pixels.clip(0, 255).astype(np.uint8)


def write_video(path: Path, *, seconds: int, keyframe_every: int, seed: int = 1) -> list[int]:
    """1080p H.264 at 30 frames/s that glides over scenes. Returns the frames of its cuts."""
    rng = np.random.default_rng(seed)
    scenes = [_scene(rng, (VIDEO_PX[0] + 480, VIDEO_PX[1] + 270)) for _ in range(6)]
    total, number = seconds * 30, 0
    cuts: list[int] = []
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "superfast"})
        stream.width, stream.height = VIDEO_PX
        stream.pix_fmt = "yuv420p"
        stream.gop_size = keyframe_every
        while number < total:
            scene = scenes[len(cuts) % len(scenes)]
            length = min(int(rng.integers(45, 240)), total - number)
            for step in range(length):
                left, top = step * 2 % 480, step % 270
                window = scene[top : top + VIDEO_PX[1], left : left + VIDEO_PX[0]]
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(window))
                container.mux(stream.encode(frame))
            number += length
            cuts.append(number)
        container.mux(stream.encode(None))
    return cuts[:-1]


def write_random_clip(folder: Path, network: str = "ViT-B-32") -> None:
    """An open_clip model folder with random weights: right in cost, meaningless in content."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    torch.manual_seed(1)
    logging.getLogger().setLevel(logging.ERROR)  # open_clip warns that the weights are random
    model = open_clip.create_model(network, pretrained=None)
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    config = {
        "model_cfg": open_clip.get_model_config(network),
        "preprocess_cfg": open_clip.get_model_preprocess_cfg(model),
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config))
