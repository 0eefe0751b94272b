"""What photos and video frames show, as vectors in the space of an open_clip network.

One vector for a photo, one for each sampled frame of a video; a frame's vector spans its shot.
Pictures of many assets share a model call. The same network puts a person's words or example
picture into that space (`query_encoder`). See docs/indexers/visual.md.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from dam.contracts import (
    Item,
    Kind,
    Outcome,
    Producer,
    Reads,
    Setup,
    Shot,
    Span,
    Vector,
)
from dam.errors import (
    DamError,
    Permanent,
    UnreadableMedia,
    UpstreamFailed,
)
from indexers.loading import Weights, import_open_clip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import torch

    from dam.contracts import ModelFiles, Pixels, Unit
    from indexers.clip import Clip


class Visual:
    name: ClassVar[str] = "visual"
    version: ClassVar[int] = 1
    accepts: ClassVar[frozenset[Kind]] = frozenset({Kind.PHOTO, Kind.VIDEO})
    reads: ClassVar[frozenset[Reads]] = frozenset({Reads.IMAGE, Reads.FRAMES})
    needs: ClassVar[tuple[str, ...]] = ("shots",)
    produces: ClassVar[frozenset[type]] = frozenset({Vector})
    batch_size: ClassVar[int] = 32  # larger gains nothing on a processor and costs memory

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._clip: Clip | None = None
        self._weights = Weights(setup, self.name)

    def producer(self) -> Producer:
        files = self._weights.find()
        return Producer(self.name, self.version, model=files.name, weights=files.digest)

    def __enter__(self) -> Self:
        with self._weights.loading() as files:
            self._clip = self._load(files)
        return self

    def _load(self, files: ModelFiles) -> Clip:
        import_open_clip(files.path)
        from indexers.clip import Clip  # torch and open_clip load here, not on import

        return Clip(
            files.path,
            cache=self._setup.cache,
            digest=files.digest,
            runtime=self._setup.options.get("runtime") or "auto",
            precision=self._setup.options.get("precision") or "auto",
            threads=self._setup.threads,
        )

    def __exit__(self, *_error: object) -> None:
        self._clip = None

    @property
    def _loaded(self) -> Clip:
        if self._clip is None:
            raise RuntimeError("enter the indexer first: `with visual:`")
        return self._clip

    def query_encoder(self) -> VisualEncoder:
        """Usable while the indexer is entered."""
        return VisualEncoder(self._loaded, self.producer().fingerprint)

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        waiting: deque[_Waiting] = deque()
        batch: list[tuple[_Waiting, torch.Tensor]] = []
        for item in items:
            asset = _Waiting(item)
            waiting.append(asset)
            try:
                for at_us, pixels in _pictures(item):
                    batch.append((asset, self._loaded.prepare(pixels)))
                    asset.times_us.append(at_us)
                    if len(batch) >= self.batch_size:
                        self._encode(batch)
            except DamError as error:
                asset.error = error
            asset.read = True
            while waiting and waiting[0].done:
                yield waiting.popleft().outcome()
        self._encode(batch)
        while waiting:
            yield waiting.popleft().outcome()

    def _encode(self, batch: list[tuple[_Waiting, torch.Tensor]]) -> None:
        """Hands every asset its vectors, in order, and empties the batch."""
        if not batch:
            return
        try:
            vectors: Sequence[Unit | None] = list(
                self._loaded.encode_images([prepared for _, prepared in batch])
            )
        except DamError as error:
            for asset, _ in batch:
                asset.error = asset.error or error
            vectors = [None] * len(batch)
        for (asset, _), values in zip(batch, vectors, strict=True):
            asset.vectors.append(values)
        batch.clear()


@dataclass(slots=True)
class _Waiting:
    """An asset whose pictures are partly read or partly encoded."""

    item: Item
    times_us: list[int | None] = field(default_factory=list)
    vectors: list[Unit | None] = field(default_factory=list)
    error: DamError | None = None
    read: bool = False

    @property
    def done(self) -> bool:
        return self.read and len(self.vectors) == len(self.times_us)

    def outcome(self) -> Outcome:
        if self.error is None and not self.times_us:
            self.error = UnreadableMedia("There is no picture in it.")
        if self.error is None and not all(
            values is not None and np.isfinite(values).all() for values in self.vectors
        ):
            self.error = Permanent("The picture model gave a vector that is not finite.")
        if self.error is not None:
            return Outcome(error=self.error)
        return Outcome(self._findings())

    def _findings(self) -> list[Vector]:
        vectors = [values for values in self.vectors if values is not None]
        if self.item.kind is Kind.PHOTO:
            return [Vector(vectors[0])]
        times_us = [at_us for at_us in self.times_us if at_us is not None]
        spans = frame_spans(times_us, self.item.duration_us, _shots(self.item))
        return [
            Vector(values, at_us, span)
            for values, at_us, span in zip(vectors, times_us, spans, strict=True)
        ]


def _pictures(item: Item) -> Iterator[tuple[int | None, Pixels]]:
    if item.kind is Kind.PHOTO:
        if item.image is not None:
            yield None, item.image
        return
    for frame in item.frames:
        if frame.image is not None:
            yield frame.at_us, frame.image


def _shots(item: Item) -> list[Shot]:
    """Asked only after the last frame: `shots` may be working on the same pass."""
    try:
        found = item.upstream("shots")
    except UpstreamFailed:
        return []  # the vectors are as good without; they then span to the next sample
    return [shot for shot in found if isinstance(shot, Shot)]


def frame_spans(
    times_us: Sequence[int], duration_us: int | None, shots: Sequence[Shot]
) -> list[Span]:
    """Each frame's shot, or the time from it to the next frame. `times_us` ascending."""
    end_us = max(duration_us or 0, times_us[-1] + 1)
    if duration_us:  # a container may promise less than it holds
        end_us = duration_us
    ordered = sorted((shot.span for shot in shots), key=lambda span: span.start_us)
    starts_us = [span.start_us for span in ordered]
    spans = []
    for at_us, next_us in zip(times_us, [*times_us[1:], end_us], strict=True):
        nearest = bisect_right(starts_us, at_us) - 1
        if nearest >= 0 and at_us < ordered[nearest].end_us:
            spans.append(ordered[nearest])
        else:
            start_us = min(at_us, end_us - 1)
            spans.append(Span(start_us, min(max(next_us, start_us + 1), end_us)))
    return spans


class VisualEncoder:
    """A `QueryEncoder`. Texts go in as they are: prompts around them measured no better."""

    def __init__(self, clip: Clip, space: str) -> None:
        self._clip = clip
        self._space = space

    @property
    def space(self) -> str:
        return self._space

    def encode_text(self, texts: Sequence[str]) -> Unit:
        return self._clip.encode_texts(texts)

    def encode_image(self, images: Sequence[Pixels]) -> Unit:
        return self._clip.encode_images([self._clip.prepare(image) for image in images])
