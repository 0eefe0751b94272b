"""Deletes what is biometric so that no byte of it is left, and switches the search for faces.

What was deleted is overwritten: the database file is rewritten without it and its log is emptied.
Templates and small pictures of faces lie nowhere else: no vector index and no cache holds them.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, func, select, update

from dam.changes import regroup_faces
from dam.errors import NotFound
from dam.people.faces import HERS, Spot, renew_names
from dam.people.ledger import PREFIX
from dam.people.state import PRODUCERS, in_library, withdraw_faces
from dam.tables import (
    Asset,
    FaceDecision,
    FaceRow,
    FaceVerdict,
    Library,
    Person,
    Preference,
    Run,
    RunState,
    TextField,
    TextRow,
    Undo,
)

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from dam.db import Database

NOTICE = (
    "For every face that is found dam keeps its place in the picture, a small picture of it and a "
    "template, a list of numbers by which faces are compared. All of it stays in dam's database on "
    "this machine and is never sent anywhere. Templates are biometric data: where the law asks for "
    "it, those who are shown must agree. You can delete a person, or everything, at any time."
)
PREFERENCES = ("people_version", "people_grouped")


@dataclass(frozen=True, slots=True)
class Forgotten:
    removed: bool  # False: nothing happened yet, this is what would
    people: int
    faces: int
    copies: list[str]  # of the database, made before an upgrade, that still hold faces


@dataclass(frozen=True, slots=True)
class FacesSwitch:
    id: str  # of the library
    name: str
    faces: bool
    planned: int  # assets to look at
    kept: int  # faces that stay, and whose assets lie in no library that looks for faces
    message: str


@dataclass(frozen=True, slots=True)
class Stored:
    faces: int
    templates: int
    people: int
    decisions: int


def stored(session: Session) -> Stored:
    def count(of: type[FaceRow | FaceDecision | Person], *conditions: ColumnElement[bool]) -> int:
        return session.scalar(select(func.count()).select_from(of).where(*conditions)) or 0

    return Stored(
        faces=count(FaceRow),
        templates=count(FaceRow, FaceRow.template.is_not(None)),
        people=count(Person),
        decisions=count(FaceDecision),
    )


def switch_faces(database: Database, library: Library, *, on: bool) -> FacesSwitch:
    """Lets faces be looked for in a library, or stops that; whoever calls plans the runs.

    Stopping takes back what has not been looked at, and keeps what was found.
    """
    with database.write() as session:
        row = session.get_one(Library, library.id)
        row.faces = on
        session.flush()
        withdraw_faces(session)
        looked_at = exists().where(
            Run.asset_id == Asset.id,
            Run.revision == Asset.revision,
            Run.state == RunState.DONE,
            Run.producer_id.in_(PRODUCERS),
        )
        planned = session.scalar(
            select(func.count())
            .select_from(Asset)
            .where(Asset.kind.in_(["photo", "video"]), in_library(Library.id == row.id), ~looked_at)
        )
        kept = session.scalar(
            select(func.count())
            .select_from(FaceRow)
            .join(Asset, Asset.id == FaceRow.asset_id)
            .where(~in_library(Library.faces.is_(True)))
        )
        if on:
            message = f"Faces are looked for in “{row.name}” from now on. {NOTICE}"
        else:
            message = (
                f"Faces are not looked for in “{row.name}” any more. {kept or 0} faces that were "
                "found stay, with the names that were given. Delete a person, or everything about "
                "faces (dam people forget), to remove them."
            )
        return FacesSwitch(row.id, row.name, on, (planned or 0) if on else 0, kept or 0, message)


def forget_person(database: Database, person_id: str, *, confirmed: bool) -> Forgotten:
    """Deletes somebody with name, decisions, templates and pictures. Raises `NotFound`.

    Their places in the pictures stay noted, so that indexing again does not bring the faces back.
    """
    with database.read() as session:
        person = session.get(Person, person_id)
        if person is None:
            raise NotFound(f"There is no person {person_id}.")
        faces = _face_count(session, person_id)
    if not confirmed:
        return Forgotten(False, 1, faces, copies_with_faces(database))
    with database.write() as session:
        rows = session.scalars(select(FaceRow).where(FaceRow.person_id == person_id)).all()
        said = session.scalars(
            select(FaceDecision).where(
                FaceDecision.person_id == person_id, FaceDecision.verdict.in_(HERS)
            )
        ).all()
        spots = dict.fromkeys([*map(Spot.of, rows), *map(Spot.of, said)])
        assets = {spot.asset_id for spot in spots}
        session.execute(delete(FaceRow).where(FaceRow.person_id == person_id))
        session.execute(delete(FaceDecision).where(FaceDecision.person_id == person_id))
        session.execute(delete(Person).where(Person.id == person_id))
        session.add_all(
            FaceDecision(
                asset_id=spot.asset_id, at_us=spot.at_us, left=spot.left, top=spot.top,
                width=spot.width, height=spot.height, verdict=FaceVerdict.FORGOTTEN,
            )
            for spot in spots
        )  # fmt: skip
        session.execute(delete(Undo).where(Undo.id.startswith(PREFIX)))
        renew_names(session, assets)
        regroup_faces(session)
    database.overwrite_deleted()
    return Forgotten(True, 1, faces, copies_with_faces(database))


def forget_everybody(database: Database, *, confirmed: bool) -> Forgotten:
    """Deletes all faces, people and decisions about them, and looks for faces nowhere any more."""
    with database.read() as session:
        found = stored(session)
    if not confirmed:
        return Forgotten(False, found.people, found.faces, copies_with_faces(database))
    with database.write() as session:
        session.execute(update(Library).values(faces=False))
        for table in (FaceRow, FaceDecision, Person):
            session.execute(delete(table))
        # The runs as well: a worker that holds one may not store what it finds.
        session.execute(delete(Run).where(Run.producer_id.in_(PRODUCERS)))
        session.execute(delete(TextRow).where(TextRow.field == TextField.PERSON))
        session.execute(delete(Undo).where(Undo.id.startswith(PREFIX)))
        session.execute(delete(Preference).where(Preference.key.in_(PREFERENCES)))
    database.overwrite_deleted()
    return Forgotten(True, found.people, found.faces, copies_with_faces(database))


def copies_with_faces(database: Database) -> list[str]:
    """Copies that upgrades made of the database, and in which faces are kept: a person's to
    delete, since with them an older dam can be put back."""
    found = []
    for path in sorted((database.path.parent / "backups").glob("*.sqlite3")):
        try:
            with closing(sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True)) as copy:
                if copy.execute("SELECT 1 FROM faces LIMIT 1").fetchone():
                    found.append(str(path))
        except sqlite3.Error:
            continue  # of a dam that knew no faces, or no database
    return found


def _face_count(session: Session, person_id: str) -> int:
    rows = select(func.count()).select_from(FaceRow).where(FaceRow.person_id == person_id)
    boxes = (
        select(func.count())
        .select_from(FaceDecision)
        .where(
            FaceDecision.person_id == person_id,
            FaceDecision.verdict == FaceVerdict.DRAWN,
        )
    )
    return (session.scalar(rows) or 0) + (session.scalar(boxes) or 0)
