"""Both towers learn together: pictures from a teacher's places and features, and with their texts.

Wrong answers are those of the same step alone. Kept from earlier steps they are a moment old, so
that a step of everything in one direction looks like a gain, until everything lies there. Texts
must learn along: what a small tower cannot see, no text can ask it for.

One process a core, gradients averaged: two threads of one process wait for each other at every
layer, two processes once a step. The schedule follows the clock, so that training may end when it
has to; what is saved on the way is always a whole student.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import distributed, nn
from torch.nn.functional import normalize

from tools.mini.alignment import Drawn, Places, draw, frequencies, matched
from tools.mini.learner import Learner
from tools.mini.student import read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tools.mini.crops import Crops
    from tools.mini.pictures import Photo
    from tools.mini.teacher import Seen
    from tools.mini.texts import Texts

# (part of the time, edge in px, least area of a crop): small pictures teach most of it at a third
# of the price, and what is searched later is whole.
STAGES = ((0.4, 64, 0.4), (0.7, 80, 0.5), (0.9, 96, 0.65), (1.01, 112, 0.8))
CAPTIONS = (0.95,)  # one text a photo: a second costs a third more and teaches little
# Aiming at places and features is as good for photos never seen; texts are soon learnt by heart.
TEXT_WEIGHT, PLACE_WEIGHT, FEATURE_WEIGHT = 0.5, 6.0, 3.0
SAVE_EVERY_S = 600  # a check costs seconds, and the other processes wait for it
CHECKPOINT = "training.pt"


@dataclass(frozen=True, slots=True)
class Lesson:
    """Everything that is learned from."""

    photos: Sequence[Photo]
    crops: Crops  # of these photos, as the texts and what the teacher saw are
    texts: Texts
    seen: Seen


def distil(
    lesson: Lesson,
    model: Any,
    places: Places,
    *,
    rank: int,
    processes: int,
    meeting: Path,
    out: Path,
    minutes: float,
    batch: int,
    say: Callable[[str], None],
    check: Callable[[dict[str, torch.Tensor]], str],
) -> None:
    """One of `processes` equal processes; the first says, checks and saves into `out`."""
    device = model.logit_scale.device
    if processes > 1:
        torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo",
        init_method=meeting.as_uri(),
        rank=rank,
        world_size=processes,
        timeout=timedelta(minutes=30),
    )
    torch.manual_seed(0)
    guess = nn.Linear(model.visual.head.proj.in_features, lesson.seen.width).to(device)
    places.eval().requires_grad_(False)
    learner = Learner(model, guess)
    before_s = 0.0
    saved = out / CHECKPOINT
    if saved.is_file():
        state = torch.load(saved, map_location=device)
        learner.load(state)
        before_s = state["elapsed_s"]
    random = np.random.default_rng([rank, learner.step_number])
    torch.manual_seed(1_000 * learner.step_number + rank)  # each process its own crops
    weights = frequencies(lesson.texts, lesson.photos)
    began = saved_at = time.monotonic()
    done, losses = before_s / (60 * minutes), np.zeros(3)
    while done < 1:
        edge, area = next((edge, area) for until, edge, area in STAGES if done < until)
        drawn = draw(lesson.texts, weights, batch, random, CAPTIONS).to(device)
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=device.type == "cuda"):
            crops = lesson.crops.draw(torch.from_numpy(drawn.photos).to(device), edge, area)
            parts = _losses(lesson, drawn, crops, model, guess, places)
        for module in (model, guess):
            module.zero_grad()
        total = TEXT_WEIGHT * parts[0] + PLACE_WEIGHT * parts[1] + FEATURE_WEIGHT * parts[2]
        torch.autograd.backward(total)
        done = (before_s + time.monotonic() - began) / (60 * minutes)
        gradients = learner.gradients()
        if processes > 1:
            message = torch.cat([gradients, torch.tensor([done])])
            distributed.all_reduce(message)
            message /= processes
            gradients, done = message[:-1], float(message[-1])  # the same in every process
        learner.step(min(done, 1.0), gradients)
        losses = 0.98 * losses + 0.02 * np.array([part.item() for part in parts])
        if rank == 0 and learner.step_number % 50 == 0:
            say(f"distil: step {learner.step_number}, {done:.1%}, {edge} px, {losses.round(3)}")
        if rank == 0 and (done >= 1 or time.monotonic() - saved_at > SAVE_EVERY_S):
            saved_at = time.monotonic()
            elapsed_s = before_s + saved_at - began
            _replace({**learner.state(), "elapsed_s": elapsed_s}, saved)
            say(f"saved after {elapsed_s:.0f} s: {check(learner.student())}")
    distributed.barrier()
    distributed.destroy_process_group()


def _losses(
    lesson: Lesson,
    drawn: Drawn,
    crops: tuple[torch.Tensor, torch.Tensor],
    model: Any,
    guess: nn.Module,
    places: Places,
) -> list[torch.Tensor]:
    """Of pictures with texts, of pictures to places, to features; `crops` as `Crops.draw` gives."""
    shown, boxes = crops
    shown = shown.contiguous(memory_format=torch.channels_last)
    seen = model.visual.trunk(shown.bfloat16() if shown.device.type == "cpu" else shown).float()
    pictures = normalize(model.visual.head(seen).float(), dim=-1)
    features = lesson.seen.within(torch.from_numpy(drawn.photos).to(shown.device), boxes)
    with torch.no_grad():
        place = places(features)
    return [
        matched(model, pictures, read(model, drawn.tokens), drawn),
        1 - (pictures * place).sum(dim=1).mean(),
        1 - (normalize(guess(seen), dim=-1) * normalize(features, dim=-1)).sum(dim=1).mean(),
    ]


def _replace(state: dict[str, Any], path: Path) -> None:
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)
