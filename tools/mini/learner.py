"""What training changes: parameters, their optimiser and their running mean, saved and resumed.

On a processor convolutions compute in bf16 beside fp32 masters; elsewhere everything is fp32 and
torch decides by itself where fewer bits do.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from tools.mini.student import halve

PEAK = 2.5e-3
TEXT_RATE = 0.1  # of the image tower's
DECAY = 0.05
MEAN_DECAY = 0.998  # of the averaged weights, which are what is saved
WARM_STEPS = 100
MOST_NORM = 5.0  # of the gradients: a rare batch must not undo many


class Learner:
    """fp32 masters of both towers, their optimiser and their running mean."""

    def __init__(self, model: Any, guess: nn.Module) -> None:
        self.model = model
        if model.logit_scale.device.type == "cpu":
            halve(model.visual.trunk)
        self.named = [*model.named_parameters(), *guess.named_parameters(prefix="guess")]
        self.masters = [p.detach().float().clone() for _, p in self.named]
        groups = [
            {
                "params": [
                    master
                    for master, (name, _) in zip(self.masters, self.named, strict=True)
                    if _reads(name) is reads and (master.ndim > 1) is decays
                ],
                "peak": PEAK * TEXT_RATE if reads else PEAK,
                "weight_decay": DECAY if decays else 0.0,
            }
            for reads in (False, True)
            for decays in (False, True)
        ]
        self.optimiser = torch.optim.AdamW(groups, fused=True)  # one pass over all numbers
        self.mean = [m.clone() for m in self.masters]
        self.buffers = [b for b in model.buffers() if b.is_floating_point() and b.ndim == 1]
        self.mean_buffers = [b.clone() for b in self.buffers]
        self.step_number = 0

    def step(self, done: float, gradients: torch.Tensor) -> None:
        """`gradients`: flat, averaged over the processes."""
        self.step_number += 1
        gradients *= (MOST_NORM / (gradients.norm() + 1e-6)).clamp(max=1.0)
        parts = torch.split(gradients, [m.numel() for m in self.masters])
        for master, part in zip(self.masters, parts, strict=True):
            master.grad = part.view_as(master)
        for group in self.optimiser.param_groups:
            warm = min(1.0, self.step_number / WARM_STEPS)
            group["lr"] = group["peak"] * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)
        self.optimiser.step()
        kept = min(MEAN_DECAY, (1 + self.step_number) / (10 + self.step_number))
        with torch.no_grad():
            for (_, parameter), master in zip(self.named, self.masters, strict=True):
                parameter.copy_(master)
            torch._foreach_lerp_(self.mean, self.masters, 1 - kept)
            torch._foreach_lerp_(self.mean_buffers, self.buffers, 1 - kept)

    def gradients(self) -> torch.Tensor:
        return torch.cat(
            [
                torch.zeros_like(m).flatten() if p.grad is None else p.grad.float().flatten()
                for (_, p), m in zip(self.named, self.masters, strict=True)
            ]
        )

    def student(self) -> dict[str, torch.Tensor]:
        """fp32 state of the running mean: what is measured and shipped."""
        state = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        for (name, _), mean in zip(self.named, self.mean, strict=True):
            if name in state:
                state[name] = mean.clone()
        means = {id(b): mean for b, mean in zip(self.buffers, self.mean_buffers, strict=True)}
        for name, buffer in self.model.named_buffers():
            if id(buffer) in means:
                state[name] = means[id(buffer)].clone()
        return state

    def state(self) -> dict[str, Any]:
        return {
            "masters": self.masters,
            "mean": self.mean,
            "buffers": self.buffers,
            "mean_buffers": self.mean_buffers,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step_number,
            "student": self.student(),
        }

    def load(self, state: dict[str, Any]) -> None:
        with torch.no_grad():
            for name in ("masters", "mean", "buffers", "mean_buffers"):
                for mine, saved in zip(getattr(self, name), state[name], strict=True):
                    mine.copy_(saved)
            for (_, parameter), master in zip(self.named, self.masters, strict=True):
                parameter.copy_(master)
        self.optimiser.load_state_dict(state["optimiser"])
        self.step_number = state["step"]


def _reads(name: str) -> bool:
    """Whether it belongs to the text tower, which has learnt before and has less to learn."""
    return not name.startswith(("visual.", "guess.")) and name != "logit_scale"
