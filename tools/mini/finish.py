"""The last step: sentences and the finished image tower move towards each other.

The text tower learnt from what a teacher sees; the student sees less. With the trunk as it is, the
text tower and the projection of the pictures learn once more from each other, in batches alone.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import normalize

from tools.mini.alignment import MOST_SCALE, contrast, draw, frequencies
from tools.mini.student import read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tools.mini.crops import Crops
    from tools.mini.texts import Texts

EDGE_PX = 112
VIEWS = 1  # crops of each photo that the trunk looks at once; what it sees is then kept
BATCH = 384
PEAK = 4e-4
AT_ONCE = 96


def seen_by(model: Any, crops: Crops, count: int) -> torch.Tensor:
    """(views, count, width) fp32 of the trunk, for photos 0 to `count`; each view another crop."""
    device = model.logit_scale.device
    kind = next(model.visual.trunk.parameters()).dtype  # of the first convolution
    views = []
    with torch.inference_mode():
        for _ in range(VIEWS):
            rows = [
                model.visual.trunk(
                    crops.draw(
                        torch.arange(at, min(at + AT_ONCE, count), device=device), EDGE_PX
                    ).to(kind, memory_format=torch.channels_last)
                ).float()
                for at in range(0, count, AT_ONCE)
            ]
            views.append(torch.cat(rows))
    return torch.stack(views).clone()


def finish(
    texts: Texts,
    model: Any,
    seen: torch.Tensor,
    photos: Sequence[Any],
    *,
    minutes: float,
    say: Callable[[str], None],
    check: Callable[[Any], str],
) -> dict[str, torch.Tensor]:
    """Trains the text tower and `visual.head` of `model`; `seen` as `seen_by` gives it.

    Gives the state of `model` with the running mean of what was learnt.
    """
    random = np.random.default_rng(3)
    weights = frequencies(texts, photos)
    learns = {
        name: parameter.requires_grad_(True)
        for name, parameter in model.named_parameters()
        if not name.startswith("visual.trunk")
    }
    optimiser = torch.optim.AdamW(learns.values(), lr=PEAK, weight_decay=0.05)
    mean = {name: parameter.detach().clone() for name, parameter in learns.items()}
    began, step, done = time.monotonic(), 0, 0.0
    while done < 1:
        done = (time.monotonic() - began) / (60 * minutes)
        step += 1
        for group in optimiser.param_groups:
            group["lr"] = PEAK * min(1, step / 40) * np.cos(np.pi / 2 * min(done, 1))
        drawn = draw(texts, weights, BATCH, random).to(seen.device)
        view = seen[random.integers(len(seen)), torch.from_numpy(drawn.photos).to(seen.device)]
        pictures = normalize(model.visual.head(nn.functional.dropout(view, 0.1)).float(), dim=-1)
        said = read(model, drawn.tokens)
        logits = model.logit_scale.exp().clamp(max=MOST_SCALE) * said @ pictures.T
        loss = contrast(logits, drawn.true, drawn.perhaps) + contrast(
            logits.T, drawn.true.T, drawn.perhaps.T
        )
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        kept = min(0.99, step / (10 + step))
        with torch.no_grad():
            for name, parameter in learns.items():
                mean[name].lerp_(parameter, 1 - kept)
        if step % 50 == 0 or done >= 1:
            say(f"finish: step {step}, {done:.0%}, loss {loss.item():.3f}")
    with torch.no_grad():
        for name, parameter in learns.items():
            parameter.copy_(mean[name])
    say(f"finished: {check(model)}")
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
