"""The image tower learns where each picture belongs: from a teacher's places, features and texts.

The texts and the places stay as `tools.mini.alignment` left them. Learning along, they ran away:
what they are compared with beside their own batch is a moment old, so that a step of all of them
in one direction looked like a gain, until everything lay in that direction.

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

from tools.mini.alignment import MOST_SCALE, Drawn, Places, contrast, draw, frequencies
from tools.mini.learner import Learner
from tools.mini.student import read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tools.mini.crops import Crops
    from tools.mini.pictures import Photo
    from tools.mini.texts import Texts

# (part of the time, edge in px): small pictures teach most of it at a third of the price.
SIZES = ((0.4, 64), (0.75, 80), (0.93, 96), (1.01, 112))
OTHER_TEXTS, OTHER_PLACES = 1024, 384  # wrong answers beside those of the batch
OTHERS_FOR = 40  # steps, until other texts take their turn
PLACE_WEIGHT, FEATURE_WEIGHT = 4.0, 2.0
SAVE_EVERY_S = 600  # a check costs seconds, and the other processes wait for it
CHECKPOINT = "training.pt"


@dataclass(frozen=True, slots=True)
class Lesson:
    """Everything that is learned from."""

    photos: Sequence[Photo]
    crops: Crops  # of these photos, as the texts and the features are
    texts: Texts
    features: torch.Tensor  # (n, width) what a teacher saw in them, standardised


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
    device = lesson.features.device
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
    guess = nn.Linear(model.visual.head.proj.in_features, lesson.features.shape[1]).to(device)
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
    bank = Bank(lesson.texts)
    began = saved_at = time.monotonic()
    done, losses = before_s / (60 * minutes), np.zeros(3)
    while done < 1:
        edge = next(edge for until, edge in SIZES if done < until)
        if bank.age % OTHERS_FOR == 0:
            bank.exchange(model, random)
        bank.age += 1
        drawn = draw(lesson.texts, weights, batch, random).to(device)
        asked = _Asked(lesson.texts, drawn, bank, random, len(lesson.features))
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=device.type == "cuda"):
            parts = _losses(lesson, asked, model, guess, places, edge)
        for module in (model, guess):
            module.zero_grad()
        total = parts[0] + PLACE_WEIGHT * parts[1] + FEATURE_WEIGHT * parts[2]
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


class Bank:
    """Some texts and their vectors: wrong answers that cost next to nothing."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self.age = 0  # in steps

    def exchange(self, model: Any, random: Any) -> None:
        count = min(OTHER_TEXTS, len(self._texts.texts))
        self.rows = random.choice(len(self._texts.texts), size=count, replace=False)
        with torch.no_grad():
            device = model.logit_scale.device
            self.vectors = read(model, self._texts.batch(self.rows).to(device))


class _Asked:
    """Which texts are true of which pictures, among those of a step and others."""

    def __init__(self, texts: Texts, drawn: Drawn, bank: Bank, random: Any, photos: int) -> None:
        self.drawn, self._bank = drawn, bank
        self.others = random.choice(photos, size=min(OTHER_PLACES, photos), replace=False)
        device = drawn.true.device
        banked = _either(texts.fits(bank.rows, drawn.photos)).to(device)
        stranger = _either(texts.fits(drawn.texts, self.others)).to(device)
        same = torch.from_numpy(np.isin(self.others, drawn.photos)).to(device)
        # Other texts and pictures are never the answer; where they could be, they do not count.
        self._texts_true = torch.cat([drawn.true, torch.zeros_like(banked)]).T
        self._texts_perhaps = torch.cat([drawn.perhaps, banked]).T
        self._pictures_true = torch.cat([drawn.true, torch.zeros_like(stranger)], dim=1)
        self._pictures_perhaps = torch.cat([drawn.perhaps, stranger | same], dim=1)

    def contrast(
        self,
        scale: torch.Tensor,
        pictures: torch.Tensor,
        said: torch.Tensor,
        strangers: torch.Tensor,
    ) -> torch.Tensor:
        to_texts = scale * pictures @ torch.cat([said, self._bank.vectors]).T
        to_pictures = scale * said @ torch.cat([pictures, strangers]).T
        return contrast(to_texts, self._texts_true, self._texts_perhaps) + contrast(
            to_pictures, self._pictures_true, self._pictures_perhaps
        )


def _losses(
    lesson: Lesson, asked: _Asked, model: Any, guess: nn.Module, places: Places, edge: int
) -> list[torch.Tensor]:
    """Of pictures with texts, of pictures to places, to features."""
    device = lesson.features.device
    photos = torch.from_numpy(asked.drawn.photos).to(device)
    crops = lesson.crops.draw(photos, edge).contiguous(memory_format=torch.channels_last)
    seen = model.visual.trunk(crops.bfloat16() if device.type == "cpu" else crops).float()
    pictures = normalize(model.visual.head(seen).float(), dim=-1)
    features = lesson.features[photos]
    with torch.no_grad():
        place = places(features)
        strangers = places(lesson.features[torch.from_numpy(asked.others).to(device)])
        said = read(model, asked.drawn.tokens)
    scale = model.logit_scale.exp().clamp(max=MOST_SCALE)
    return [
        asked.contrast(scale, pictures, said, strangers),
        1 - (pictures * place).sum(dim=1).mean(),
        1 - (normalize(guess(seen), dim=-1) * normalize(features, dim=-1)).sum(dim=1).mean(),
    ]


def _either(fits: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> torch.Tensor:
    return torch.from_numpy(fits[0] | fits[1])


def _replace(state: dict[str, Any], path: Path) -> None:
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)
