"""Tempo and key of recordings and videos in which music is heard.

No model, no weights: librosa. What is no music gets no finding. See docs/indexers/music.md.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar, Self

from dam.contracts import Item, Kind, Outcome, Producer, Reads, Setup
from dam.errors import DamError
from dam.findings import Music as MusicFound
from indexers.hearing import checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Music:
    name: ClassVar[str] = "music"
    version: ClassVar[int] = 1
    accepts: ClassVar[frozenset[Kind]] = frozenset({Kind.VIDEO, Kind.AUDIO})
    reads: ClassVar[frozenset[Reads]] = frozenset({Reads.SOUND})
    needs: ClassVar[tuple[str, ...]] = ()
    produces: ClassVar[frozenset[type]] = frozenset({MusicFound})
    batch_size: ClassVar[int] = 1

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def producer(self) -> Producer:
        return Producer(self.name, self.version)

    def __enter__(self) -> Self:
        # numba keeps what it compiled, by itself beside librosa; where that folder cannot be
        # written, librosa cannot be imported (librosa issue 1156).
        os.environ.setdefault("NUMBA_CACHE_DIR", str(self._setup.cache))
        import librosa  # heavy: loads here, not on import

        _ = librosa.feature, librosa.onset  # it loads its parts when they are asked for
        return self

    def __exit__(self, *_error: object) -> None:
        """There are no weights to let go."""

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        for item in items:
            try:
                outcome = Outcome(_heard(item))
            except DamError as error:
                outcome = Outcome(error=error)
            yield outcome


def _heard(item: Item) -> list[MusicFound]:
    from indexers.tempo_and_key import Listening

    listening = Listening()
    for piece in item.sound:
        listening.add(checked(piece.voice))
    heard = listening.end()
    if heard is None:
        return []
    return [MusicFound(heard.tempo_bpm, heard.key, heard.key_confidence)]
