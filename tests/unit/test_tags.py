"""Tags: words with a confidence that means something, from vectors alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from dam.config import Settings
from dam.contracts import (
    Item,
    Kind,
    ModelFiles,
    Outcome,
    Producer,
    QueryEncoder,
    Setup,
    Span,
    Tag,
    Vector,
)
from dam.errors import UpstreamFailed, WeightsUnavailable
from dam.models import ModelStore
from indexers.calibration import Calibration
from indexers.tags import MOST_TAGS, Tags
from indexers.visual import Visual
from indexers.vocabulary import BUILT_IN, load_vocabularies, neutral_texts, read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dam.contracts import ModelSource, Pixels, Unit


class Counted:
    """A query encoder that remembers what it was asked."""

    def __init__(self, encoder: QueryEncoder) -> None:
        self._encoder = encoder
        self.asked: list[str] = []

    @property
    def space(self) -> str:
        return self._encoder.space

    def encode_text(self, texts: Sequence[str]) -> Unit:
        self.asked += texts
        return self._encoder.encode_text(texts)

    def encode_image(self, images: Sequence[Pixels]) -> Unit:
        return self._encoder.encode_image(images)


@pytest.fixture(scope="module")
def visual(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visual]:
    home = tmp_path_factory.mktemp("tags")
    settings = Settings(home=home, models=shared / "models")
    with Visual(Setup(models=ModelStore(settings), cache=home)) as indexer:
        yield indexer


@pytest.fixture(scope="module")
def encoder(visual: Visual) -> Counted:
    return Counted(visual.query_encoder())


@pytest.fixture(scope="module")
def photos(visual: Visual, shared: Path) -> dict[str, Vector]:
    paths = sorted((shared / "media" / "photos").glob("*.jpg"))
    items = (
        Item(path.name, Kind.PHOTO, image=np.asarray(Image.open(path).convert("RGB")))
        for path in paths
    )
    found = [outcome.findings[0] for outcome in visual.index(items)]
    return {p.name: v for p, v in zip(paths, found, strict=True) if isinstance(v, Vector)}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("words")


def make(
    visual: Visual,
    encoder: Counted,
    cache: Path,
    vocabularies: str = "",
    models: ModelSource | None = None,
) -> Tags:
    def producer_of(name: str) -> Producer:
        assert name == "visual"
        return visual.producer()

    return Tags(
        Setup(
            models=models or ModelStore(Settings(home=cache)),
            cache=cache,
            options={"vocabularies": vocabularies},
            producer_of=producer_of,
            encoder_of=lambda _name: encoder,
        )
    )


def outcomes_of(tags: Tags, *assets: Sequence[Vector]) -> list[Outcome]:
    with tags:
        return list(
            tags.index(
                Item(str(n), Kind.PHOTO, upstream=lambda _name, v=vectors: v)
                for n, vectors in enumerate(assets)
            )
        )


def words_of(outcome: Outcome) -> dict[str, Tag]:
    assert outcome.error is None
    return {tag.word: tag for tag in outcome.findings if isinstance(tag, Tag)}


def test_words_name_what_the_photo_shows(
    visual: Visual, encoder: Counted, cache: Path, photos: dict[str, Vector]
) -> None:
    expected = {
        "000000054718.jpg": {"elephant", "exterior"},
        "000000089232.jpg": {"toilet", "bathroom", "interior"},
        "000000125870.jpg": {"airport", "airplane", "exterior"},
        "000000249346.jpg": {"panda", "exterior"},
        "000000516008.jpg": {"computer", "interior"},
    }
    found = outcomes_of(make(visual, encoder, cache), *([photos[name]] for name in expected))
    for (name, words), outcome in zip(expected.items(), found, strict=True):
        assert words <= set(words_of(outcome)), name


def test_most_words_at_half_confidence_are_right(
    visual: Visual, encoder: Counted, cache: Path, photos: dict[str, Vector], shared: Path
) -> None:
    """Right = one of five captions says the word; they leave much unsaid, so this is a floor."""
    captions = json.loads((shared / "media" / "photos" / "captions.json").read_text())
    said = [" ".join(captions[name]["captions"]).lower() for name in photos]
    found = outcomes_of(make(visual, encoder, cache), *([vector] for vector in photos.values()))
    hits = [
        any(re.search(rf"\b{part}", text) for part in tag.word.lower().split())
        for text, outcome in zip(said, found, strict=True)
        for tag in words_of(outcome).values()
        if tag.vocabulary in ("objects", "scenes")
    ]
    assert len(hits) >= 40
    assert np.mean(hits) >= 0.65


def test_interior_and_exterior_shut_each_other_out(
    visual: Visual, encoder: Counted, cache: Path, photos: dict[str, Vector]
) -> None:
    found = outcomes_of(make(visual, encoder, cache, "setting"), *([v] for v in photos.values()))
    words = [set(words_of(outcome)) for outcome in found]
    assert all(len(each) <= 1 for each in words)
    assert sum(len(each) for each in words) >= 0.8 * len(photos)


def test_a_video_gets_each_word_where_it_shows_best(
    visual: Visual, encoder: Counted, cache: Path, photos: dict[str, Vector]
) -> None:
    names = ["000000054718.jpg", "000000089232.jpg", "000000249346.jpg"]
    spans = [Span(n * 1000, n * 1000 + 1000) for n in range(3)]
    frames = [
        Vector(photos[name].values, at_us=span.start_us, span=span)
        for name, span in zip(names, spans, strict=True)
    ]
    (outcome,) = outcomes_of(make(visual, encoder, cache), frames)
    words = words_of(outcome)
    assert words["elephant"].span == spans[0]
    assert words["toilet"].span == spans[1]
    assert words["panda"].span == spans[2]
    scores = [tag.score for tag in words.values()]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) <= MOST_TAGS
    assert min(scores) >= Calibration().least_confidence


def test_a_new_word_asks_the_model_for_that_word_alone(
    visual: Visual, encoder: Counted, tmp_path: Path, photos: dict[str, Vector]
) -> None:
    own = tmp_path / "mine.txt"
    own.write_text("# my words\npanda cub\n\n", encoding="utf-8")
    panda = [photos["000000249346.jpg"]]
    encoder.asked.clear()
    outcomes_of(make(visual, encoder, tmp_path, str(own)), panda)
    assert set(encoder.asked) == {*neutral_texts(), "panda cub"}
    encoder.asked.clear()
    own.write_text("panda cub\nbamboo grove\n", encoding="utf-8")
    (outcome,) = outcomes_of(make(visual, encoder, tmp_path, str(own)), panda)
    assert encoder.asked == ["bamboo grove"]
    assert words_of(outcome)["panda cub"].vocabulary == "mine"
    encoder.asked.clear()
    next(tmp_path.glob("words-*.npz")).write_bytes(b"torn")
    outcomes_of(make(visual, encoder, tmp_path, str(own)), panda)
    assert len(encoder.asked) > 100, "a torn cache is made again"


def test_another_word_or_model_is_another_producer(
    visual: Visual, encoder: Counted, tmp_path: Path
) -> None:
    own = tmp_path / "mine.yaml"
    own.write_text("words: [sea, 1984, no]")
    first = make(visual, encoder, tmp_path, str(own)).producer()
    assert first == make(visual, encoder, tmp_path, str(own)).producer()
    own.write_text("words: [sea, 1984, yes]")
    assert make(visual, encoder, tmp_path, str(own)).producer().fingerprint != first.fingerprint
    assert first.parameters["visual"] == visual.producer().fingerprint
    assert first.weights == visual.producer().weights


@pytest.mark.parametrize(
    "content", ["no list", "words: 3", "words: [", "- a\n- b", "x" * 1_000_001]
)
def test_an_unusable_vocabulary_names_the_file_and_the_setting(
    visual: Visual, encoder: Counted, tmp_path: Path, content: str
) -> None:
    own = tmp_path / "mine.yaml"
    own.write_text(content)
    for path in (own, tmp_path / "absent.txt"):
        with pytest.raises(WeightsUnavailable, match=f"{path.name}.*DAM_VOCABULARIES"):
            make(visual, encoder, tmp_path, str(path)).producer()


class Measured:
    """The same weights with a manifest that says how sure their tags may be."""

    def __init__(self, visual: Visual, calibration: dict[str, float]) -> None:
        self._files = ModelFiles(
            name=visual.producer().model or "",
            path=Path(),
            digest=visual.producer().weights or "",
            licence="none",
            size_bytes=0,
            calibration=calibration,
        )
        self.digest = self._files.digest

    def find(self, name: str) -> ModelFiles:
        assert name == self._files.name
        return replace(self._files, digest=self.digest)


def test_a_measured_model_suggests_only_from_its_own_confidence_on(
    visual: Visual, encoder: Counted, cache: Path, photos: dict[str, Vector]
) -> None:
    vectors = [[vector] for vector in photos.values()]
    plain = make(visual, encoder, cache)
    careful = Measured(visual, {"competition": 1.8, "least_confidence": 0.7})
    tags = make(visual, encoder, cache, models=careful)
    assert tags.producer().fingerprint != plain.producer().fingerprint
    usual = [tag for outcome in outcomes_of(plain, *vectors) for tag in words_of(outcome).values()]
    fewer = [tag for outcome in outcomes_of(tags, *vectors) for tag in words_of(outcome).values()]
    assert 0 < len(fewer) < len(usual)
    assert min(tag.score for tag in fewer) >= 0.7

    careful.digest = "of other weights"
    assert tags.producer().fingerprint == plain.producer().fingerprint


def test_without_visual_vectors_there_are_no_tags(
    visual: Visual, encoder: Counted, cache: Path
) -> None:
    (outcome,) = outcomes_of(make(visual, encoder, cache), [])
    assert isinstance(outcome.error, UpstreamFailed)
    alone = Tags(Setup(models=ModelStore(Settings(home=cache)), cache=cache))
    with pytest.raises(UpstreamFailed, match="visual"):
        alone.producer()


def test_every_built_in_vocabulary_states_its_licence_and_source() -> None:
    paths = sorted(BUILT_IN.glob("*.yaml"))
    assert len(paths) >= 7
    for path in paths:
        vocabulary = read_vocabulary(path)
        assert vocabulary.licence in ("CC-BY-4.0", "CC0-1.0"), path
        assert vocabulary.source
        assert path.read_text().startswith("# "), "a header for people"
        assert len(vocabulary.words) >= 2
    assert len(load_vocabularies("")) == len(paths)
    assert [each.name for each in load_vocabularies("setting, shot size")] == [
        "setting", "shot size",
    ]  # fmt: skip
