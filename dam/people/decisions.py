"""What people say of faces: named, merged, split, moved, rejected, drawn and hidden.

All of it is kept by asset, time and place (`dam.people.faces`), so it outlives every run. What
belongs to somebody of whom anything is said is pinned: those faces are that person's from then on,
whatever the next grouping would make of them. Each change is one transaction and can be undone
once, within a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from dam.errors import BadRequest, Conflict, NotFound
from dam.people.faces import (
    GONE,
    HERS,
    decisions_on,
    find_face,
    said_of,
)
from dam.people.ledger import Ledger, assets_of, column_of, named
from dam.tables import Asset, FaceDecision, FaceRow, FaceVerdict, Person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from dam.db import Database
    from dam.findings import Box

LONGEST_NAME = 200
AT_ONCE = 400  # assets whose faces are read together


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


def name_person(
    database: Database, person_id: str, name: str | None = None, *, hidden: bool | None = None
) -> Changed:
    """Gives a name (an empty one takes it away) or (`hidden`) hides; what is None stays.

    Raises `NotFound`, `NameTaken`, or `BadRequest` for what cannot be a name.
    """
    with database.write() as session:
        ledger = Ledger(session)
        person = ledger.person(person_id)
        if name is not None:
            person.name = _free_name(session, name, but=person_id)
        if hidden is not None:
            person.hidden = hidden
        count = _pin(ledger, person_id)
        ledger.assets.update(assets_of(session, person_id))
        return Changed(person_id, count, ledger.close())


def merge_people(database: Database, person_id: str, others: Sequence[str]) -> Changed:
    """Makes one person of several; the first name among them stays. Raises `NotFound`."""
    with database.write() as session:
        ledger = Ledger(session)
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
        ledger.assets.update(assets_of(session, person_id))
        return Changed(person_id, count, ledger.close())


def tell_apart(database: Database, person_id: str, others: Sequence[str]) -> Changed:
    """Says that they are not the same, whatever they look like. Raises `NotFound`."""
    with database.write() as session:
        ledger = Ledger(session)
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
        ledger = Ledger(session)
        ledger.person(person_id)
        _pin(ledger, person_id)
        return _give(ledger, faces, person_id)


def split(database: Database, faces: Sequence[str], name: str | None = None) -> Changed:
    """Makes a new person of these faces; those they are taken from keep the others.

    Raises `NotFound`, `NameTaken` and `BadRequest` as `name_person` does.
    """
    with database.write() as session:
        ledger = Ledger(session)
        person = ledger.new_person(_free_name(session, name) if name else None)
        return _give(ledger, faces, person.id)


def reject(database: Database, faces: Sequence[str], person_id: str | None) -> Changed:
    """They are not that person's, or (None) no faces at all. Raises `NotFound`."""
    with database.write() as session:
        ledger = Ledger(session)
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
        ledger = Ledger(session)
        who = ledger.person(person_id).id if person_id else None
        if name and not who:
            known = named(session, _cleaned(name))
            who = known.id if known else ledger.new_person(_cleaned(name)).id
        if who is not None:
            _pin(ledger, who)
        decision = FaceDecision(
            asset_id=asset_id, at_us=at_us, left=box.left, top=box.top, width=box.width,
            height=box.height, verdict=FaceVerdict.DRAWN, person_id=who,
        )  # fmt: skip
        session.add(decision)
        session.flush()
        ledger.added.append(column_of(decision))
        ledger.assets.add(asset_id)
        return Changed(who, 1, ledger.close(), drawn=decision.id)


def _anything(_decision: FaceDecision) -> bool:
    return True


def _nothing(_decision: FaceDecision) -> bool:
    return False


def _cleaned(name: str) -> str:
    wanted = " ".join(name.split())
    if not wanted or not wanted.isprintable() or len(wanted) > LONGEST_NAME:
        raise BadRequest(f"A name has 1 to {LONGEST_NAME} visible characters.")
    return wanted


def _free_name(session: Session, name: str, *, but: str | None = None) -> str | None:
    if not name.strip():
        return None
    wanted = _cleaned(name)
    taken = named(session, wanted)
    if taken is not None and taken.id != but:
        raise NameTaken(wanted, taken.id)
    return wanted


def _rows_of(session: Session, person_id: str) -> list[FaceRow]:
    return list(session.scalars(select(FaceRow).where(FaceRow.person_id == person_id)))


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


def _pin(ledger: Ledger, person_id: str) -> int:
    """Keeps what belongs to somebody; returns how many faces that are."""
    rows = _rows_of(ledger.session, person_id)
    for row, said in _with_said(ledger.session, rows):
        if not any(d.verdict in HERS and d.person_id == person_id for d in said):
            ledger.add(row, FaceVerdict.IS, person_id)
    ledger.session.flush()
    return len(rows)


def _move_all(ledger: Ledger, other_id: str, person_id: str) -> int:
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


def _give(ledger: Ledger, faces: Sequence[str], person_id: str) -> Changed:
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
