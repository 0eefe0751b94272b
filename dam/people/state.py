"""Whether faces have been looked for in an asset."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from dam.tables import Asset, FaceRow, File, FileState, Library, ProducerRow, Run, RunState

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session


PRODUCERS = select(ProducerRow.id).where(ProducerRow.indexer == "faces")


class FaceState(StrEnum):
    OFF = "off"  # no library of the asset looks for faces
    WAITING = "waiting"  # for a model
    PENDING = "pending"
    FAILED = "failed"
    DONE = "done"


def face_state(session: Session, asset: Asset) -> tuple[FaceState, str | None]:
    """What was looked for stays, also where it is switched off by now. Knows no models: who does
    may turn pending into waiting."""
    run = session.execute(
        select(Run.state, Run.error)
        .join(ProducerRow)
        .where(
            Run.asset_id == asset.id,
            Run.revision == asset.revision,
            ProducerRow.indexer == "faces",
            Run.state != RunState.PENDING,
        )
        .order_by(Run.id.desc())
        .limit(1)
    ).first()
    if run is not None:
        if run.state == RunState.DONE:
            return FaceState.DONE, None
        if run.state in (RunState.FAILED, RunState.QUARANTINED):
            return FaceState.FAILED, run.error
        return FaceState.PENDING, None
    wanted = select(Asset.id).where(Asset.id == asset.id, in_library(Library.faces.is_(True)))
    is_on = session.scalar(wanted) is not None and asset.kind != "audio"
    return (FaceState.PENDING if is_on else FaceState.OFF), None


def in_library(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Of an asset: it can be read now, in a library that meets the condition."""
    return (
        select(File.id)
        .join(Library)
        .where(File.asset_id == Asset.id, File.state == FileState.PRESENT, condition)
        .exists()
    )


def withdraw_faces(session: Session) -> None:
    """Takes back the work that no library wants any more; what was found before stays."""
    unwanted = (
        Run.state == RunState.PENDING,
        Run.producer_id.in_(PRODUCERS),
        Run.asset_id.in_(select(Asset.id).where(~in_library(Library.faces.is_(True)))),
    )
    # Its findings go with a run: one that was to be done again counts as done instead.
    with_findings = Run.id.in_(select(FaceRow.run_id))
    again = update(Run).where(*unwanted, with_findings).values(state=RunState.DONE)
    for statement in (again, delete(Run).where(*unwanted)):
        session.execute(statement.execution_options(synchronize_session=False))
