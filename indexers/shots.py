"""The shots of a video: where one ends and the next begins, and the frame that shows each best.

Works on the small frames of dam's one pass (`indexers.cuts`), decodes nothing itself.
See docs/indexers/shots.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from dam.contracts import Item, Kind, Outcome, Producer, Reads, Setup, Shot
from dam.errors import DamError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Shots:
    name: ClassVar[str] = "shots"
    version: ClassVar[int] = 1
    accepts: ClassVar[frozenset[Kind]] = frozenset({Kind.VIDEO})
    reads: ClassVar[frozenset[Reads]] = frozenset({Reads.FRAMES})
    needs: ClassVar[tuple[str, ...]] = ()
    produces: ClassVar[frozenset[type]] = frozenset({Shot})
    batch_size: ClassVar[int] = 1

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def producer(self) -> Producer:
        """Another tier is another producer: its cuts are exact or they are not."""
        tier = self._setup.options.get("tier")
        return Producer(self.name, self.version, parameters={"tier": tier} if tier else {})

    def __enter__(self) -> Self:
        import cv2  # heavy: loads here, not on import

        cv2.setNumThreads(self._setup.threads)
        return self

    def __exit__(self, *_error: object) -> None:
        """There are no weights to let go."""

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        from indexers.cuts import find_shots

        for item in items:
            try:
                outcome = Outcome(find_shots(item))
            except DamError as error:
                outcome = Outcome(error=error)
            yield outcome
