"""Who resembles whom: the queue of those without a name, and faces that may be somebody's.

Reads only, and loads no machine-learning library: comparing a few templates takes numpy.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from dam.people.faces import GONE
from dam.people.grouping import examples_of, likeness
from dam.people.reading import FaceView, PersonCard, light_rows, person_card, said_about, views_of
from dam.people.regroup import SAME_FROM
from dam.rows import unpack_vectors
from dam.tables import Asset, FaceDecision, FaceRow, FaceVerdict, Person, ProducerRow, Run
from dam.vectors.rows import PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from dam.contracts import Unit

# Part of a model's threshold from which somebody is proposed. Lower: questions without sense.
PROPOSED_FROM = 0.6
MOST_PROPOSED = 50
SHOWN = 12  # faces of one entry of the queue


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


def queue(session: Session, people: Sequence[PersonCard]) -> list[QueueEntry]:
    """Groups without a name, with some faces and whom they resemble."""
    named = _examples(session)
    entries = []
    for person in people:
        rows = session.scalars(
            light_rows()
            .where(FaceRow.person_id == person.id)
            .order_by(FaceRow.quality.desc(), FaceRow.id)
            .limit(4 * SHOWN)
        ).all()
        faces = views_of(session, rows[:SHOWN])
        entries.append(QueueEntry(person, faces, _resembles(session, rows, named)))
    return entries


def alike(session: Session, person_id: str, *, limit: int = MOST_PROPOSED) -> list[LikeFace]:
    """Faces of nobody that resemble somebody, best first; without those that were refused."""
    person_card(session, person_id)
    known = _examples(session, person_id)
    scored: list[tuple[float, FaceRow]] = []
    for (producer_id, same_from), people in known.items():
        rows = session.scalars(
            light_rows()
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
    said = said_about(session, [row for _, row in scored])
    kept = [
        (score, row)
        for score, row in scored
        if not any(_refuses(d, person_id) or d.verdict in GONE for d in said.get(row.id, ()))
    ][:limit]
    views = views_of(session, [row for _, row in kept])
    return [
        LikeFace(view, min(1.0, round(score, 3)))
        for view, (score, _) in zip(views, kept, strict=True)
    ]


def _refuses(decision: FaceDecision, person_id: str) -> bool:
    return decision.verdict == FaceVerdict.IS_NOT and decision.person_id == person_id


def _templates(rows: Sequence[FaceRow]) -> Unit:
    return unpack_vectors([row.template for row in rows if row.template is not None])


def _examples(
    session: Session, person_id: str | None = None
) -> dict[tuple[int, float], dict[str, Unit]]:
    """Templates of those who have a name, or of one person, by (producer, threshold)."""
    chosen = (
        select(FaceRow.person_id, Run.producer_id, FaceRow.id)
        .join(Run, Run.id == FaceRow.run_id)
        .where(FaceRow.template.is_not(None))
        .order_by(FaceRow.id)
    )
    if person_id is None:
        chosen = chosen.join(Person, Person.id == FaceRow.person_id).where(Person.name.is_not(None))
    else:
        chosen = chosen.where(FaceRow.person_id == person_id)
    # Ids first: somebody may have ten thousand faces, and few of them are examples.
    faces: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for who, producer_id, row_id in session.execute(chosen):
        if who is not None:
            faces[producer_id][who].append(row_id)
    examples = [examples_of(ids) for people in faces.values() for ids in people.values()]
    templates = _read(session, [row_id for row_ids in examples for row_id in row_ids])
    found = {}
    for producer_id, people in faces.items():
        told = session.get_one(ProducerRow, producer_id).parameters
        found[producer_id, float(told.get("same_from", SAME_FROM))] = {
            who: unpack_vectors([templates[row_id] for row_id in examples_of(row_ids)])
            for who, row_ids in people.items()
        }
    return found


def _read(session: Session, row_ids: Sequence[int]) -> dict[int, bytes]:
    """Templates by row."""
    return {
        row_id: template
        for at in range(0, len(row_ids), PARAMETERS)
        for row_id, template in session.execute(
            select(FaceRow.id, FaceRow.template).where(
                FaceRow.id.in_(row_ids[at : at + PARAMETERS])
            )
        )
        if template is not None
    }


def _resembles(
    session: Session,
    rows: Sequence[FaceRow],
    named: Mapping[tuple[int, float], Mapping[str, Unit]],
) -> Proposal | None:
    """Whom a group is most like, if not enough to be put together by itself."""
    runs = {row.run_id for row in rows}
    producers = dict(session.execute(select(Run.id, Run.producer_id).where(Run.id.in_(runs))).all())
    said = said_about(session, rows)
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
