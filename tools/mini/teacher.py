"""What a teacher network sees in every picture, worked out once: the student learns from that.

Any open_clip folder can teach. Of one with a timm image tower the trunk is asked (it knows more
than its own projection lets through), of any other the projected vector. No weight of a teacher
reaches the student.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import open_clip
import torch
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tools.mini.pictures import Pictures

FEATURES = "teacher.npy"
BATCH = 64


def look(pictures: Pictures, teacher: Path, cache: Path, device: str = "cpu") -> Path:
    """Writes (n, width) float16 raw features of the pictures' middle, at the teacher's own size."""
    model, _, prepare = open_clip.create_model_and_transforms(f"local-dir:{teacher}")
    tower = _tower(model.eval()).to(device, torch.bfloat16, memory_format=torch.channels_last)
    rows: list[NDArray[np.float16]] = []
    with torch.inference_mode():
        for start in range(0, len(pictures), BATCH):
            batch = [
                prepare(Image.fromarray(pictures[at]))
                for at in range(start, min(start + BATCH, len(pictures)))
            ]
            stacked = torch.stack(batch).to(device, torch.bfloat16)
            seen = tower(stacked.contiguous(memory_format=torch.channels_last))
            rows.append(seen.float().cpu().numpy().astype(np.float16))
    path = cache / FEATURES
    partial = path.with_suffix(".partial.npy")
    np.save(partial, np.concatenate(rows))
    partial.replace(path)
    return path


def _tower(model: Any) -> Any:
    return getattr(model.visual, "trunk", model.visual)
