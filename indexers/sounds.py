"""What is heard, by its name in AudioSet, with its beginning and end.

An audio spectrogram transformer (AST) listens to windows of its own length that overlap by half.
How sure it is of a label at a time is the geometric mean of the windows around that time: a sound
that only one of them hears lies in the other half of that one. An event begins where that is high
and lasts until it is low. See docs/indexers/sounds.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from dam.contracts import (
    VOICE_HZ,
    Item,
    Kind,
    Outcome,
    Producer,
    Reads,
    Setup,
    Span,
)
from dam.errors import Permanent
from dam.findings import SoundEvent
from indexers.hearing import Hearing, calling_a_model, checked, loading_a_model
from indexers.loading import Weights
from indexers.stretches import STEP_US, Windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from dam.contracts import ModelFiles, Samples
    from indexers.stretches import Audible, Place

    Scores = NDArray[np.float32]  # (labels,) in [0, 1]

SHORTEST = 1_600  # samples: 100 ms
FRAME_US = 10_000  # between two columns of an AST's spectrogram
# An event begins at the one and ends below the other (hysteresis: a dip is no new event). On the
# 160 ESC-10 clips that the stand-in never heard, .4 finds 9 of 10 at a precision of .77.
BEGINS, ENDS = 0.4, 0.2
NEAR_US = 2_000_000  # events of one label nearer than this are one
NO_EVENT = frozenset({"Silence"})


class Sounds:
    name: ClassVar[str] = "sounds"
    version: ClassVar[int] = 2
    accepts: ClassVar[frozenset[Kind]] = frozenset({Kind.VIDEO, Kind.AUDIO})
    reads: ClassVar[frozenset[Reads]] = frozenset({Reads.SOUND})
    needs: ClassVar[tuple[str, ...]] = ()
    produces: ClassVar[frozenset[type]] = frozenset({SoundEvent})
    batch_size: ClassVar[int] = 8  # windows in one model call

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._tagger: _Tagger | None = None
        self._weights = Weights(setup, self.name)

    def producer(self) -> Producer:
        files = self._weights.find()
        return Producer(self.name, self.version, model=files.name, weights=files.digest)

    def __enter__(self) -> Self:
        with (
            self._weights.loading() as files,
            loading_a_model(files.path, self._setup.threads),
        ):
            self._tagger = _Tagger(files)
        return self

    def __exit__(self, *_error: object) -> None:
        self._tagger = None

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        tagger = self._tagger
        if tagger is None:
            raise RuntimeError("enter the indexer first: `with sounds:`")

        def conclude(
            item: Item, audible: Audible, places: Sequence[Place], scores: Sequence[Scores]
        ) -> list[SoundEvent]:
            heard = list(zip(places, scores, strict=True))
            return find_events(heard, tagger.labels, audible, duration_us=item.duration_us)

        hearing = Hearing(
            self.batch_size, tagger.scores, conclude, windows=tagger.windows, rate_hz=VOICE_HZ
        )
        return hearing.outcomes(items, lambda item: (checked(piece.voice) for piece in item.sound))


class _Tagger:
    """The loaded network."""

    def __init__(self, files: ModelFiles) -> None:
        from transformers import ASTFeatureExtractor, ASTForAudioClassification

        self._extract: Any = ASTFeatureExtractor.from_pretrained(files.path, local_files_only=True)
        model: Any = ASTForAudioClassification.from_pretrained(
            files.path, local_files_only=True, use_safetensors=True
        )
        self._model = model.eval()
        named = self._model.config.id2label
        self.labels: list[str] = [named[number] for number in range(len(named))]
        steps = self._extract.max_length * FRAME_US // STEP_US
        self.windows = Windows(length=steps, longest=steps)  # of more it hears only the beginning

    def scores(self, windows: Sequence[Samples]) -> list[Scores]:
        """AudioSet's labels do not exclude each other: a sigmoid for each, no softmax."""
        with calling_a_model():
            # Its spectrogram cannot be made of less than a column's worth of samples.
            windows = [np.pad(one, (0, max(0, SHORTEST - len(one)))) for one in windows]
            prepared = self._extract(windows, sampling_rate=VOICE_HZ, return_tensors="pt")
            rows = self._model(**prepared).logits.float().sigmoid().numpy()
        if not np.isfinite(rows).all():
            raise Permanent("The model of sound events gave a score that is not finite.")
        return list(rows)


def find_events(
    heard: Sequence[tuple[Place, Scores]],
    labels: Sequence[str],
    audible: Audible,
    *,
    duration_us: int | None,
) -> list[SoundEvent]:
    """Scores of windows → events, in the order in which they begin."""
    if not heard:
        return []
    edges, sure = _sections(heard)
    events = []
    for index, label in enumerate(labels):
        if label in NO_EVENT:
            continue
        for first, end in _runs(sure[:, index]):
            start_us, end_us = int(edges[first]) * STEP_US, int(edges[end]) * STEP_US
            span = audible.trimmed(start_us, end_us, within_us=duration_us)
            if span is not None:
                events.append(SoundEvent(label, float(sure[first:end, index].max()), span))
    return sorted(_merged(events), key=lambda event: (event.span, event.label))


def _sections(heard: Sequence[tuple[Place, Scores]]) -> tuple[NDArray[np.int64], Scores]:
    """(edges, (sections, labels)): between two edges the same windows hear everything; the
    geometric mean of what they say, 0 where none listens."""
    edges = np.unique([edge for place, _ in heard for edge in place])
    logs = np.zeros((len(edges) - 1, len(heard[0][1])), np.float32)
    listeners = np.zeros(len(edges) - 1, np.int64)
    for (start, end), scores in heard:
        covered = slice(*np.searchsorted(edges, (start, end)))
        logs[covered] += np.log(scores.clip(min=1e-6))
        listeners[covered] += 1
    sure = np.exp(logs / listeners.clip(min=1)[:, None])
    sure[listeners == 0] = 0
    return edges, sure


def _runs(scores: Scores) -> Iterator[tuple[int, int]]:
    """Half-open runs of sections that stay at `ENDS` and reach `BEGINS`."""
    start: int | None = None
    for place, score in enumerate([*scores, 0.0]):
        if score >= ENDS:
            start = place if start is None else start
        elif start is not None:
            if scores[start:place].max() >= BEGINS:
                yield start, place
            start = None


def _merged(events: Sequence[SoundEvent]) -> list[SoundEvent]:
    """`events` of one label lie next to each other, in order."""
    merged: list[SoundEvent] = []
    for event in events:
        before = merged[-1] if merged and merged[-1].label == event.label else None
        if before is not None and event.span.start_us - before.span.end_us < NEAR_US:
            span = Span(before.span.start_us, event.span.end_us)
            merged[-1] = SoundEvent(event.label, max(before.score, event.score), span)
        else:
            merged.append(event)
    return merged
