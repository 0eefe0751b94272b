"""Bringing sentences and pictures together, first where pictures are what a teacher saw of them.

Features of a teacher cost nothing to look at again, so the text tower and a projection of those
features learn each other in minutes; the image tower then has a place to aim at for each picture.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import normalize

from tools.mini.student import read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from tools.mini.texts import Texts

    Ids = NDArray[np.int64]

MOST_SCALE = 50.0  # of the cosines; larger, and small data sets are learnt by heart
BATCH = 384
CAPTIONS = (0.95,)
CAPTIONED = 2.5  # times as often as a photo with labels alone
WORD_LOSS = 0.06  # part of the words that become "some word"


class Places(nn.Module):
    """From a teacher's features to where a picture belongs in the common space.

    One straight map, and hardly any of the features at a time: whatever bends learns the captions
    of its photos by heart, and the image tower then aims at what nobody can see.
    """

    def __init__(self, width: int, dimension: int) -> None:
        super().__init__()
        self.forget = nn.Dropout(0.5)
        self.straight = nn.Linear(width, dimension)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return normalize(self.straight(self.forget(features)), dim=-1)


def contrast(
    logits: torch.Tensor, true: torch.Tensor, perhaps: torch.Tensor | None = None
) -> torch.Tensor:
    """Softmax over rows with several right answers; what is `perhaps` right counts as neither."""
    if perhaps is not None:
        logits = logits.masked_fill(perhaps & ~true, -1e4)
    share = true / true.sum(dim=1, keepdim=True)
    return -(share * logits.log_softmax(dim=1)).sum(dim=1).mean()


def matched(model: Any, pictures: torch.Tensor, said: torch.Tensor, drawn: Drawn) -> torch.Tensor:
    """The loss of unit rows: pictures must find their texts, and texts their pictures."""
    logits = model.logit_scale.exp().clamp(max=MOST_SCALE) * said @ pictures.T
    return contrast(logits, drawn.true, drawn.perhaps) + contrast(
        logits.T, drawn.true.T, drawn.perhaps.T
    )


def frequencies(texts: Texts, photos: Sequence[Any]) -> NDArray[np.float64]:
    """How often each photo is drawn: captions teach most, and rare labels need repeating."""
    first = [photo.labels[0] if photo.labels else "" for photo in photos]
    count = {label: first.count(label) for label in set(first)}
    middle = float(np.median([count[label] for label in first]))
    weights = [
        CAPTIONED if texts.captions[at] else float(np.clip((middle / count[label]) ** 0.3, 0.6, 2))
        for at, label in enumerate(first)
    ]
    return np.array(weights) / sum(weights)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Photos of one step and texts about each."""

    photos: Ids
    texts: Ids
    tokens: torch.Tensor
    true: torch.Tensor  # (texts, photos)
    perhaps: torch.Tensor

    def to(self, device: torch.device) -> Drawn:
        """The same with its tensors there."""
        moved = (each.to(device) for each in (self.tokens, self.true, self.perhaps))
        return Drawn(self.photos, self.texts, *moved)


def draw(
    texts: Texts, weights: NDArray[np.float64], size: int, random: Any, captions: Sequence[float]
) -> Drawn:
    """One text a photo for each of `captions`: how likely it is a caption where there is one."""
    size = min(size, len(weights))
    photos = random.choice(len(weights), size=size, replace=False, p=weights)
    rows = np.array([texts.draw(photo, random, often) for often in captions for photo in photos])
    true, perhaps = texts.fits(rows, photos)
    own = np.tile(np.eye(size, dtype=bool), (len(captions), 1))
    tokens = texts.batch(rows)
    lost = torch.from_numpy(random.random(tokens.shape) < WORD_LOSS)
    lost[:, 0] = False  # the start of a text; its end is the largest number of a row
    lost &= tokens != tokens.max()
    return Drawn(
        photos,
        rows,
        tokens.masked_fill(lost, 0),
        torch.from_numpy(true | own),
        torch.from_numpy(perhaps),
    )


def align(
    texts: Texts,
    model: Any,
    features: torch.Tensor,
    photos: Sequence[Any],
    *,
    minutes: float,
    say: Callable[[str], None],
    check: Callable[[Any, Places], str],
) -> Places:
    """Trains the text tower of `model` and new `Places`; `features` (photos, width).

    Runs where `features` are, and so must `model`.
    """
    device = features.device
    random = np.random.default_rng(1)
    weights = frequencies(texts, photos)
    places = Places(features.shape[1], model.text_projection.shape[1]).to(device)
    tower = [p for name, p in model.named_parameters() if not name.startswith("visual")]
    optimiser = torch.optim.AdamW(
        [
            {"params": tower, "peak": 1.5e-3, "weight_decay": 0.05},
            {"params": places.parameters(), "peak": 1e-3, "weight_decay": 0.3},
        ]
    )
    began, step, done = time.monotonic(), 0, 0.0
    while done < 1:
        done = (time.monotonic() - began) / (60 * minutes)
        warm = min(1.0, (step + 1) / 40)
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * warm * (0.02 + 0.98 * np.cos(np.pi / 2 * min(done, 1)))
        step += 1
        drawn = draw(texts, weights, BATCH, random, CAPTIONS).to(device)
        pictures = places(features[torch.from_numpy(drawn.photos).to(device)])
        with torch.autocast(device.type, dtype=torch.bfloat16):
            said = read(model, drawn.tokens)
        loss = matched(model, pictures, said, drawn)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(tower, 1.0)
        optimiser.step()
        if step % 50 == 0 or done >= 1:
            say(f"align: step {step}, {done:.0%}, loss {loss.item():.3f}, {check(model, places)}")
    return places.eval()
