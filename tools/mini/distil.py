"""The image tower learns where each picture belongs: from a teacher's places, features and texts.

Texts and places go on learning each other beside it, from the same few photos and many more whose
features are known: a text meets far more pictures than the image tower has time to look at.

One process a core, gradients averaged: two threads of one process wait for each other at every
layer, two processes once a step. The schedule follows the clock, so that training may end when it
has to; what is saved on the way is always a whole student.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from torch import distributed, nn
from torch.nn.functional import normalize

from tools.mini.alignment import MOST_SCALE, Drawn, Places, contrast, draw, frequencies
from tools.mini.student import PREPROCESS, halve, read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tools.mini.pictures import Pictures
    from tools.mini.texts import Texts

# (part of the time, edge in px): small pictures teach most of it at a third of the price.
SIZES = ((0.7, 64), (0.9, 80), (1.01, 96))
PEAK, TEXT_PEAK = 2.5e-3, 6e-4  # of the image tower; of the text tower and the places
DECAY = 0.05
MEAN_DECAY = 0.998  # of the averaged weights, which are what is saved
OTHER_TEXTS, OTHER_PLACES = 1024, 384  # wrong answers beside those of the batch
REFRESH_EVERY = 40  # steps; by then the text tower has moved on from the other texts
PLACE_WEIGHT, FEATURE_WEIGHT = 4.0, 2.0
SAVE_EVERY_S = 180
CHECKPOINT = "training.pt"


@dataclass(frozen=True, slots=True)
class Lesson:
    """Everything that is learned from."""

    pictures: Pictures
    rows: Sequence[int]  # the training photos
    texts: Texts
    features: torch.Tensor  # (n, width) what a teacher saw in them, standardised


class Learner:
    """fp32 masters of networks that compute in bf16, their optimiser and their running mean."""

    def __init__(self, model: Any, guess: nn.Module, places: nn.Module) -> None:
        self.model = model
        halve(model.visual.trunk)
        self.named = [
            *model.named_parameters(),
            *guess.named_parameters(prefix="guess"),
            *places.named_parameters(prefix="places"),
        ]
        self.masters = [p.detach().float().clone() for _, p in self.named]
        image = [m for (n, _), m in zip(self.named, self.masters, strict=True) if _is_image(n)]
        text = [m for (n, _), m in zip(self.named, self.masters, strict=True) if not _is_image(n)]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": [m for m in image if m.ndim > 1], "peak": PEAK, "weight_decay": DECAY},
                {"params": [m for m in image if m.ndim < 2], "peak": PEAK, "weight_decay": 0.0},
                {"params": text, "peak": TEXT_PEAK, "weight_decay": 0.0},
            ],
            foreach=True,
        )
        self.mean = [m.clone() for m in self.masters]
        self.buffers = [b for b in model.buffers() if b.is_floating_point() and b.ndim == 1]
        self.mean_buffers = [b.clone() for b in self.buffers]
        self.step_number = 0

    def step(self, done: float, gradients: torch.Tensor) -> None:
        """`gradients`: flat, averaged over the processes."""
        self.step_number += 1
        norm = float(gradients.norm())
        gradients *= min(1.0, 5.0 / (norm + 1e-6))
        parts = torch.split(gradients, [m.numel() for m in self.masters])
        for master, part in zip(self.masters, parts, strict=True):
            master.grad = part.view_as(master)
        for group in self.optimiser.param_groups:
            warm = min(1.0, self.step_number / 100)
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
                torch.zeros(m.numel()) if p.grad is None else p.grad.float().flatten()
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
        peaks = [group["peak"] for group in self.optimiser.param_groups]
        self.optimiser.load_state_dict(state["optimiser"])
        for group, peak in zip(self.optimiser.param_groups, peaks, strict=True):
            group["peak"] = peak
        self.step_number = state["step"]


def _is_image(name: str) -> bool:
    return name.startswith(("visual.", "guess."))


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
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    distributed.init_process_group(
        "gloo",
        init_method=meeting.as_uri(),
        rank=rank,
        world_size=processes,
        timeout=timedelta(minutes=30),
    )
    torch.manual_seed(0)
    guess = nn.Linear(model.visual.head.proj.in_features, lesson.features.shape[1])
    learner = Learner(model, guess, places)
    before_s = 0.0
    saved = out / CHECKPOINT
    if saved.is_file():
        state = torch.load(saved)
        learner.load(state)
        before_s = state["elapsed_s"]
    random = np.random.default_rng([rank, learner.step_number])
    weights = frequencies(lesson.texts, [lesson.pictures.photos[at] for at in lesson.rows])
    bank = Bank(lesson.texts)
    began = saved_at = time.monotonic()
    done, losses = before_s / (60 * minutes), np.zeros(4)
    while done < 1:
        edge = next(edge for until, edge in SIZES if done < until)
        if bank.age % REFRESH_EVERY == 0:
            bank.refresh(model, random)
        bank.age += 1
        drawn = draw(lesson.texts, weights, batch, random)
        parts = _losses(lesson, drawn, bank, model, guess, places, edge, random)
        for module in (model, guess, places):
            module.zero_grad()
        total = parts[0] + parts[1] + PLACE_WEIGHT * parts[2] + FEATURE_WEIGHT * parts[3]
        torch.autograd.backward(total)
        spent = (before_s + time.monotonic() - began) / (60 * minutes)
        message = torch.cat([learner.gradients(), torch.tensor([spent])])
        distributed.all_reduce(message)
        message /= processes
        done = float(message[-1])  # the same in every process
        learner.step(min(done, 1.0), message[:-1])
        losses = 0.98 * losses + 0.02 * np.array([part.item() for part in parts])
        if rank == 0 and learner.step_number % 100 == 0:
            say(f"distil: step {learner.step_number}, {done:.1%}, {edge} px, {losses.round(3)}")
        if rank == 0 and (done >= 1 or time.monotonic() - saved_at > SAVE_EVERY_S):
            saved_at = time.monotonic()
            elapsed_s = before_s + saved_at - began
            _replace({**learner.state(), "elapsed_s": elapsed_s}, saved)
            say(f"saved after {elapsed_s:.0f} s: {check(learner.student())}")
    distributed.barrier()
    distributed.destroy_process_group()


class Bank:
    """Some texts and their vectors of a moment ago: wrong answers that cost nothing."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self.age = 0  # in steps

    def refresh(self, model: Any, random: Any) -> None:
        count = min(OTHER_TEXTS, len(self._texts.texts))
        self.rows = random.choice(len(self._texts.texts), size=count, replace=False)
        with torch.no_grad():
            self.vectors = read(model, self._texts.batch(self.rows))


def _losses(
    lesson: Lesson,
    drawn: Drawn,
    bank: Bank,
    model: Any,
    guess: nn.Module,
    places: Places,
    edge: int,
    random: Any,
) -> list[torch.Tensor]:
    """Of pictures with texts, of places with texts, of pictures to places, to features."""
    photos = [lesson.pictures[lesson.rows[at]] for at in drawn.photos]
    crops = np.stack([augmented(pixels, edge, random) for pixels in photos])
    seen = model.visual.trunk(_normalised(crops)).float()
    pictures = normalize(model.visual.head(seen), dim=-1)
    features = lesson.features[torch.from_numpy(drawn.photos)]
    others = random.choice(len(lesson.features), size=OTHER_PLACES, replace=False)
    with torch.no_grad():
        places.eval()
        place = places(features)
        strangers = places(lesson.features[torch.from_numpy(others)])
        places.train()
    asked = _Asked(lesson.texts, drawn, bank, others)
    said = read(model, drawn.tokens)
    scale = model.logit_scale.exp().clamp(max=MOST_SCALE)
    return [
        asked.contrast(scale, pictures, said, strangers),
        asked.contrast(scale, places(features), said, strangers),
        1 - (pictures * place).sum(dim=1).mean(),
        1 - (normalize(guess(seen), dim=-1) * normalize(features, dim=-1)).sum(dim=1).mean(),
    ]


class _Asked:
    """Which texts are true of which pictures, among those of a step and others."""

    def __init__(self, texts: Texts, drawn: Drawn, bank: Bank, others: NDArray[np.int64]) -> None:
        self._drawn, self._bank = drawn, bank
        banked = _either(texts.fits(bank.rows, drawn.photos))
        stranger = _either(texts.fits(drawn.texts, others))
        same = torch.from_numpy(np.isin(others, drawn.photos))
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


def _either(fits: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> torch.Tensor:
    return torch.from_numpy(fits[0] | fits[1])


def augmented(pixels: NDArray[np.uint8], edge: int, random: Any) -> NDArray[np.uint8]:
    """(edge, edge, 3): a crop, mirrored, in other light, sometimes grey or blurred."""
    height, width = pixels.shape[:2]
    area = random.uniform(0.35, 1) * min(height, width) ** 2
    aspect = np.exp(random.uniform(-0.3, 0.3))
    tall = int(min(height, max(8, np.sqrt(area / aspect))))
    wide = int(min(width, max(8, np.sqrt(area * aspect))))
    # Not as far out as a strip allows: the middle is what a search looks at.
    top = int(np.clip(random.normal(0.5, 0.25), 0, 1) * (height - tall))
    left = int(np.clip(random.normal(0.5, 0.25), 0, 1) * (width - wide))
    crop = np.ascontiguousarray(pixels[top : top + tall, left : left + wide])
    if random.random() < 0.1:
        crop = _resized(crop, max(8, int(edge * random.uniform(0.4, 0.8))))
    crop = _resized(crop, edge)
    if random.random() < 0.5:
        crop = crop[:, ::-1]
    return _other_light(crop, random)


def _resized(crop: NDArray[np.uint8], edge: int) -> NDArray[np.uint8]:
    kernel = cv2.INTER_AREA if min(crop.shape[:2]) > edge else cv2.INTER_LINEAR
    resized: NDArray[Any] = cv2.resize(crop, (edge, edge), interpolation=kernel)
    return resized


def _other_light(crop: NDArray[np.uint8], random: Any) -> NDArray[np.uint8]:
    if random.random() < 0.3:
        return np.ascontiguousarray(crop)
    values = crop.astype(np.float32)
    grey = values.mean(axis=2, keepdims=True)
    colour = 0.0 if random.random() < 0.06 else random.uniform(0.6, 1.4)
    values = grey + colour * (values - grey)
    level = values.mean()
    values = level + random.uniform(0.65, 1.35) * (values - level)
    values *= random.uniform(0.65, 1.35) * random.uniform(0.93, 1.07, size=3).astype(np.float32)
    changed: NDArray[np.uint8] = values.clip(0, 255).astype(np.uint8)
    return changed


def _normalised(crops: NDArray[np.uint8]) -> torch.Tensor:
    mean, std = (torch.tensor(PREPROCESS[name]).view(3, 1, 1) for name in ("mean", "std"))
    values = torch.from_numpy(crops).permute(0, 3, 1, 2).float()
    return ((values / 255 - mean) / std).to(torch.bfloat16, memory_format=torch.channels_last)


def _replace(state: dict[str, Any], path: Path) -> None:
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)
