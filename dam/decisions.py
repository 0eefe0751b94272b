"""What people said of one asset, whichever table holds it: no removal and no parting loses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, exists, insert, or_, select

from dam.tables import Asset, Edit, FaceDecision, LineEdit, TagDecision

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

TABLES = (Edit, TagDecision, LineEdit, FaceDecision)
OWN = ("id", "asset_id")  # not copied


def is_decided() -> ColumnElement[bool]:
    """Of the asset of the query around it; that it belongs in the trash is a decision too."""
    said = [exists().where(table.asset_id == Asset.id) for table in TABLES]
    return or_(*said, Asset.trashed_us.is_not(None))


def copy_decisions(session: Session, source: Asset, target: Asset) -> None:
    """For an asset that continues another one; `keep_edits` makes the edits show."""
    target.trashed_us = source.trashed_us
    session.flush()
    for table in TABLES:
        columns = [column for column in table.__table__.columns if column.name not in OWN]
        rows = session.execute(select(*columns).where(table.asset_id == source.id)).mappings()
        copies = [{**row, "asset_id": target.id} for row in rows]
        if copies:
            session.execute(insert(table), copies)
