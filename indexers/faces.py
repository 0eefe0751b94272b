"""Faces in photos and videos: where they are, and templates by which they can be compared.

Switched off until a person enables it for a library; who a face belongs to is worked out elsewhere,
from the templates of all assets (`dam.people`). See docs/indexers/faces.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from dam.contracts import Item, Kind, Outcome, Producer, Reads, Setup, Shot
from dam.errors import DamError, UnreadableMedia, UpstreamFailed
from dam.findings import Face
from indexers.loading import Weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from indexers.face_networks import FaceNetworks

MOST_IN_A_FRAME = 16  # the best; the samples of three hours are kept until the last is seen


class Faces:
    name: ClassVar[str] = "faces"
    version: ClassVar[int] = 1
    accepts: ClassVar[frozenset[Kind]] = frozenset({Kind.PHOTO, Kind.VIDEO})
    reads: ClassVar[frozenset[Reads]] = frozenset({Reads.IMAGE, Reads.FRAMES})
    needs: ClassVar[tuple[str, ...]] = ("shots",)
    produces: ClassVar[frozenset[type]] = frozenset({Face})
    batch_size: ClassVar[int] = 1

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._networks: FaceNetworks | None = None
        self._same_from = 0.0
        self._weights = Weights(setup, self.name)

    def producer(self) -> Producer:
        """The threshold is in it: `dam.people` compares templates by what their model says."""
        from indexers.face_models import describe

        files = self._weights.find()
        return Producer(
            self.name,
            self.version,
            model=files.name,
            weights=files.digest,
            parameters={"same_from": describe(files.path).same_from},
        )

    def __enter__(self) -> Self:
        with self._weights.loading() as files:
            from indexers.face_models import describe
            from indexers.face_networks import FaceNetworks  # OpenCV and ONNX Runtime load here

            model = describe(files.path)
            self._networks = FaceNetworks(files.path, model, threads=self._setup.threads)
            self._same_from = model.same_from
        return self

    def __exit__(self, *_error: object) -> None:
        self._networks = None

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        for item in items:
            try:
                found = self._photo(item) if item.kind is Kind.PHOTO else self._video(item)
                outcome = Outcome(found)
            except DamError as error:
                outcome = Outcome(error=error)
            yield outcome

    @property
    def _loaded(self) -> FaceNetworks:
        if self._networks is None:
            raise RuntimeError("enter the indexer first: `with faces:`")
        return self._networks

    def _photo(self, item: Item) -> list[Face]:
        if item.image is None:
            raise UnreadableMedia("There is no picture in it.")
        return [
            Face(seen.box, seen.confidence, seen.landmarks, seen.template, seen.quality, seen.crop)
            for seen in self._loaded.find(item.image)
        ]

    def _video(self, item: Item) -> list[Face]:
        from indexers.face_tracks import Sample, tracks

        samples = []
        for frame in item.frames:
            if frame.image is not None:
                found = self._loaded.find(frame.image, recognisable_only=True)
                found.sort(key=lambda seen: -seen.quality)
                samples.append(Sample(frame.at_us, found[:MOST_IN_A_FRAME]))
        if not samples:
            raise UnreadableMedia("There is no picture in it.")
        return tracks(
            samples, _shots(item), duration_us=item.duration_us, same_from=self._same_from
        )


def _shots(item: Item) -> list[Shot]:
    """Asked only after the last frame: `shots` may be working on the same pass."""
    try:
        found = item.upstream("shots")
    except UpstreamFailed:
        return []  # tracks then end where nobody is seen for a while
    return [shot for shot in found if isinstance(shot, Shot)]
