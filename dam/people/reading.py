"""People and faces as they are shown: lists, and the faces of a person or an asset. Reads only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import defer

from dam.assets import cards_of
from dam.errors import NotFound
from dam.findings import Box
from dam.people.faces import GONE, HERS, decisions_on, drawn, face_id, said_of
from dam.tables import Asset, FaceDecision, FaceRow, FaceVerdict, Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session


US = 1_000_000


class Who(StrEnum):
    ALL = "all"  # but hidden ones
    NAMED = "named"
    UNNAMED = "unnamed"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class FaceView:
    id: str
    asset_id: str
    asset_name: str
    asset_kind: str  # photo or video
    asset_version: str
    box: Box  # parts of the picture's width and height
    at_s: float | None  # of the frame that shows it best; null for a photo
    start_s: float | None  # as long as it is followed
    end_s: float | None
    person_id: str | None
    person_name: str | None
    confirmed: bool  # by a person
    drawn: bool  # by a person
    recognisable: bool  # can be compared with others
    quality: float  # in [0, 1]


@dataclass(frozen=True, slots=True)
class PersonCard:
    id: str
    name: str | None
    hidden: bool
    faces: int
    assets: int
    cover: str | None  # the id of the face that shows them best


@dataclass(frozen=True, slots=True)
class Counts:
    named: int
    unnamed: int
    hidden: int
    lone_faces: int  # that resemble nobody else's


def people_cards(session: Session, who: Who = Who.ALL, contains: str = "") -> list[PersonCard]:
    """Named ones by name, then the others, those with most faces first."""
    faces, assets = _counted(session)
    chosen = [
        person
        for person in session.scalars(select(Person))
        if _fits(person, who, contains) and (person.name or faces[person.id])
    ]
    chosen.sort(key=lambda one: position(one.name, faces[one.id], one.id))
    covers = _covers(session, [person.id for person in chosen])
    return [
        PersonCard(
            person.id, person.name, person.hidden, faces[person.id], assets[person.id],
            covers.get(person.id),
        )
        for person in chosen
    ]  # fmt: skip


def position(name: str | None, faces: int, person_id: str) -> tuple[int, str, int, str]:
    """Where somebody stands in a list."""
    return (int(name is None), (name or "").casefold(), -faces, person_id)


def person_card(session: Session, person_id: str) -> PersonCard:
    """Raises `NotFound`."""
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound(f"There is no person {person_id}.")
    faces, assets = _counted(session, person_id)
    cover = _covers(session, [person_id]).get(person_id)
    return PersonCard(
        person_id, person.name, person.hidden, faces[person_id], assets[person_id], cover
    )


def count_people(session: Session) -> Counts:
    faces, _ = _counted(session)
    people = [one for one in session.scalars(select(Person)) if one.name or faces[one.id]]
    alone = (
        select(func.count())
        .select_from(FaceRow)
        .join(Asset, Asset.id == FaceRow.asset_id)
        .where(
            FaceRow.person_id.is_(None), FaceRow.template.is_not(None), Asset.trashed_us.is_(None)
        )
    )
    return Counts(
        named=sum(one.name is not None and not one.hidden for one in people),
        unnamed=sum(one.name is None and not one.hidden for one in people),
        hidden=sum(one.hidden for one in people),
        lone_faces=session.scalar(alone) or 0,
    )


def faces_of_person(
    session: Session, person_id: str, *, limit: int, after: tuple[int, int] | None = None
) -> tuple[list[FaceView], tuple[int, int] | None]:
    """Newest capture first, those that people drew last; and where the next page begins."""
    taken = func.coalesce(Asset.captured_us, -(2**62))
    chosen = light_rows().join(Asset, Asset.id == FaceRow.asset_id).where(
        FaceRow.person_id == person_id, Asset.trashed_us.is_(None)
    )  # fmt: skip
    if after is not None:
        is_after = (taken < after[0]) | ((taken == after[0]) & (FaceRow.id < after[1]))
        chosen = chosen.where(is_after)
    ordered = chosen.add_columns(taken).order_by(taken.desc(), FaceRow.id.desc())
    found = session.execute(ordered.limit(limit + 1)).all()
    following = (found[limit - 1][1], found[limit - 1][0].id) if len(found) > limit else None
    rows: list[FaceRow | FaceDecision] = [row for row, _ in found[:limit]]
    if following is None:
        rows += session.scalars(_drawn_of(person_id))
    return views_of(session, rows), following


def faces_of_asset(session: Session, asset_id: str) -> list[FaceView]:
    """From left to right, without those that are none."""
    rows = list(session.scalars(light_rows().where(FaceRow.asset_id == asset_id)))
    decisions = decisions_on(session, [asset_id])
    said = said_of(rows, decisions)
    shown: list[FaceRow | FaceDecision] = [
        row for row in rows if not any(d.verdict in GONE for d in said.get(row.id, ()))
    ]
    shown += drawn(decisions, said)
    shown.sort(key=lambda row: (row.at_us or 0, row.left, row.id))
    return views_of(session, shown)


def face_view(session: Session, row: FaceRow | FaceDecision) -> FaceView:
    return views_of(session, [row])[0]


# Parts -------------------------------------------------------------------------------------------


def light_rows() -> Select[FaceRow]:
    """Rows without what is large and seldom needed."""
    heavy = [FaceRow.crop, FaceRow.landmarks]
    return select(FaceRow).options(*(defer(column, raiseload=True) for column in heavy))


def _fits(person: Person, who: Who, contains: str) -> bool:
    if contains and contains.casefold() not in (person.name or "").casefold():
        return False
    if person.hidden or who is Who.HIDDEN:
        return person.hidden and who is Who.HIDDEN
    return who is Who.ALL or (person.name is None) == (who is Who.UNNAMED)


def _counted(session: Session, person_id: str | None = None) -> tuple[Counter[str], Counter[str]]:
    """Faces and assets of people, by id."""
    seen = (
        select(FaceRow.person_id, FaceRow.asset_id)
        .join(Asset, Asset.id == FaceRow.asset_id)
        .where(Asset.trashed_us.is_(None))
    )
    said = (
        select(FaceDecision.person_id, FaceDecision.asset_id)
        .join(Asset, Asset.id == FaceDecision.asset_id)
        .where(FaceDecision.verdict == FaceVerdict.DRAWN, Asset.trashed_us.is_(None))
    )
    if person_id is None:
        seen, said = (
            seen.where(FaceRow.person_id.is_not(None)),
            said.where(FaceDecision.person_id.is_not(None)),
        )
    else:
        seen = seen.where(FaceRow.person_id == person_id)
        said = said.where(FaceDecision.person_id == person_id)
    pairs = [*session.execute(seen).all(), *session.execute(said).all()]
    faces = Counter(str(who) for who, _ in pairs)
    return faces, Counter(who for who, _ in {(str(who), asset_id) for who, asset_id in pairs})


def _covers(session: Session, person_ids: Sequence[str]) -> dict[str, str]:
    """The best face of each, confirmed or not."""
    best: dict[str, FaceRow] = {}
    for start in range(0, len(person_ids), 500):
        some = list(person_ids[start : start + 500])
        top = (
            select(func.max(FaceRow.quality))
            .where(FaceRow.person_id.in_(some))
            .group_by(FaceRow.person_id)
            .with_only_columns(FaceRow.person_id, func.max(FaceRow.quality).label("quality"))
            .subquery()
        )
        rows = session.scalars(
            light_rows().join(
                top, (top.c.person_id == FaceRow.person_id) & (top.c.quality == FaceRow.quality)
            )
        )
        for row in rows:
            best.setdefault(str(row.person_id), row)
    covers = {person_id: face_id(row) for person_id, row in best.items()}
    for person_id in person_ids:
        if person_id not in covers and len(person_ids) == 1:
            box = session.scalar(_drawn_of(person_id).limit(1))
            if box is not None:
                covers[person_id] = face_id(box)
    return covers


def _drawn_of(person_id: str) -> Select[FaceDecision]:
    return (
        select(FaceDecision)
        .join(Asset, Asset.id == FaceDecision.asset_id)
        .where(
            FaceDecision.person_id == person_id,
            FaceDecision.verdict == FaceVerdict.DRAWN,
            Asset.trashed_us.is_(None),
        )
        .order_by(FaceDecision.id)
    )


def said_about(session: Session, rows: Sequence[FaceRow]) -> Mapping[int, Sequence[FaceDecision]]:
    asset_ids = {row.asset_id for row in rows}
    there = session.scalars(light_rows().where(FaceRow.asset_id.in_(asset_ids))).all()
    return said_of(there, decisions_on(session, asset_ids))


def views_of(session: Session, rows: Sequence[FaceRow | FaceDecision]) -> list[FaceView]:
    cards = {card.id: card for card in cards_of(session, sorted({row.asset_id for row in rows}))}
    names = dict(
        session.execute(
            select(Person.id, Person.name).where(Person.id.in_({row.person_id for row in rows}))
        ).all()
    )
    said = said_about(session, [row for row in rows if isinstance(row, FaceRow)])
    return [
        _view(row, cards[row.asset_id].name, cards[row.asset_id].kind,
              cards[row.asset_id].version, names.get(row.person_id or ""), said.get(row.id, ()))
        for row in rows
    ]  # fmt: skip


def _view(
    row: FaceRow | FaceDecision,
    asset_name: str,
    kind: str,
    version: str,
    name: str | None,
    said: Iterable[FaceDecision],
) -> FaceView:
    is_drawn = isinstance(row, FaceDecision)
    start_us, end_us = (row.start_us, row.end_us) if isinstance(row, FaceRow) else (None, None)
    return FaceView(
        id=face_id(row),
        asset_id=row.asset_id,
        asset_name=asset_name,
        asset_kind=kind,
        asset_version=version,
        box=Box(row.left, row.top, row.width, row.height),
        at_s=_seconds(row.at_us),
        start_s=_seconds(start_us),
        end_s=_seconds(end_us),
        person_id=row.person_id,
        person_name=name,
        confirmed=is_drawn or any(d.verdict in HERS and d.person_id == row.person_id for d in said),
        drawn=is_drawn,
        recognisable=isinstance(row, FaceRow) and row.template is not None,
        quality=round(row.quality, 3) if isinstance(row, FaceRow) else 0.0,
    )


def _seconds(time_us: int | None) -> float | None:
    return None if time_us is None else time_us / US
