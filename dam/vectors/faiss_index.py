"""A space in memory: a rare base snapshot of 8-bit codes and an exact tail, both read from SQL.

Small spaces are all tail (fp32): reading the 50k vectors up to which it is so takes less than a
second, and no file can disagree with the database. Whatever the base proposes is ranked again by
the stored fp16 vectors, so that neither the codes nor a stale base can put a wrong score, or a
vector that is gone, into an answer.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock

from dam.vectors import rows, snapshot
from dam.vectors.codes import Codes
from dam.vectors.protocol import Ids, Neighbour

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from dam.contracts import Unit
    from dam.db import Database
    from dam.vectors.spaces import Space

log = logging.getLogger(__name__)

RERANK = 2  # candidates per wanted hit; the order of 8-bit codes is off by a few places at most
RERANK_MIN = 64
SAME = 0.95  # cosine of a stored vector and its own 8-bit code: .999 and more


@dataclass(frozen=True, slots=True)
class Sizes:
    """When the shape of an index changes. Tests use small ones."""

    flat: int = 50_000  # tail in memory: 2 kB a vector, 5 ms a query at this size
    cells: int = 300_000  # above, all codes take > 10 ms a query on one core
    tail: float = 0.25  # of the base; a larger tail slows queries, a smaller one rebuilds often
    probes: int = 192  # cells looked into; text queries lie outside of the pictures' distribution
    training: int = 100_000  # vectors that the ranges and cells are learnt from


@dataclass(frozen=True, slots=True)
class _Base:
    number: int
    codes: Codes
    ids: Ids  # position → vector id, ascending


@dataclass(frozen=True, slots=True)
class _State:
    """Everything one search looks at. Replaced whole, never changed."""

    base: _Base | None
    dead: NDArray[np.bool_] | None  # per position of the base; None: all are alive
    tail_ids: Ids
    tail: NDArray[np.float32]  # (n, dim), unit rows
    mark: rows.Mark

    @property
    def base_count(self) -> int:
        if self.base is None:
            return 0
        return len(self.base.ids) - (int(self.dead.sum()) if self.dead is not None else 0)

    @property
    def count(self) -> int:
        return self.base_count + len(self.tail_ids)


class FaissIndex:
    """`VectorIndex` over one space. Threads may search while another refreshes or compacts."""

    def __init__(
        self,
        database: Database,
        space: Space,
        index_path: Path,
        *,
        sizes: Sizes | None = None,
        threads: int = 1,
    ) -> None:
        self.space = space
        self._database = database
        self._folder = snapshot.folder_of(index_path, space.fingerprint)
        self._sizes = sizes or Sizes()
        self._threads = threads  # of a rebuild; a search takes one, many run side by side
        self._lock = threading.RLock()
        self._state: _State | None = None

    # Following the database ---------------------------------------------------------------

    def refresh(self) -> None:
        # While another thread is at it (a rebuild takes a minute at a million vectors), what is
        # there already goes on answering.
        if not self._lock.acquire(blocking=self._state is None):
            return
        try:
            self._follow()
        finally:
            self._lock.release()

    def _follow(self) -> None:
        with self._database.read() as session:
            mark = rows.mark(session, self.space.id)
            if self._state is not None and self._state.mark == mark:
                return
            state = self._state or self._opened(session)
            total = rows.count(session, self.space.id)
            new = rows.count(session, self.space.id, after=state.mark.vector)
            contradicted = False
            if len(state.tail_ids) + new <= self._tail_limit(state.base_count):
                state = self._advanced(session, state, mark)
                contradicted = state.count != total
                if contradicted:
                    self._discard(state, f"it holds {state.count} vectors, the database {total}")
                    if total <= self._sizes.flat:
                        state = self._advanced(session, self._empty(), mark)
                if state.count == total:
                    self._state = state
                    return
        self.compact(anew=contradicted)

    def _discard(self, state: _State, reason: str) -> None:
        self._state = None
        if state.base is not None:
            path = snapshot.path_of(self._folder, state.base.number)
            snapshot.quarantine(path, reason)

    def _empty(self) -> _State:
        nothing = np.zeros((0, self.space.dim), np.float32)
        return _State(None, None, np.zeros(0, np.int64), nothing, rows.Mark(0, 0))

    def _opened(self, session: Session) -> _State:
        """The newest base whose vectors are those of the database, or nothing yet."""
        for found in snapshot.intact(
            self._folder, space=self.space.fingerprint, dim=self.space.dim
        ):
            codes = Codes.opened(found.index)
            base = _Base(found.number, codes, found.ids)
            if codes.shape == (len(found.ids), self.space.dim) and self._agrees(session, base):
                mark = rows.Mark(found.facts.watermark, found.facts.tombstones)
                return replace(self._empty(), base=base, mark=mark)
            path = snapshot.path_of(self._folder, found.number)
            snapshot.quarantine(path, "it was made from another database")
        return self._empty()

    def _agrees(self, session: Session, base: _Base) -> bool:
        """Compares a few codes, the last ones too, with SQL: a restored backup reuses ids."""
        last = len(base.ids) - 1
        spread = np.linspace(0, last, 32).astype(np.int64)
        positions = np.union1d(spread, np.arange(max(0, last - 31), last + 1))
        ids, stored = rows.vectors(session, self.space.id, base.ids[positions])
        known = np.isin(base.ids[positions], ids)
        if not known.any():
            return True  # all of these are deleted by now; the count decides
        decoded = base.codes.decoded(positions[known])
        cosines = (decoded * stored).sum(axis=1) / np.linalg.norm(decoded, axis=1).clip(min=1e-12)
        return bool((cosines > SAME).all())

    def _advanced(self, session: Session, state: _State, mark: rows.Mark) -> _State:
        """The state after everything the database did since the state's own mark."""
        gone = rows.tombstones(session, self.space.id, after=state.mark.tombstone)
        dead = state.dead
        if state.base is not None and len(gone):
            dead = np.isin(state.base.ids, gone) | (dead if dead is not None else False)
        kept = ~np.isin(state.tail_ids, gone)
        new_ids, new = rows.newer(session, self.space.id, after=state.mark.vector)
        return _State(
            state.base,
            dead,
            np.concatenate([state.tail_ids[kept], new_ids]),
            np.concatenate([state.tail[kept], new]) if len(new_ids) else state.tail[kept],
            mark,
        )

    # Compaction ---------------------------------------------------------------------------

    def _tail_limit(self, base_count: int) -> int:
        return max(self._sizes.flat, int(self._sizes.tail * base_count))

    def is_compaction_due(self) -> bool:
        """True well before a refresh would have to compact by itself. Loads nothing."""
        facts = snapshot.newest_facts(self._folder, space=self.space.fingerprint)
        with self._database.read() as session:
            total = rows.count(session, self.space.id)
            if total <= self._sizes.flat:
                return False
            if facts is None:
                return True
            new = rows.count(session, self.space.id, after=facts.watermark)
        dead = facts.count + new - total
        return 2 * (new + dead) > self._tail_limit(facts.count)

    def compact(self, *, anew: bool = False) -> None:
        """Publishes a base of everything there is, or takes over one that is new enough."""
        with self._lock:
            with self._building():
                self._state = self._built() if anew or self.is_compaction_due() else None
            self._follow()

    @contextmanager
    def _building(self) -> Iterator[None]:
        """One process builds at a time; a full or read-only disk must not stop a search."""
        lock = FileLock(self._folder / "build.lock")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except OSError as error:
            log.warning("%s cannot be locked: %s.", self._folder, error.strerror)
        try:
            yield
        finally:
            lock.release()

    def _built(self) -> _State:
        with self._database.read() as session:
            total = rows.count(session, self.space.id)
            sample = rows.sample(session, self.space.id, self._sizes.training)
        codes = Codes.trained(
            sample, total=total, cells_above=self._sizes.cells, threads=self._threads
        )
        with self._database.read() as session:
            mark = rows.mark(session, self.space.id)
            parts = [np.zeros(0, np.int64)]
            for chunk_ids, matrix in rows.chunks(session, self.space.id):
                codes.add(matrix)
                parts.append(chunk_ids)
        ids = np.concatenate(parts)
        facts = snapshot.Facts(
            space=self.space.fingerprint,
            dim=self.space.dim,
            count=len(ids),
            codec=codes.codec,
            watermark=mark.vector,
            tombstones=mark.tombstone,
        )
        number = 0  # in memory only
        try:
            number = snapshot.publish(self._folder, facts, codes.serialised(), ids)
        except OSError as error:
            log.warning("%s cannot be written: %s.", self._folder, error.strerror)
        return replace(self._empty(), base=_Base(number, codes, ids), mark=mark)

    # Searching ----------------------------------------------------------------------------

    def _current(self) -> _State:
        if self._state is None:
            self.refresh()
        assert self._state is not None
        return self._state

    def search(self, query: Unit, limit: int, *, allowed: Ids | None = None) -> list[Neighbour]:
        state = self._current()
        if limit < 1 or state.count == 0 or (allowed is not None and len(allowed) == 0):
            return []
        wanted = max(RERANK * limit, limit + RERANK_MIN)
        if state.base is None:
            found = _nearest(state.tail_ids, state.tail, query, limit, allowed)
        elif allowed is not None and len(allowed) <= wanted:
            found = self._stored(allowed, query, limit)  # no more than would be ranked again
        else:
            proposed = self._proposed(state, state.base, query, wanted, allowed)
            base = self._stored(proposed, query, limit)
            tail = _nearest(state.tail_ids, state.tail, query, limit, allowed)
            found = np.concatenate([base[0], tail[0]]), np.concatenate([base[1], tail[1]])
        ids, scores = found
        order = np.lexsort((ids, -scores))[:limit]
        return [Neighbour(int(ids[at]), float(scores[at])) for at in order]

    def _stored(self, wanted: Ids, query: Unit, limit: int) -> tuple[Ids, NDArray[np.float32]]:
        with self._database.read() as session:
            ids, matrix = rows.vectors(session, self.space.id, wanted)
        return _nearest(ids, matrix, query, limit, None)

    def _proposed(
        self, state: _State, base: _Base, query: Unit, wanted: int, allowed: Ids | None
    ) -> Ids:
        """What the 8-bit codes take for the nearest ones."""
        usable = None if state.dead is None else ~state.dead
        if allowed is not None:
            member = _members(base.ids, allowed)
            usable = member if usable is None else usable & member
        wanted = min(wanted, len(base.ids))
        probes = self._sizes.probes
        return base.ids[base.codes.nearest(query, wanted, usable=usable, probes=probes)]

    def sample(self, limit: int) -> Unit:
        every = self.ids()
        if len(every) > limit:
            every = every[np.linspace(0, len(every) - 1, limit).astype(np.int64)]
        with self._database.read() as session:
            return rows.vectors(session, self.space.id, every)[1]

    @property
    def count(self) -> int:
        return self._current().count

    def ids(self) -> Ids:
        state = self._current()
        if state.base is None:
            return state.tail_ids
        alive = state.base.ids if state.dead is None else state.base.ids[~state.dead]
        return np.concatenate([alive, state.tail_ids])


def _members(ids: Ids, wanted: Ids) -> NDArray[np.bool_]:
    """Which of the ascending ids are wanted; faster than `np.isin`, which sorts both."""
    found = np.zeros(len(ids), np.bool_)
    if len(ids):
        at = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
        found[at[ids[at] == wanted]] = True
    return found


def _nearest(
    ids: Ids, matrix: NDArray[np.float32], query: Unit, limit: int, allowed: Ids | None
) -> tuple[Ids, NDArray[np.float32]]:
    """Exactly the `limit` best rows (ties by id) of the allowed ones."""
    if allowed is not None:
        member = _members(ids, allowed)
        ids, matrix = ids[member], matrix[member]
    if len(ids) == 0:
        return ids, np.zeros(0, np.float32)
    scores: NDArray[np.float32] = (matrix @ query).astype(np.float32)
    if len(ids) > limit:
        cut = np.partition(scores, len(ids) - limit)[len(ids) - limit]
        close = np.flatnonzero(scores >= cut)  # with every tie at the border
        ids, scores = ids[close], scores[close]
    order = np.lexsort((ids, -scores))[:limit]
    return ids[order], scores[order]
