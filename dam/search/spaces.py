"""Candidates from one space of vectors (what is shown, heard, said).

Holds what is dear to make: the index of the space and a sample of it. Works without vectors and
without a model: it then answers nothing, and `dam.search.unanswered` says what is waiting.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from dam.search.fuse import Background
from dam.search.query_vectors import QueryVectors
from dam.tables import VectorRow
from dam.vectors.spaces import Space, serving_space, space_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from dam.config import Settings
    from dam.contracts import QueryEncoder, Unit
    from dam.db import Database
    from dam.search.senses import Sense
    from dam.vectors.faiss_index import FaissIndex
    from dam.vectors.protocol import Ids, VectorIndex

SAMPLE = 1_000  # vectors of the background; its mean is then good to a thirtieth of a deviation


@dataclass(frozen=True, slots=True)
class VectorHit:
    vector_id: int
    asset_id: str
    confidence: float  # in [0, 1], `dam.search.fuse`
    at_us: int | None
    start_us: int | None
    end_us: int | None


class SpaceChannel:
    """Safe to share between threads."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        sense: Sense,
        open_encoder: Callable[[], QueryEncoder] | None,
    ) -> None:
        self.sense = sense
        self.queries = QueryVectors(sense, open_encoder)
        self._database = database
        self.settings = settings
        self._index: FaissIndex | None = None
        self._sample: tuple[int, int, Unit] | None = None  # space id, count, (n, dim)
        self._lock = threading.Lock()

    def has_vectors(self, session: Session) -> bool:
        return serving_space(session, self.sense.indexer) is not None

    def search(
        self,
        session: Session,
        queries: Unit,
        fingerprint: str,
        limit: int,
        *,
        within: Select[str] | None,
    ) -> list[VectorHit]:
        """The nearest moments to any of the queries, best first; empty without that space."""
        space = space_of(session, fingerprint)
        if space is None or space.dim != queries.shape[1]:
            return []
        index = self._index_of(space)
        sample = self._sample_of(space, index)
        allowed = None if within is None else _allowed(session, within)
        neutral = self.queries.neutral(fingerprint)
        best: dict[int, float] = {}
        for query in queries:
            found = index.search(query, limit, allowed=allowed)
            cosines = np.array([hit.score for hit in found], np.float64)
            expected = (
                self.sense.expected if neutral is None else Background.of_all(neutral @ query)
            )
            background = Background.of(
                query, sample, expected=expected, worth=self.sense.expected_worth
            )
            confidences = background.confidence(cosines)
            for hit, confidence in zip(found, confidences, strict=True):
                if confidence >= self.sense.least:
                    best[hit.vector_id] = max(best.get(hit.vector_id, 0.0), float(confidence))
        return _described(session, best)

    def is_exhausted(self, limit: int, found: int) -> bool:
        """True when a search with this limit, which `found` so many, has seen all that can be."""
        left_some_out = self.sense.least > 0 and found < limit
        return left_some_out or self._index is None or limit >= self._index.count

    def _index_of(self, space: Space) -> VectorIndex:
        with self._lock:
            if self._index is None or self._index.space != space:
                # One at a time: after a change of model the old one would fill memory for nobody.
                from dam.vectors.faiss_index import FaissIndex  # FAISS, at the first search

                self._index = FaissIndex(
                    self._database,
                    space,
                    self.settings.index_path,
                    threads=self.settings.threads,
                )
            index = self._index
        index.refresh()
        return index

    def _sample_of(self, space: Space, index: VectorIndex) -> Unit:
        known = self._sample
        if known and known[0] == space.id and abs(known[1] - index.count) * 10 <= known[1]:
            return known[2]
        sample = index.sample(SAMPLE)
        self._sample = (space.id, index.count, sample)
        return sample


def _allowed(session: Session, within: Select[str]) -> Ids:
    found = session.scalars(select(VectorRow.id).where(VectorRow.asset_id.in_(within)))
    return np.fromiter(found, np.int64)


def _described(session: Session, best: dict[int, float]) -> list[VectorHit]:
    listed: Sequence[int] = sorted(best)
    hits = []
    for start in range(0, len(listed), 10_000):
        rows = session.execute(
            select(
                VectorRow.id,
                VectorRow.asset_id,
                VectorRow.at_us,
                VectorRow.start_us,
                VectorRow.end_us,
            ).where(VectorRow.id.in_(listed[start : start + 10_000]))
        )
        hits += [VectorHit(row[0], row[1], best[row[0]], row[2], row[3], row[4]) for row in rows]
    return sorted(hits, key=lambda hit: (-hit.confidence, hit.vector_id))
