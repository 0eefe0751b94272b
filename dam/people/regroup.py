"""Keeps the groups of faces up to date: after indexing, and after something was said.

Everything here is derived and can be worked out again. Called by workers while they are idle and by
the command line, never by the web process: grouping needs a machine-learning library.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select
from sqlalchemy.orm import defer

from dam.changes import FACES_SAID
from dam.db import LogBusy
from dam.people.faces import GONE, HERS, place, renew_names, said_of
from dam.people.grouping import Faces, group
from dam.rows import unpack_vectors
from dam.tables import (
    FaceDecision,
    FaceRow,
    FaceVerdict,
    Person,
    Preference,
    ProducerRow,
    Run,
    new_id,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from dam.db import Database

GROUPED = "people_grouped"  # a preference: what was known when faces were grouped last
TRIES = 3  # while others write; the next call goes on
log = logging.getLogger(__name__)
SAME_FROM = 0.35  # of a producer that states no threshold: a plug-in


@dataclass(slots=True)
class _Known:
    version: str
    rows: Sequence[FaceRow]
    producers: Mapping[int, int]  # run → producer
    thresholds: Mapping[int, float]  # producer → cosine
    decisions: Sequence[FaceDecision]
    said: Mapping[int, Sequence[FaceDecision]]  # row → decisions
    unsettled: frozenset[str]  # people that only dam made


def regroup(database: Database) -> bool:
    """Groups all faces again if anything changed; False when there was nothing to do."""
    for _ in range(TRIES):
        with database.read() as session:
            version = _version(session)
            grouped = session.get(Preference, GROUPED)
            if version == (grouped.value if grouped else ""):
                return False
            known = _read(session, version)
        people, new = _people(known)
        with database.write() as session:
            if _version(session) != version:
                continue  # somebody was quicker; what was worked out is of yesterday
            found_again = _write(session, known, people, new)
            session.merge(Preference(key=GROUPED, value=_version(session)))
        if found_again:
            _overwrite(database)
        return True
    return False


def _version(session: Session) -> str:
    """Changes with every face that comes or goes, and with everything that is said."""
    faces, newest = session.execute(select(func.count(), func.max(FaceRow.id))).one()
    if not faces and session.scalar(select(func.count()).select_from(Person)) == 0:
        return ""
    ended = session.scalar(
        select(func.max(Run.finished_us)).join(ProducerRow).where(ProducerRow.indexer == "faces")
    )
    said = session.get(Preference, FACES_SAID)
    return f"{faces}:{newest}:{ended}:{said.value if said else ''}"


def _read(session: Session, version: str) -> _Known:
    rows = session.scalars(
        select(FaceRow).options(defer(FaceRow.crop), defer(FaceRow.landmarks)).order_by(FaceRow.id)
    ).all()
    runs = session.execute(
        select(Run.id, Run.producer_id, ProducerRow.parameters)
        .join(ProducerRow)
        .where(ProducerRow.indexer == "faces")
    ).all()
    decisions = session.scalars(select(FaceDecision).order_by(FaceDecision.id)).all()
    meant = {decision.person_id for decision in decisions}
    made = session.scalars(select(Person.id).where(Person.name.is_(None), ~Person.hidden))
    return _Known(
        version,
        rows,
        {run_id: producer_id for run_id, producer_id, _ in runs},
        {producer_id: float(told.get("same_from", SAME_FROM)) for _, producer_id, told in runs},
        decisions,
        said_of(rows, decisions),
        frozenset(person_id for person_id in made if person_id not in meant),
    )


def _people(known: _Known) -> tuple[dict[int, str | None], list[str]]:
    """Row → person, and the ids of people that are new."""
    people: dict[int, str | None] = {row.id: None for row in known.rows}
    by_producer: dict[int, list[FaceRow]] = defaultdict(list)
    for row in known.rows:
        verdicts = known.said.get(row.id, ())
        people[row.id] = next((d.person_id for d in reversed(verdicts) if d.verdict in HERS), None)
        is_face = not any(d.verdict in GONE for d in verdicts)
        producer_id = known.producers.get(row.run_id)
        if row.template is not None and is_face and producer_id is not None:
            by_producer[producer_id].append(row)
    new: list[str] = []
    # Templates of two models cannot be compared; while one follows the other, both are grouped.
    for producer_id, rows in by_producer.items():
        grouped = group(_faces(known, rows, people, known.thresholds[producer_id]))
        people |= {rows[n].id: person for n, person in grouped.people.items()}
        for members in grouped.new:
            new.append(new_id())
            people |= dict.fromkeys((rows[n].id for n in members), new[-1])
    return people, new


def _faces(
    known: _Known, rows: Sequence[FaceRow], people: Mapping[int, str | None], same_from: float
) -> Faces:
    refused = {
        n: frozenset(d.person_id for d in known.said.get(row.id, ()) if _refuses(d))
        for n, row in enumerate(rows)
    }
    return Faces(
        templates=unpack_vectors([row.template for row in rows if row.template is not None]),
        same_from=same_from,
        # Of a video the samples at which two are seen best say too little: only equal times count.
        moments=[(row.asset_id, row.at_us) for row in rows],
        decided={n: who for n, row in enumerate(rows) if (who := people[row.id]) is not None},
        refused={n: some for n, some in refused.items() if some},  # type: ignore[misc]
        before={n: row.person_id for n, row in enumerate(rows) if row.person_id is not None},
        unsettled=known.unsettled,
    )


def _refuses(decision: FaceDecision) -> bool:
    return decision.verdict == FaceVerdict.IS_NOT and decision.person_id is not None


def _write(
    session: Session, known: _Known, people: Mapping[int, str | None], new: Sequence[str]
) -> bool:
    """True when faces of those who were deleted had been found again."""
    session.add_all([Person(id=person_id) for person_id in new])
    session.flush()
    moved = {row.id: people[row.id] for row in known.rows if row.person_id != people[row.id]}
    place(session, moved)
    _find_drawn(session, known)
    forgotten = _drop_forgotten(session, known)
    session.flush()
    left = {who for row_id, who in people.items() if who is not None and row_id not in forgotten}
    empty = [person_id for person_id in known.unsettled if person_id not in left]
    session.execute(delete(Person).where(Person.id.in_(empty)))
    changed = moved.keys() | known.said.keys()
    renew_names(session, {row.asset_id for row in known.rows if row.id in changed})
    return bool(forgotten)


def _overwrite(database: Database) -> None:
    try:
        database.overwrite_deleted()
    except LogBusy as error:  # the next rewriting, or the end of the last process, does it
        log.warning("%s", error)


def _find_drawn(session: Session, known: _Known) -> None:
    """A face that was drawn, and that a run has found since, is an ordinary one from now on."""
    for decisions in known.said.values():
        for decision in decisions:
            if decision.verdict != FaceVerdict.DRAWN:
                continue
            row = session.get_one(FaceDecision, decision.id)
            if row.person_id is None:
                session.delete(row)
            else:
                row.verdict = FaceVerdict.IS


def _drop_forgotten(session: Session, known: _Known) -> set[int]:
    """Deletes what was found again of those who were deleted, and overwrites its bytes."""
    forgotten = {
        row_id
        for row_id, decisions in known.said.items()
        if any(decision.verdict == FaceVerdict.FORGOTTEN for decision in decisions)
    }
    if forgotten:
        session.connection().exec_driver_sql("PRAGMA secure_delete=ON")
        session.execute(delete(FaceRow).where(FaceRow.id.in_(forgotten)))
    return forgotten
