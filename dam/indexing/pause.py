"""What a person has paused: stored, so that it outlives every restart, and asked for all the time.

Owns the preference and its meaning. Who claims or shows work asks here; nothing here stops a
worker: it looks twice a second while it works and gives back what it has not begun.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from dam.errors import NotFound
from dam.indexing.registry import PREVIEWS
from dam.tables import Preference

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session

    from dam.db import Database
    from dam.indexing.registry import Registry

    Needs = Mapping[str, Sequence[str]]  # indexer → those whose findings it reads

KEY = "paused"
EVERYTHING = "*"
LOOK_S = 0.5  # longer: pausing feels dead; shorter: a look costs more than a small picture


def needs_of(registry: Registry) -> Needs:
    return {PREVIEWS: (), **{name: cls.needs for name, cls in registry.classes.items()}}


def is_all_paused(session: Session) -> bool:
    return EVERYTHING in _stored(session)


def paused_indexers(session: Session, needs: Needs) -> frozenset[str]:
    """Those of `needs` that may not work now: paused themselves, or by what they need.

    What needs a paused indexer waits with it; alone it would fail on every file.
    """
    stored = _stored(session)
    if EVERYTHING in stored:
        return frozenset(needs)
    return frozenset(name for name in needs if stored & _with_needs(name, needs))


def pause(database: Database, registry: Registry, indexer: str | None = None) -> None:
    """Lets one indexer rest, or (None) all of them. Raises `NotFound` for an unknown name."""
    _check(registry, indexer)
    with database.write() as session:
        stored = _stored(session)
        _store(session, {EVERYTHING} if indexer is None else stored | {indexer})


def resume(database: Database, registry: Registry, indexer: str | None = None) -> None:
    """Lets everything work again, or one indexer with those it needs; the others stay as they are.

    Raises `NotFound` for an unknown name.
    """
    _check(registry, indexer)
    needs = needs_of(registry)
    with database.write() as session:
        if indexer is None:
            _store(session, ())
        else:
            stored = _stored(session)
            resting = set(needs) if EVERYTHING in stored else stored
            _store(session, resting - _with_needs(indexer, needs))


class PauseWatch:
    """What is paused, for a worker that asks before every picture. Safe between threads."""

    def __init__(self, database: Database, needs: Needs) -> None:
        self._database = database
        self._needs = needs
        self._lock = threading.Lock()
        self._next_look_s = 0.0
        self._paused: frozenset[str] = frozenset()

    def __call__(self) -> frozenset[str]:
        """As it was at most `LOOK_S` ago."""
        with self._lock:
            if time.monotonic() >= self._next_look_s:
                with self._database.read() as session:
                    self._paused = paused_indexers(session, self._needs)
                self._next_look_s = time.monotonic() + LOOK_S
            return self._paused


def _stored(session: Session) -> set[str]:
    row = session.get(Preference, KEY)
    return set(row.value.split(",")) - {""} if row else set()


def _store(session: Session, names: Collection[str]) -> None:
    session.merge(Preference(key=KEY, value=",".join(sorted(names))))


def _with_needs(name: str, needs: Needs) -> set[str]:
    found = {name}
    for need in needs.get(name, ()):
        found |= _with_needs(need, needs)
    return found


def _check(registry: Registry, indexer: str | None) -> None:
    known = needs_of(registry)
    if indexer is not None and indexer not in known:
        raise NotFound(f"There is no indexer {indexer}; there is {', '.join(known)}.")
