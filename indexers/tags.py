"""Words for what a picture shows, from its visual vectors: no pixel is read, no model is run.

Every word of the chosen vocabularies is a point in the space of the picture model. A photo gets
the words it is near to, with a confidence; a video gets each word at the frame that shows it
best. See docs/indexers/tags.md for vocabularies and for how well it does.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from dam.contracts import Item, Kind, Outcome, Producer, Reads, Setup, Tag, Vector
from dam.errors import DamError, UpstreamFailed, WeightsUnavailable
from indexers.calibration import Calibration
from indexers.vocabulary import (
    Vocabulary,
    digest,
    load_vocabularies,
    neutral_texts,
    with_own_words,
)
from indexers.word_vectors import WordVectors
from indexers.zero_shot import ZeroShot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dam.contracts import QueryEncoder

MOST_TAGS = 20  # of one asset; more are noise to a person who looks through them


class Tags:
    name: ClassVar[str] = "tags"
    version: ClassVar[int] = 1
    accepts: ClassVar[frozenset[Kind]] = frozenset({Kind.PHOTO, Kind.VIDEO})
    reads: ClassVar[frozenset[Reads]] = frozenset()
    needs: ClassVar[tuple[str, ...]] = ("visual",)
    produces: ClassVar[frozenset[type]] = frozenset({Tag})
    batch_size: ClassVar[int] = 64

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def producer(self) -> Producer:
        """Another picture model or another word is another producer. Runs cost next to nothing."""
        visual = self._visual_producer()
        measured = self._measured(visual)
        return Producer(
            self.name,
            self.version,
            model=visual.model,
            weights=visual.weights,
            parameters={
                "visual": visual.fingerprint,
                "vocabularies": digest(self._vocabularies),
                **{f"calibration.{name}": value for name, value in measured.items()},
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.__dict__.pop("_words", None)
        self.__dict__.pop("_calibration", None)

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        for item in items:
            try:
                outcome = Outcome(self._tags(item))
            except DamError as error:
                outcome = Outcome(error=error)
            yield outcome

    @cached_property
    def _vocabularies(self) -> tuple[Vocabulary, ...]:
        options = self._setup.options
        listed = load_vocabularies(options.get("vocabularies") or "")
        return with_own_words(listed, json.loads(options.get("own_words") or "{}"))

    def _visual_producer(self) -> Producer:
        if self._setup.producer_of is None:
            raise UpstreamFailed("Tags are made from visual vectors, and `visual` is not there.")
        return self._setup.producer_of("visual")

    def _measured(self, visual: Producer) -> Mapping[str, float]:
        """The calibration in the manifest of exactly these weights; empty for most models."""
        if visual.model is None:
            return {}
        try:
            files = self._setup.models.find(visual.model)
        except WeightsUnavailable:
            return {}  # a model that is used by its path
        return files.calibration if files.digest == visual.weights else {}

    def _encoder(self) -> QueryEncoder:
        if self._setup.encoder_of is None:
            raise UpstreamFailed("New words need the text half of `visual`, which is not there.")
        return self._setup.encoder_of("visual")

    @cached_property
    def _calibration(self) -> Calibration:
        return Calibration.of(self._measured(self._visual_producer()))

    @cached_property
    def _words(self) -> ZeroShot:
        vectors = WordVectors(self._setup.cache, self._visual_producer().fingerprint)
        return ZeroShot(
            self._vocabularies, neutral_texts(), lambda texts: vectors.of(texts, self._encoder)
        )

    def _tags(self, item: Item) -> list[Tag]:
        found = [each for each in item.upstream("visual") if isinstance(each, Vector)]
        if not found:
            raise UpstreamFailed("There are no visual vectors of it to tag from.")
        calibration = self._calibration
        scores = self._words.scores(np.stack([vector.values for vector in found]), calibration)
        best_rows = scores.argmax(axis=0)
        confidences = scores.max(axis=0)
        order = np.argsort(-confidences, kind="stable")[:MOST_TAGS]
        return [
            Tag(
                vocabulary=self._words.names[at][0],
                word=self._words.names[at][1],
                score=float(confidences[at]),
                span=found[best_rows[at]].span,
            )
            for at in order
            if confidences[at] >= calibration.least_confidence
        ]
