"""Genre, mood and instruments of music, from the vectors of its sound; nothing is heard again.

Of what `music` takes for music alone; words are points in the space of `sound_space`, as those of
`tags` are in the space of pictures. See docs/indexers/music_tags.md.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from dam.contracts import Item, Kind, Outcome, Producer, Reads, Setup, Tag, Vector
from dam.errors import DamError, UpstreamFailed
from dam.findings import Music
from indexers.calibration import Calibration
from indexers.vocabulary import digest, music_vocabularies
from indexers.word_vectors import WordVectors
from indexers.zero_shot import ZeroShot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dam.contracts import QueryEncoder

# Of the windows and how sure each is, on average: a word must hold for about half of a piece.
LEAST_CONFIDENCE = 0.4
MOST_TAGS = 8  # of one piece


class MusicTags:
    name: ClassVar[str] = "music_tags"
    version: ClassVar[int] = 1
    accepts: ClassVar[frozenset[Kind]] = frozenset({Kind.VIDEO, Kind.AUDIO})
    reads: ClassVar[frozenset[Reads]] = frozenset()
    needs: ClassVar[tuple[str, ...]] = ("music", "sound_space")
    produces: ClassVar[frozenset[type]] = frozenset({Tag})
    batch_size: ClassVar[int] = 64

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def producer(self) -> Producer:
        music, space = (self._producer_of(need) for need in self.needs)
        return Producer(
            self.name,
            self.version,
            model=space.model,
            weights=space.weights,
            parameters={
                "music": music.fingerprint,
                "sound_space": space.fingerprint,
                "vocabularies": digest(music_vocabularies()),
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.__dict__.pop("_words", None)

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        for item in items:
            try:
                outcome = Outcome(self._tags(item))
            except DamError as error:
                outcome = Outcome(error=error)
            yield outcome

    def _producer_of(self, need: str) -> Producer:
        if self._setup.producer_of is None:
            raise UpstreamFailed(f"Tags of music are made from `{need}`, which is not there.")
        return self._setup.producer_of(need)

    def _encoder(self) -> QueryEncoder:
        if self._setup.encoder_of is None:
            raise UpstreamFailed("New words need the text half of `sound_space`.")
        return self._setup.encoder_of("sound_space")

    @cached_property
    def _words(self) -> ZeroShot:
        vectors = WordVectors(self._setup.cache, self._producer_of("sound_space").fingerprint)
        vocabularies = music_vocabularies()
        neutral = [text for each in vocabularies for asked in each.words.values() for text in asked]
        return ZeroShot(vocabularies, neutral, lambda texts: vectors.of(texts, self._encoder))

    def _tags(self, item: Item) -> list[Tag]:
        if not any(isinstance(each, Music) for each in item.upstream("music")):
            return []
        found = [each for each in item.upstream("sound_space") if isinstance(each, Vector)]
        if not found:
            return []
        scores = self._words.scores(np.stack([each.values for each in found]), Calibration())
        best, confidences = scores.argmax(axis=0), scores.mean(axis=0)
        order = np.argsort(-confidences, kind="stable")[:MOST_TAGS]
        return [
            Tag(
                vocabulary=self._words.names[at][0],
                word=self._words.names[at][1],
                score=float(confidences[at]),
                span=found[best[at]].span,
            )
            for at in order
            if confidences[at] >= LEAST_CONFIDENCE
        ]
