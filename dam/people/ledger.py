"""One change of what is said of people: what it adds and removes, and the way back.

Kept beside the undos of everything else (`dam.changes`), under ids of its own.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select

from dam.changes import forget_old_undos, is_young, regroup_faces
from dam.errors import NotFound
from dam.people.faces import place, renew_names
from dam.tables import Asset, FaceDecision, FaceRow, FaceVerdict, Person, Undo, new_id, now_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy.orm import Session

    from dam.db import Database

PREFIX = "people:"  # of the ids of undos: `dam.changes` has its own in the same table
Column = tuple[Any, ...]  # a decision without its number, as `COLUMNS`
COLUMNS = ("asset_id", "at_us", "left", "top", "width", "height", "verdict", "person_id")


@dataclass(slots=True)
class Ledger:
    """One change: does it, and remembers how to take it back."""

    session: Session
    added: list[Column] = field(default_factory=list)
    removed: list[Column] = field(default_factory=list)
    people: dict[str, Any] = field(default_factory=dict)  # before: [name, hidden, created] or None
    placed: dict[int, str | None] = field(default_factory=dict)  # row → person before
    assets: set[str] = field(default_factory=set)

    def person(self, person_id: str) -> Person:
        found = self.session.get(Person, person_id)
        if found is None:
            raise NotFound(f"There is no person {person_id}.")
        if person_id not in self.people:
            self.people[person_id] = [found.name, found.hidden, found.created_us]
        return found

    def new_person(self, name: str | None) -> Person:
        person = Person(id=new_id(), name=name)
        self.people[person.id] = None
        self.session.add(person)
        self.session.flush()
        return person

    def add(self, place_of: FaceRow | FaceDecision, verdict: FaceVerdict, who: str | None) -> None:
        values = {name: getattr(place_of, name) for name in COLUMNS[:6]}
        decision = FaceDecision(**values, verdict=verdict, person_id=who)
        self.session.add(decision)
        self.added.append(column_of(decision))
        self.assets.add(decision.asset_id)

    def remove(self, decision: FaceDecision) -> None:
        self.removed.append(column_of(decision))
        self.assets.add(decision.asset_id)
        self.session.delete(decision)

    def say(
        self,
        row: FaceRow,
        said: Sequence[FaceDecision],
        verdict: FaceVerdict,
        who: str | None,
        *,
        instead_of: Callable[[FaceDecision], bool],
    ) -> None:
        for decision in said:
            if instead_of(decision):
                self.remove(decision)
        if not any(d.verdict == verdict and d.person_id == who for d in said if not instead_of(d)):
            self.add(row, verdict, who)

    def put(self, row: FaceRow, who: str | None) -> None:
        if row.person_id != who:
            self.placed.setdefault(row.id, row.person_id)
        self.assets.add(row.asset_id)
        row.person_id = who

    def close(self) -> str:
        """Stores the undo, renews what is searchable, and has faces grouped again."""
        self.session.flush()
        regroup_faces(self.session)
        renew_names(self.session, self.assets)
        undo_id = PREFIX + new_id()
        added, removed = Counter(self.added), Counter(self.removed)
        told = [
            list((added - removed).elements()),  # without what came and went within this change
            list((removed - added).elements()),
            self.people,
            list(self.placed.items()),
        ]
        packed = zlib.compress(json.dumps(told).encode(), 1)
        forget_old_undos(self.session)
        self.session.add(Undo(id=undo_id, created_us=now_us(), before=packed))
        return undo_id


def undo(database: Database, undo_id: str) -> int:
    """Puts back what was before a change, once; returns how many faces. Raises `NotFound`."""
    with database.write() as session:
        mine = select(Undo).where(Undo.id == undo_id, Undo.id.startswith(PREFIX), is_young())
        kept = session.scalar(mine)
        if kept is None:
            raise NotFound(
                "This cannot be undone any more: it was undone already, or is older than a day."
            )
        added, removed, people, placed = json.loads(zlib.decompress(kept.before))
        session.delete(kept)
        for values in added:
            same = [getattr(FaceDecision, n).is_(v) if v is None else getattr(FaceDecision, n) == v
                    for n, v in zip(COLUMNS, values, strict=True)]  # fmt: skip
            found = session.scalar(select(FaceDecision).where(*same).limit(1))
            if found is not None:
                session.delete(found)
        session.flush()
        for person_id, before in people.items():
            _restore(session, person_id, before)
        session.flush()
        living = set(session.scalars(select(Person.id)))
        there = set(
            session.scalars(select(Asset.id).where(Asset.id.in_({values[0] for values in removed})))
        )
        for values in removed:
            if values[0] in there and (values[-1] is None or values[-1] in living):
                session.add(FaceDecision(**dict(zip(COLUMNS, values, strict=True))))
        rows = {row_id: who for row_id, who in placed if who is None or who in living}
        place(session, rows)
        _forget_new(session, [person_id for person_id, before in people.items() if before is None])
        regroup_faces(session)
        assets = {values[0] for values in [*added, *removed]}
        for person_id in people:
            assets.update(assets_of(session, person_id))
        renew_names(session, assets)
        return max(len(rows), len(added), len(removed))


# Parts -------------------------------------------------------------------------------------------


def column_of(decision: FaceDecision) -> Column:
    return tuple(getattr(decision, name) for name in COLUMNS)


def _restore(session: Session, person_id: str, before: list[Any] | None) -> None:
    person = session.get(Person, person_id)
    if before is None:
        return
    name, hidden, created_us = before
    if person is None:
        person = Person(id=person_id, created_us=created_us)
        session.add(person)
    taken = named(session, name) if name else None
    person.name = name if taken is None or taken.id == person_id else None
    person.hidden = hidden


def _forget_new(session: Session, person_ids: Iterable[str]) -> None:
    """People whom the change made, unless something was said of them since."""
    for person_id in person_ids:
        said = select(func.count()).where(FaceDecision.person_id == person_id)
        if session.scalar(said) == 0:
            session.execute(delete(Person).where(Person.id == person_id))


def named(session: Session, name: str) -> Person | None:
    """Without regard to case, in every script."""
    named = session.scalars(select(Person).where(Person.name.is_not(None)).order_by(Person.id))
    folded = name.casefold()
    return next((one for one in named if one.name and one.name.casefold() == folded), None)


def assets_of(session: Session, person_id: str) -> set[str]:
    seen = select(FaceRow.asset_id).where(FaceRow.person_id == person_id)
    said = select(FaceDecision.asset_id).where(FaceDecision.person_id == person_id)
    return {*session.scalars(seen), *session.scalars(said)}
