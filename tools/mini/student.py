"""The student: which network it is, how it is trained in few bits, and how it is saved.

An open_clip network by its own configuration, so that it loads like any other. It trains with a
compact vocabulary and, for speed on a processor, convolutions in bf16 beside fp32 masters.
"""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import open_clip
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.functional import normalize

if TYPE_CHECKING:
    from pathlib import Path

    from tools.mini.texts import Vocabulary

# resnet10t learns most for a second of a processor; ≤ 24 MB in all at fp16, half of it words.
MODEL: dict[str, Any] = {
    "embed_dim": 512,
    "vision_cfg": {
        "timm_model_name": "resnet10t",
        "timm_model_pretrained": False,
        "timm_pool": "avg",
        "timm_proj": "linear",
        "timm_proj_bias": True,
        "image_size": 112,
    },
    "text_cfg": {
        "context_length": 32,
        "vocab_size": 49408,
        "width": 128,
        "heads": 4,
        "layers": 2,
    },
}
# Bilinear is what training crops are resized with; other kernels measured lower.
PREPROCESS = {
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
    "interpolation": "bilinear",
    "resize_mode": "shortest",
}
CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
TEXTS_AT_ONCE = 128  # of about the same length: a padded batch is twice the work
TABLE = "token_embedding.weight"


def build(vocabulary: int) -> Any:
    """A fresh student with a compact table of words."""
    model = deepcopy(MODEL)
    model["text_cfg"]["vocab_size"] = vocabulary
    return open_clip.CLIP(**model)


def read(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    """(n, dim) fp32 unit rows; like `encode_text`, but each text only as long as it is."""
    ends = tokens.argmax(dim=1)
    order = ends.argsort()
    parts = [_read(model, tokens[at], ends[at]) for at in torch.split(order, TEXTS_AT_ONCE)]
    return torch.cat(parts)[order.argsort()]


def _read(model: Any, tokens: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    length = int(ends.max()) + 1
    x = model.token_embedding(tokens[:, :length]) + model.positional_embedding[:length]
    x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:length, :length]))
    said = x[torch.arange(len(x), device=x.device), ends] @ model.text_projection
    return normalize(said.float(), dim=-1)


def halve(tower: nn.Module) -> None:
    """Convolutions to bf16 in channels-last; norms stay fp32, or their statistics drift."""
    for module in tower.modules():
        if isinstance(module, nn.Conv2d):
            module.to(torch.bfloat16)
            module.weight.data = module.weight.data.to(memory_format=torch.channels_last)


def save(state: dict[str, torch.Tensor], vocabulary: Vocabulary, folder: Path) -> int:
    """Writes an open_clip folder of a compact student's fp32 state; gives its bytes."""
    size = MODEL["text_cfg"]["vocab_size"]
    whole = {**state, TABLE: vocabulary.spread(state[TABLE].cpu(), size)}
    folder.mkdir(parents=True, exist_ok=True)
    halved = {
        name: tensor.half().cpu().contiguous() if tensor.is_floating_point() else tensor
        for name, tensor in whole.items()
        if name != "attn_mask"
    }
    save_file(halved, folder / WEIGHTS, metadata={"format": "pt"})
    config = {"model_cfg": MODEL, "preprocess_cfg": PREPROCESS}
    (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    return sum((folder / name).stat().st_size for name in (CONFIG, WEIGHTS))


def resume(model: Any, vocabulary: Vocabulary, folder: Path) -> None:
    """Fills a compact student from a saved folder: the way on from published weights."""
    state = {name: tensor.float() for name, tensor in load_file(folder / WEIGHTS).items()}
    state[TABLE] = state[TABLE][torch.from_numpy(vocabulary.known)]
    model.load_state_dict(state, strict=False)
