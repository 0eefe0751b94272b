"""The fused ranking keeps what the bare model ranks, whatever the files are called."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from dam.contracts import Producer
from dam.search import Query, SearchService
from tests import search_world
from tests.search_world import World

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dam.config import Settings
    from dam.contracts import Pixels, Unit
    from dam.db import Database

RANKS = (1, 5, 10)
TOLERANCE = 0.02
SPACE = Producer("visual", 1, "clip-standin")


class Clip:
    """open_clip itself, without anything of dam between."""

    space = SPACE.fingerprint

    def __init__(self, folder: Path) -> None:
        torch.set_num_threads(1)
        name = f"local-dir:{folder}"
        self._model, _, self._prepare = open_clip.create_model_and_transforms(name)
        self._tokens = open_clip.get_tokenizer(name)
        self._model.eval()

    @torch.inference_mode()
    def encode_text(self, texts: Sequence[str]) -> Unit:
        return self._model.encode_text(self._tokens(list(texts)), normalize=True).float().numpy()

    @torch.inference_mode()
    def encode_image(self, images: Sequence[Pixels]) -> Unit:
        batch = torch.stack([self._prepare(Image.fromarray(image)) for image in images])
        return self._model.encode_image(batch, normalize=True).float().numpy()


@pytest.fixture(scope="module")
def photos(shared: Path) -> tuple[Clip, dict[str, Any], Unit]:
    clip = Clip(shared / "models/clip-standin")
    folder = shared / "media/photos"
    captions = json.loads((folder / "captions.json").read_text())
    pictures = [np.asarray(Image.open(folder / name).convert("RGB")) for name in captions]
    return clip, captions, np.concatenate([clip.encode_image([picture]) for picture in pictures])


def recalls(ranks: list[int]) -> dict[int, float]:
    return {limit: float(np.mean([rank < limit for rank in ranks])) for limit in RANKS}


def test_captions_find_their_picture_as_well_as_the_bare_model_does(
    database: Database,
    settings: Settings,
    tmp_path: Path,
    photos: tuple[Clip, dict[str, Any], Unit],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clip, captions, vectors = photos
    monkeypatch.setattr(search_world, "VISUAL", SPACE)
    world = World(database, tmp_path)
    rng = random.Random(5)
    words = sorted(
        {
            word
            for facts in captions.values()
            for c in facts["captions"]
            for word in re.findall(r"\w{3,}", c.lower())
        }
    )
    ids = {}
    for number, (name, facts) in enumerate(captions.items()):
        own = re.findall(r"\w{4,}", facts["captions"][0].lower())
        ids[name] = world.add(
            # Names, keywords and tags hold words of captions, mostly of other pictures'.
            f"{rng.choice(words)}/{'_'.join(rng.sample(words, 3))}_{number}.jpg",
            vector=vectors[number],
            keywords=rng.sample(words, 2),
            tags=[(word, 0.6 + 0.3 * rng.random()) for word in {*rng.sample(words, 3), *own[:1]}],
        )
    service = SearchService(database, settings, lambda: clip)
    bare, ours = [], []
    for number, (name, facts) in enumerate(captions.items()):
        for caption in facts["captions"][:2]:
            scores = vectors @ clip.encode_text([caption])[0]
            bare.append(int((scores > scores[number]).sum()))
            found = [hit.asset_id for hit in service.search(Query(caption, limit=10)).results]
            ours.append(found.index(ids[name]) if ids[name] in found else 99)
    expected, reached = recalls(bare), recalls(ours)
    for limit in RANKS:
        assert reached[limit] >= expected[limit] - TOLERANCE, (limit, expected, reached)
