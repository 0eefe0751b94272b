"""People and faces as they are shown: lists, the queue of those without a name, who resembles whom.

Reads only, and loads no machine-learning library: comparing a few templates takes numpy.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import defer

from dam.assets import cards_of
from dam.errors import NotFound
from dam.findings import Box
from dam.people.faces import GONE, HERS, decisions_on, drawn, face_id, said_of
from dam.people.grouping import examples_of, likeness
from dam.people.regroup import SAME_FROM
from dam.rows import unpack_vectors
from dam.tables import Asset, FaceDecision, FaceRow, FaceVerdict, Person, ProducerRow, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from dam.contracts import Unit

# Part of a model's threshold from which somebody is proposed. Lower: questions without sense.
PROPOSED_FROM = 0.6
MOST_PROPOSED = 50
SHOWN = 12  # faces of one entry of the queue
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


@dataclass(frozen=True, slots=True)
class Proposal:
    person: PersonCard
    score: float  # in [0, 1]: 1 is as alike as faces that are put together


@dataclass(frozen=True, slots=True)
class QueueEntry:
    person: PersonCard  # without a name
    faces: list[FaceView]  # some, best first
    suggestion: Proposal | None


@dataclass(frozen=True, slots=True)
class LikeFace:
    face: FaceView
    score: float  # as `Proposal.score`


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
    chosen = _light().join(Asset, Asset.id == FaceRow.asset_id).where(
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
    return _views(session, rows), following


def faces_of_asset(session: Session, asset_id: str) -> list[FaceView]:
    """From left to right, without those that are none."""
    rows = list(session.scalars(_light().where(FaceRow.asset_id == asset_id)))
    decisions = decisions_on(session, [asset_id])
    said = said_of(rows, decisions)
    shown: list[FaceRow | FaceDecision] = [
        row for row in rows if not any(d.verdict in GONE for d in said.get(row.id, ()))
    ]
    shown += drawn(decisions, said)
    shown.sort(key=lambda row: (row.at_us or 0, row.left, row.id))
    return _views(session, shown)


def face_view(session: Session, row: FaceRow | FaceDecision) -> FaceView:
    return _views(session, [row])[0]


def queue(session: Session, people: Sequence[PersonCard]) -> list[QueueEntry]:
    """Groups without a name, with some faces and whom they resemble."""
    named = _examples(session)
    entries = []
    for person in people:
        rows = session.scalars(
            _light()
            .where(FaceRow.person_id == person.id)
            .order_by(FaceRow.quality.desc(), FaceRow.id)
            .limit(4 * SHOWN)
        ).all()
        faces = _views(session, rows[:SHOWN])
        entries.append(QueueEntry(person, faces, _resembles(session, rows, named)))
    return entries


def alike(session: Session, person_id: str, *, limit: int = MOST_PROPOSED) -> list[LikeFace]:
    """Faces of nobody that resemble somebody, best first; without those that were refused."""
    person_card(session, person_id)
    known = _examples(session, person_id)
    scored: list[tuple[float, FaceRow]] = []
    for (producer_id, same_from), people in known.items():
        rows = session.scalars(
            _light()
            .join(Run, Run.id == FaceRow.run_id)
            .join(Asset, Asset.id == FaceRow.asset_id)
            .where(
                FaceRow.person_id.is_(None),
                FaceRow.template.is_not(None),
                Run.producer_id == producer_id,
                Asset.trashed_us.is_(None),
            )
        ).all()
        if rows:
            scores = likeness(_templates(rows), people[person_id]) / same_from
            close = np.flatnonzero(scores >= PROPOSED_FROM)
            scored += [(float(scores[n]), rows[int(n)]) for n in close]
    scored.sort(key=lambda one: (-one[0], one[1].id))
    scored = scored[: 4 * limit]
    said = _said(session, [row for _, row in scored])
    kept = [
        (score, row)
        for score, row in scored
        if not any(_refuses(d, person_id) or d.verdict in GONE for d in said.get(row.id, ()))
    ][:limit]
    views = _views(session, [row for _, row in kept])
    return [
        LikeFace(view, min(1.0, round(score, 3)))
        for view, (score, _) in zip(views, kept, strict=True)
    ]


# Parts -------------------------------------------------------------------------------------------


def _light() -> Select[FaceRow]:
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
            _light().join(
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


def _said(session: Session, rows: Sequence[FaceRow]) -> Mapping[int, Sequence[FaceDecision]]:
    asset_ids = {row.asset_id for row in rows}
    there = session.scalars(_light().where(FaceRow.asset_id.in_(asset_ids))).all()
    return said_of(there, decisions_on(session, asset_ids))


def _views(session: Session, rows: Sequence[FaceRow | FaceDecision]) -> list[FaceView]:
    cards = {card.id: card for card in cards_of(session, sorted({row.asset_id for row in rows}))}
    names = dict(
        session.execute(
            select(Person.id, Person.name).where(Person.id.in_({row.person_id for row in rows}))
        ).all()
    )
    said = _said(session, [row for row in rows if isinstance(row, FaceRow)])
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


def _refuses(decision: FaceDecision, person_id: str) -> bool:
    return decision.verdict == FaceVerdict.IS_NOT and decision.person_id == person_id


def _templates(rows: Sequence[FaceRow]) -> Unit:
    return unpack_vectors([row.template for row in rows if row.template is not None])


def _examples(
    session: Session, person_id: str | None = None
) -> dict[tuple[int, float], dict[str, Unit]]:
    """Templates of those who have a name, or of one person, by (producer, threshold)."""
    chosen = (
        select(FaceRow.person_id, Run.producer_id, FaceRow.template)
        .join(Run, Run.id == FaceRow.run_id)
        .where(FaceRow.template.is_not(None))
        .order_by(FaceRow.id)
    )
    if person_id is None:
        chosen = chosen.join(Person, Person.id == FaceRow.person_id).where(Person.name.is_not(None))
    else:
        chosen = chosen.where(FaceRow.person_id == person_id)
    stored: dict[int, dict[str, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    for who, producer_id, template in session.execute(chosen):
        if who is not None and template is not None:
            stored[producer_id][who].append(template)
    found = {}
    for producer_id, people in stored.items():
        told = session.get_one(ProducerRow, producer_id).parameters
        found[producer_id, float(told.get("same_from", SAME_FROM))] = {
            who: unpack_vectors([templates[n] for n in examples_of(range(len(templates)))])
            for who, templates in people.items()
        }
    return found


def _resembles(
    session: Session,
    rows: Sequence[FaceRow],
    named: Mapping[tuple[int, float], Mapping[str, Unit]],
) -> Proposal | None:
    """Whom a group is most like, if not enough to be put together by itself."""
    runs = {row.run_id for row in rows}
    producers = dict(session.execute(select(Run.id, Run.producer_id).where(Run.id.in_(runs))).all())
    said = _said(session, rows)
    best: tuple[float, str] | None = None
    for (producer_id, same_from), people in named.items():
        mine = [r for r in rows if r.template is not None and producers[r.run_id] == producer_id]
        if not mine:
            continue
        templates = _templates(mine)
        for who, examples in people.items():
            refusing = [r for r in mine if any(_refuses(d, who) for d in said.get(r.id, ()))]
            score = float(likeness(templates, examples).mean()) / same_from
            if score >= PROPOSED_FROM and not refusing and (best is None or score > best[0]):
                best = (score, who)
    if best is None:
        return None
    return Proposal(person_card(session, best[1]), min(1.0, round(best[0], 3)))
