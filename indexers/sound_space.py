"""What recordings and videos sound like, as vectors in the space of a CLAP network.

The same network puts a person's words into that space (`query_encoder`). Sound is cut where it is
silent and where another one begins, so that a window holds one sound and not the end of one and the
beginning of another. See docs/indexers/sound_space.md.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from dam.contracts import (
    WIDE_HZ,
    Item,
    Kind,
    Outcome,
    Producer,
    Reads,
    Setup,
    Vector,
)
from dam.errors import BadRequest, Permanent
from indexers.hearing import Hearing, calling_a_model, checked, loading_a_model
from indexers.loading import Weights
from indexers.stretches import STEP_US, STEPS_A_SECOND, Windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dam.contracts import ModelFiles, Pixels, Samples, Sound, Unit
    from indexers.stretches import Audible, Place

# Longer: two sounds in one vector; shorter: CLAP knows less. The longest must stay below the 10 s
# that CLAP hears: of more it takes a part at random.
WINDOWS = Windows(length=5 * STEPS_A_SECOND, longest=15 * STEPS_A_SECOND // 2)


class SoundSpace:
    name: ClassVar[str] = "sound_space"
    version: ClassVar[int] = 2
    accepts: ClassVar[frozenset[Kind]] = frozenset({Kind.VIDEO, Kind.AUDIO})
    reads: ClassVar[frozenset[Reads]] = frozenset({Reads.SOUND})
    needs: ClassVar[tuple[str, ...]] = ()
    produces: ClassVar[frozenset[type]] = frozenset({Vector})
    batch_size: ClassVar[int] = 8  # windows in one model call: 12 MB of samples

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._clap: _Clap | None = None
        self._weights = Weights(setup, self.name)

    def producer(self) -> Producer:
        files = self._weights.find()
        return Producer(self.name, self.version, model=files.name, weights=files.digest)

    def __enter__(self) -> Self:
        with (
            self._weights.loading() as files,
            loading_a_model(files.path, self._setup.threads),
        ):
            self._clap = _Clap(files)
        return self

    def __exit__(self, *_error: object) -> None:
        self._clap = None

    @property
    def _loaded(self) -> _Clap:
        if self._clap is None:
            raise RuntimeError("enter the indexer first: `with sound_space:`")
        return self._clap

    def query_encoder(self) -> SoundSpaceEncoder:
        """Usable while the indexer is entered."""
        return SoundSpaceEncoder(self._loaded, self.producer().fingerprint)

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        encode = self._loaded.encode_sounds
        hearing = Hearing(self.batch_size, encode, _vectors, windows=WINDOWS, rate_hz=WIDE_HZ)
        return hearing.outcomes(items, lambda item: map(mono, item.sound))


def _vectors(
    item: Item, audible: Audible, places: Sequence[Place], rows: Sequence[Unit]
) -> list[Vector]:
    found = []
    for (first, end), values in zip(_spoken_for(places), rows, strict=True):
        span = audible.trimmed(first * STEP_US, end * STEP_US, within_us=item.duration_us)
        if span is not None:
            found.append(Vector(values, span.start_us, span))
    return found


def _spoken_for(places: Sequence[Place]) -> list[Place]:
    """Windows up to the middle of what they share: of two that hear a moment, the one in which it
    is more central knows better what it is. So no vector points to the sound before its own."""
    starts, ends = [first for first, _ in places], [end for _, end in places]
    for at, ((_, end), (first, _)) in enumerate(pairwise(places)):
        if first < end:
            ends[at] = starts[at + 1] = (first + end) // 2
    return list(zip(starts, ends, strict=True))


def mono(sound: Sound) -> Samples:
    """One channel: of more, transformers would take each sample for a sound of its own."""
    if sound.wide.ndim != 2 or not sound.wide.shape[0]:
        raise Permanent("The sound has no channels.")
    return checked(sound.wide.mean(axis=0, dtype=np.float32))


class _Clap:
    """The loaded network."""

    def __init__(self, files: ModelFiles) -> None:
        from transformers import ClapModel, ClapProcessor

        processor: Any = ClapProcessor.from_pretrained(files.path, local_files_only=True)
        self._extract, self._tokenize = processor.feature_extractor, processor.tokenizer
        model: Any = ClapModel.from_pretrained(
            files.path, local_files_only=True, use_safetensors=True
        )
        self._model = model.eval()
        self.dimension: int = self._model.config.projection_dim
        if self._extract.sampling_rate != WIDE_HZ:
            raise ValueError(f"it wants sound at {self._extract.sampling_rate} Hz")

    def encode_sounds(self, windows: Sequence[Samples]) -> list[Unit]:
        """(dim,) of each."""
        with calling_a_model():
            prepared = self._extract(list(windows), sampling_rate=WIDE_HZ, return_tensors="pt")
            return list(_unit(self._model.get_audio_features(**prepared)))

    def encode_texts(self, texts: Sequence[str]) -> Unit:
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        with calling_a_model():
            tokens = self._tokenize(list(texts), padding=True, truncation=True, return_tensors="pt")
            return _unit(self._model.get_text_features(**tokens))


def _unit(answer: Any) -> Unit:
    """transformers 5 answers with an object, 4 with the rows alone."""
    rows = getattr(answer, "pooler_output", answer).float().numpy()
    if not np.isfinite(rows).all():
        raise Permanent("The model of sounds and words gave a vector that is not finite.")
    unit: Unit = (rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-12)).astype(np.float32)
    return unit


class SoundSpaceEncoder:
    """A `QueryEncoder` for words; a picture sounds like nothing."""

    def __init__(self, clap: _Clap, space: str) -> None:
        self._clap = clap
        self._space = space

    @property
    def space(self) -> str:
        return self._space

    def encode_text(self, texts: Sequence[str]) -> Unit:
        return self._clap.encode_texts(texts)

    def encode_image(self, images: Sequence[Pixels]) -> Unit:
        raise BadRequest("Sounds cannot be searched with a picture.")
