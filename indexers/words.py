"""What is said and written, as vectors of whole sentences: search finds them by what they mean.

Reads nothing but the findings of `speech` and `text`. Lines that follow each other and say little
alone are one passage (`indexers.word_passages`). See docs/indexers/words.md.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from dam.contracts import Item, Kind, Outcome, Producer, Reads, Setup, Vector
from dam.errors import BadRequest, DamError, UpstreamAbsent, UpstreamFailed, WeightsUnavailable
from indexers.hearing import loading_a_model
from indexers.loading import Weights
from indexers.sentences import Sentences
from indexers.word_passages import Passage, spoken, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dam.contracts import Finding, Pixels, Unit

SOURCES = {  # whose lines there are, by what can have them
    "speech": frozenset({Kind.VIDEO, Kind.AUDIO}),
    "text": frozenset({Kind.PHOTO, Kind.VIDEO}),
}


class Words:
    name: ClassVar[str] = "words"
    version: ClassVar[int] = 1
    accepts: ClassVar[frozenset[Kind]] = frozenset(Kind)
    reads: ClassVar[frozenset[Reads]] = frozenset()
    needs: ClassVar[tuple[str, ...]] = tuple(SOURCES)
    produces: ClassVar[frozenset[type]] = frozenset({Vector})
    batch_size: ClassVar[int] = 32  # passages in one model call

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._weights = Weights(setup, self.name)
        self._sentences: Sentences | None = None

    def producer(self) -> Producer:
        """Knows nothing of who wrote the lines down: that changes what is said of an asset, and
        its run is done again then, but not the space that sentences lie in."""
        files = self._weights.find()
        return Producer(self.name, self.version, model=files.name, weights=files.digest)

    def __enter__(self) -> Self:
        """Loads nothing yet: most photos have nothing to be read, and a network takes seconds."""
        return self

    def __exit__(self, *_error: object) -> None:
        self._sentences = None

    @property
    def _loaded(self) -> Sentences:
        if self._sentences is None:
            with self._weights.loading() as files, loading_a_model(files.path, self._setup.threads):
                self._sentences = Sentences(files)
        return self._sentences

    def query_encoder(self) -> WordsEncoder:
        """Usable while the indexer is entered."""
        return WordsEncoder(self._loaded, self.producer().fingerprint)

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        """Raises `WeightsUnavailable` when the network does not load."""
        assets: deque[_Asset] = deque()
        waiting: list[tuple[_Asset, str]] = []
        for item in items:
            asset = _Asset.of(item)
            assets.append(asset)
            for passage in asset.passages:
                waiting.append((asset, passage.text))
                if len(waiting) == self.batch_size:
                    self._encode(waiting)
            while assets and assets[0].is_done:
                yield assets.popleft().outcome()
        self._encode(waiting)
        yield from (asset.outcome() for asset in assets)

    def _encode(self, waiting: list[tuple[_Asset, str]]) -> None:
        """Empties `waiting` and gives every asset its vectors, in order."""
        if not waiting:
            return
        assets, texts = zip(*waiting, strict=True)
        waiting.clear()
        try:
            rows = self._loaded.of_passages(texts)
        except WeightsUnavailable:
            raise
        except DamError as error:
            for asset in assets:
                asset.error = error
            return
        for asset, row in zip(assets, rows, strict=True):
            asset.rows.append(row)


@dataclass(slots=True)
class _Asset:
    """One that waits for the vectors of its passages."""

    passages: Sequence[Passage] = ()
    rows: list[Unit] = field(default_factory=list)
    error: DamError | None = None

    @classmethod
    def of(cls, item: Item) -> _Asset:
        """Whatever of its sources is there; failed only when there is nothing else."""
        found: list[Finding] = []
        failure: DamError | None = None
        for name, kinds in SOURCES.items():
            if item.kind not in kinds:
                continue
            try:
                found += item.upstream(name)
            except UpstreamAbsent:
                continue
            except UpstreamFailed as error:
                failure = error
            except DamError as error:  # stopped
                return cls(error=error)
        passages = [*spoken(found, item.duration_us), *written(found, item.duration_us)]
        return cls(passages, error=None if passages else failure)

    @property
    def is_done(self) -> bool:
        return self.error is not None or len(self.rows) == len(self.passages)

    def outcome(self) -> Outcome:
        if self.error is not None:
            return Outcome(error=self.error)
        return Outcome(
            [
                Vector(row, passage.at_us, passage.span)
                for passage, row in zip(self.passages, self.rows, strict=True)
            ]
        )


class WordsEncoder:
    """A `QueryEncoder` for sentences; a picture says nothing."""

    def __init__(self, sentences: Sentences, space: str) -> None:
        self._sentences = sentences
        self._space = space

    @property
    def space(self) -> str:
        return self._space

    def encode_text(self, texts: Sequence[str]) -> Unit:
        return self._sentences.of_queries(texts)

    def encode_image(self, images: Sequence[Pixels]) -> Unit:
        raise BadRequest("What is said and written cannot be searched with a picture.")
