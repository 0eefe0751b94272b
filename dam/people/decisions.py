"""What people say of faces: named, merged, split, moved, rejected, drawn, hidden; and undone.

All of it is kept by asset, time and place (`dam.people.faces`), so it outlives every run. What
belongs to somebody of whom anything is said is pinned: those faces are that person's from then on,
whatever the next grouping would make of them. Each change is one transaction and can be undone
once, within a day.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select

from dam.changes import forget_old_undos, is_young, regroup_faces
from dam.errors import BadRequest, Conflict, NotFound
from dam.people.faces import (
    GONE,
    HERS,
    decisions_on,
    find_face,
    place,
    renew_names,
    said_of,
)
from dam.tables import Asset, FaceDecision, FaceRow, FaceVerdict, Person, Undo, new_id, now_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy.orm import Session

    from dam.db import Database
    from dam.findings import Box

PREFIX = "people:"  # of the ids of undos: `dam.changes` has its own in the same table
LONGEST_NAME = 200
AT_ONCE = 400  # assets whose faces are read together
Column = tuple[Any, ...]  # a decision without its number, as `COLUMNS`
COLUMNS = ("asset_id", "at_us", "left", "top", "width", "height", "verdict", "person_id")


class NameTaken(Conflict):
    """Somebody else has that name."""

    def __init__(self, name: str, person_id: str) -> None:
        super().__init__(f"There is already somebody named “{name}”: merge the two?")
        self.person_id = person_id


@dataclass(frozen=True, slots=True)
class Changed:
    person_id: str | None  # who it is about; None: nobody is left
    changed: int  # faces
    undo: str  # what `undo` wants
    drawn: int | None = None  # of `draw`: the number of the decision


@dataclass(slots=True)
class _Ledger:
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
        self.added.append(_column(decision))
        self.assets.add(decision.asset_id)

    def remove(self, decision: FaceDecision) -> None:
        self.removed.append(_column(decision))
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


def name_person(
    database: Database, person_id: str, name: str | None = None, *, hidden: bool | None = None
) -> Changed:
    """Gives a name (an empty one takes it away) or (`hidden`) hides; what is None stays.

    Raises `NotFound`, `NameTaken`, or `BadRequest` for what cannot be a name.
    """
    with database.write() as session:
        ledger = _Ledger(session)
        person = ledger.person(person_id)
        if name is not None:
            person.name = _free_name(session, name, but=person_id)
        if hidden is not None:
            person.hidden = hidden
        count = _pin(ledger, person_id)
        ledger.assets.update(_assets_of(session, person_id))
        return Changed(person_id, count, ledger.close())


def merge_people(database: Database, person_id: str, others: Sequence[str]) -> Changed:
    """Makes one person of several; the first name among them stays. Raises `NotFound`."""
    with database.write() as session:
        ledger = _Ledger(session)
        person = ledger.person(person_id)
        _pin(ledger, person_id)
        count = 0
        for other_id in dict.fromkeys(others):
            if other_id == person_id:
                continue
            other = ledger.person(other_id)
            _pin(ledger, other_id)
            count += _move_all(ledger, other_id, person_id)
            person.name = person.name or other.name
            session.flush()
            session.expire_all()
            session.delete(session.get_one(Person, other_id))
        ledger.assets.update(_assets_of(session, person_id))
        return Changed(person_id, count, ledger.close())


def tell_apart(database: Database, person_id: str, others: Sequence[str]) -> Changed:
    """Says that they are not the same, whatever they look like. Raises `NotFound`."""
    with database.write() as session:
        ledger = _Ledger(session)
        ledger.person(person_id)
        rows = _rows_of(session, person_id)
        for other_id in dict.fromkeys(others):
            ledger.person(other_id)
            for row, said in _with_said(session, rows):
                ledger.say(row, said, FaceVerdict.IS_NOT, other_id, instead_of=_nothing)
        return Changed(person_id, len(rows), ledger.close())


def assign(database: Database, faces: Sequence[str], person_id: str) -> Changed:
    """These faces are that person's. Raises `NotFound` for an unknown face or person."""
    with database.write() as session:
        ledger = _Ledger(session)
        ledger.person(person_id)
        _pin(ledger, person_id)
        return _give(ledger, faces, person_id)


def split(database: Database, faces: Sequence[str], name: str | None = None) -> Changed:
    """Makes a new person of these faces; those they are taken from keep the others.

    Raises `NotFound`, `NameTaken` and `BadRequest` as `name_person` does.
    """
    with database.write() as session:
        ledger = _Ledger(session)
        person = ledger.new_person(_free_name(session, name) if name else None)
        return _give(ledger, faces, person.id)


def reject(database: Database, faces: Sequence[str], person_id: str | None) -> Changed:
    """They are not that person's, or (None) no faces at all. Raises `NotFound`."""
    with database.write() as session:
        ledger = _Ledger(session)
        if person_id is not None:
            ledger.person(person_id)
        rows, boxes = _found(session, faces)
        for row, said in _with_said(session, rows):
            if person_id is None:
                ledger.say(row, said, FaceVerdict.NO_FACE, None, instead_of=_anything)
                ledger.put(row, None)
            else:
                ledger.say(
                    row, said, FaceVerdict.IS_NOT, person_id,
                    instead_of=lambda d: d.verdict in HERS and d.person_id == person_id,
                )  # fmt: skip
                if row.person_id == person_id:
                    ledger.put(row, None)
        for box in boxes:
            ledger.remove(box)
            if person_id is not None:
                ledger.add(box, FaceVerdict.DRAWN, None)
        session.flush()
        if person_id is not None:
            _pin(ledger, person_id)
        return Changed(person_id, len(rows) + len(boxes), ledger.close())


def draw(
    database: Database,
    asset_id: str,
    box: Box,
    *,
    at_us: int | None = None,
    person_id: str | None = None,
    name: str | None = None,
) -> Changed:
    """Adds a face that was missed. Raises `NotFound`, or `BadRequest` for a box outside."""
    inside = -0.5 <= box.left < 1 and -0.5 <= box.top < 1
    reaches = box.left + box.width > 0 and box.top + box.height > 0
    if not (inside and reaches and 0 < box.width <= 1.5 and 0 < box.height <= 1.5):
        raise BadRequest("The box does not lie in the picture.")
    with database.write() as session:
        asset = session.get(Asset, asset_id)
        if asset is None:
            raise NotFound(f"There is no asset {asset_id}.")
        if (asset.kind == "video") != (at_us is not None):
            raise BadRequest("A face in a video has a time, one in a photo none.")
        ledger = _Ledger(session)
        who = ledger.person(person_id).id if person_id else None
        if name and not who:
            named = _named(session, _cleaned(name))
            who = named.id if named else ledger.new_person(_cleaned(name)).id
        if who is not None:
            _pin(ledger, who)
        decision = FaceDecision(
            asset_id=asset_id, at_us=at_us, left=box.left, top=box.top, width=box.width,
            height=box.height, verdict=FaceVerdict.DRAWN, person_id=who,
        )  # fmt: skip
        session.add(decision)
        session.flush()
        ledger.added.append(_column(decision))
        ledger.assets.add(asset_id)
        return Changed(who, 1, ledger.close(), drawn=decision.id)


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
            assets.update(_assets_of(session, person_id))
        renew_names(session, assets)
        return max(len(rows), len(added), len(removed))


# Parts -------------------------------------------------------------------------------------------


def _column(decision: FaceDecision) -> Column:
    return tuple(getattr(decision, name) for name in COLUMNS)


def _anything(_decision: FaceDecision) -> bool:
    return True


def _nothing(_decision: FaceDecision) -> bool:
    return False


def _cleaned(name: str) -> str:
    wanted = " ".join(name.split())
    if not wanted or not wanted.isprintable() or len(wanted) > LONGEST_NAME:
        raise BadRequest(f"A name has 1 to {LONGEST_NAME} visible characters.")
    return wanted


def _named(session: Session, name: str) -> Person | None:
    """Without regard to case, in every script."""
    named = session.scalars(select(Person).where(Person.name.is_not(None)).order_by(Person.id))
    folded = name.casefold()
    return next((one for one in named if one.name and one.name.casefold() == folded), None)


def _free_name(session: Session, name: str, *, but: str | None = None) -> str | None:
    if not name.strip():
        return None
    wanted = _cleaned(name)
    taken = _named(session, wanted)
    if taken is not None and taken.id != but:
        raise NameTaken(wanted, taken.id)
    return wanted


def _rows_of(session: Session, person_id: str) -> list[FaceRow]:
    return list(session.scalars(select(FaceRow).where(FaceRow.person_id == person_id)))


def _assets_of(session: Session, person_id: str) -> set[str]:
    seen = select(FaceRow.asset_id).where(FaceRow.person_id == person_id)
    said = select(FaceDecision.asset_id).where(FaceDecision.person_id == person_id)
    return {*session.scalars(seen), *session.scalars(said)}


def _with_said(
    session: Session, rows: Sequence[FaceRow]
) -> list[tuple[FaceRow, list[FaceDecision]]]:
    """Rows with what was said of each; other faces of their assets count in finding that out."""
    asset_ids = sorted({row.asset_id for row in rows})
    said: dict[int, list[FaceDecision]] = {}
    for start in range(0, len(asset_ids), AT_ONCE):
        some = asset_ids[start : start + AT_ONCE]
        there = session.scalars(select(FaceRow).where(FaceRow.asset_id.in_(some))).all()
        said |= said_of(there, decisions_on(session, some))
    return [(row, said.get(row.id, [])) for row in rows]


def _pin(ledger: _Ledger, person_id: str) -> int:
    """Keeps what belongs to somebody; returns how many faces that are."""
    rows = _rows_of(ledger.session, person_id)
    for row, said in _with_said(ledger.session, rows):
        if not any(d.verdict in HERS and d.person_id == person_id for d in said):
            ledger.add(row, FaceVerdict.IS, person_id)
    ledger.session.flush()
    return len(rows)


def _move_all(ledger: _Ledger, other_id: str, person_id: str) -> int:
    """Everything that was said of one is said of the other; of her own faces not that they are
    not hers."""
    session = ledger.session
    rows = _rows_of(session, other_id)
    for row, said in _with_said(session, [*rows, *_rows_of(session, person_id)]):
        for decision in said:
            is_contrary = decision.verdict == FaceVerdict.IS_NOT
            if is_contrary and decision.person_id in (other_id, person_id):
                ledger.remove(decision)
        ledger.put(row, person_id)
    session.flush()
    theirs = select(FaceDecision).where(FaceDecision.person_id == other_id)
    for decision in session.scalars(theirs).all():
        ledger.remove(decision)
        ledger.add(decision, FaceVerdict(decision.verdict), person_id)
    session.flush()
    return len(rows)


def _found(session: Session, faces: Sequence[str]) -> tuple[list[FaceRow], list[FaceDecision]]:
    """Found ones and drawn ones."""
    found = [find_face(session, face) for face in dict.fromkeys(faces)]
    if not found:
        raise BadRequest("Name at least one face.")
    return (
        [row for row in found if isinstance(row, FaceRow)],
        [row for row in found if isinstance(row, FaceDecision)],
    )


def _give(ledger: _Ledger, faces: Sequence[str], person_id: str) -> Changed:
    session = ledger.session
    rows, boxes = _found(session, faces)
    before = {row.person_id for row in rows if row.person_id not in (None, person_id)}
    for row, said in _with_said(session, rows):
        ledger.say(
            row, said, FaceVerdict.IS, person_id,
            instead_of=lambda d: (d.verdict in HERS and d.person_id != person_id)
            or d.verdict in GONE
            or (d.person_id == person_id and d.verdict == FaceVerdict.IS_NOT),
        )  # fmt: skip
        ledger.put(row, person_id)
    for box in boxes:
        ledger.remove(box)
        ledger.add(box, FaceVerdict.DRAWN, person_id)
    session.flush()
    for other_id in before:  # else the rest would follow those that went
        if other_id is not None:
            ledger.person(other_id)
            _pin(ledger, other_id)
    return Changed(person_id, len(rows) + len(boxes), ledger.close())


def _restore(session: Session, person_id: str, before: list[Any] | None) -> None:
    person = session.get(Person, person_id)
    if before is None:
        return
    name, hidden, created_us = before
    if person is None:
        person = Person(id=person_id, created_us=created_us)
        session.add(person)
    taken = _named(session, name) if name else None
    person.name = name if taken is None or taken.id == person_id else None
    person.hidden = hidden


def _forget_new(session: Session, person_ids: Iterable[str]) -> None:
    """People whom the change made, unless something was said of them since."""
    for person_id in person_ids:
        said = select(func.count()).where(FaceDecision.person_id == person_id)
        if session.scalar(said) == 0:
            session.execute(delete(Person).where(Person.id == person_id))
