"""Everybody with all of their faces and where those lie, as `dam people list` prints it."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from dam.findings import Box
from dam.library.names import display_of
from dam.people.faces import face_id
from dam.people.reading import Who, people_cards
from dam.tables import Asset, FaceDecision, FaceRow, FaceVerdict, File, FileState, Library

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from dam.db import Database


@dataclass(frozen=True, slots=True)
class ListedFace:
    face_id: str
    asset_id: str
    path: str  # absolute, for people
    box: Box
    at_s: float | None


@dataclass(frozen=True, slots=True)
class ListedPerson:
    person_id: str
    name: str | None
    faces: list[ListedFace]


def listed_people(database: Database, who: Who = Who.ALL) -> list[ListedPerson]:
    with database.read() as session:
        cards = people_cards(session, who)
        rows: list[FaceRow | FaceDecision] = list(
            session.scalars(
                select(FaceRow)
                .join(Asset, Asset.id == FaceRow.asset_id)
                .where(FaceRow.person_id.is_not(None), Asset.trashed_us.is_(None))
                .order_by(FaceRow.asset_id, FaceRow.start_us, FaceRow.left)
            )
        )
        rows += session.scalars(
            select(FaceDecision)
            .join(Asset, Asset.id == FaceDecision.asset_id)
            .where(FaceDecision.verdict == FaceVerdict.DRAWN, Asset.trashed_us.is_(None))
        )
        paths = _paths(session)
    faces: dict[str, list[ListedFace]] = defaultdict(list)
    for row in rows:
        faces[row.person_id or ""].append(
            ListedFace(
                face_id(row),
                row.asset_id,
                paths.get(row.asset_id, ""),
                Box(row.left, row.top, row.width, row.height),
                None if row.at_us is None else row.at_us / 1e6,
            )
        )
    return [ListedPerson(card.id, card.name, faces[card.id]) for card in cards]


def _paths(session: Session) -> dict[str, str]:
    """One file of each asset with faces, present ones first."""
    with_faces = select(FaceRow.asset_id).union(select(FaceDecision.asset_id))
    rows = session.execute(
        select(File.asset_id, Library.root, File.path)
        .join(Library)
        .where(File.asset_id.in_(with_faces))
        .order_by(File.state != FileState.PRESENT, File.id)
    )
    found: dict[str, str] = {}
    for asset_id, root, path in rows:
        if asset_id is not None and asset_id not in found:
            found[asset_id] = display_of(os.fsencode(Path(os.fsdecode(root)) / os.fsdecode(path)))
    return found
