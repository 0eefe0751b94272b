"""Titles, captions, ratings and labels that a person wrote over what the file says.

An edit belongs to (asset, field), like a decision about a tag: reading the file again only renews
what would show without it. The asset's own column holds what is shown, so that lists, filters and
searches need not know of edits. Works inside the caller's write session.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from dam import store
from dam.errors import BadRequest
from dam.tables import Asset, Edit, TextField

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

Value = str | int | None


class EditField(StrEnum):
    """Columns of `Asset` that a person may write over."""

    TITLE = "title"
    CAPTION = "caption"
    RATING = "rating"
    LABEL = "label"


TEXTS = {EditField.TITLE: TextField.TITLE, EditField.CAPTION: TextField.CAPTION}
MOST_CHARACTERS = {EditField.TITLE: 500, EditField.CAPTION: 10_000, EditField.LABEL: 100}


@dataclass(frozen=True, slots=True)
class Written:
    value: Value  # None: there is none, whatever the file says
    decided_us: int


def cleaned(field: EditField, value: str | int) -> Value:
    """What is stored of what was typed; None for an empty text. Raises `BadRequest`."""
    if isinstance(value, int):
        return value
    text = value.replace("\0", "").strip()
    if field is EditField.TITLE:
        text = " ".join(text.split())
    if len(text) > MOST_CHARACTERS[field]:
        most = MOST_CHARACTERS[field]
        raise BadRequest(f"A {field} has at most {most:,} characters, not {len(text):,}.")
    return text or None


def edited_fields(session: Session, asset_id: str) -> list[str]:
    return list(
        session.scalars(select(Edit.field).where(Edit.asset_id == asset_id).order_by(Edit.field))
    )


def write_edits(
    session: Session, field: EditField, wanted: Mapping[str, Written | None]
) -> dict[str, Written | None]:
    """Gives assets (at most a few thousand) their edits of a field, or (None) takes them back, so
    that the file is heard.

    Returns what those that changed had before; unknown assets are passed over.
    """
    session.flush()
    before: dict[str, Written | None] = {}
    shown: dict[str, Value] = {}
    taken_back: list[int] = []
    renewed: list[dict[str, Any]] = []
    new: list[dict[str, Any]] = []
    for row in _current(session, field, list(wanted)):
        had = None if row.edit_id is None else Written(row.value, row.decided_us)
        wish = wanted[row.asset_id]
        if _say_the_same(had, wish):
            continue
        before[row.asset_id] = had
        shown[row.asset_id] = row.file_value if wish is None else wish.value
        if wish is None:
            taken_back.append(row.edit_id)
        elif had is None:
            new.append(
                {
                    "asset_id": row.asset_id,
                    "field": field,
                    "file_value": row.shown,
                    "value": wish.value,
                    "decided_us": wish.decided_us,
                }
            )
        else:
            renewed.append(
                {"edit_id": row.edit_id, "new_value": wish.value, "new_us": wish.decided_us}
            )
    _store(session, taken_back, renewed, new)
    _show(session, field, shown)
    session.expire_all()  # the statements went past the objects of the session
    return before


def keep_edits(session: Session, asset: Asset) -> None:
    """Lets edits win again over an asset that was just filled with what its file says."""
    for edit in session.scalars(select(Edit).where(Edit.asset_id == asset.id)).all():
        edit.file_value = getattr(asset, edit.field)
        setattr(asset, edit.field, edit.value)


def _say_the_same(one: Written | None, other: Written | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.value == other.value


def _current(session: Session, field: EditField, asset_ids: list[str]) -> Sequence[Row[Any]]:
    return session.execute(
        select(
            Asset.id.label("asset_id"),
            getattr(Asset, field).label("shown"),
            Edit.id.label("edit_id"),
            Edit.value,
            Edit.file_value,
            Edit.decided_us,
        )
        .outerjoin(Edit, (Edit.asset_id == Asset.id) & (Edit.field == field))
        .where(Asset.id.in_(asset_ids))
    ).all()


def _store(
    session: Session,
    taken_back: list[int],
    renewed: list[dict[str, Any]],
    new: list[dict[str, Any]],
) -> None:
    connection = session.connection()
    connection.execute(delete(Edit).where(Edit.id.in_(taken_back)))
    if renewed:
        by_id = Edit.id == bindparam("edit_id")
        values: dict[str, Any] = {
            "value": bindparam("new_value"),
            "decided_us": bindparam("new_us"),
        }
        connection.execute(update(Edit).where(by_id).values(values), renewed)
    if new:
        connection.execute(insert(Edit), new)


def _show(session: Session, field: EditField, shown: Mapping[str, Value]) -> None:
    if not shown:
        return
    session.connection().execute(
        update(Asset)
        .where(Asset.id == bindparam("asset_id"))
        .values({field.value: bindparam("shown")}),
        [{"asset_id": asset_id, "shown": value} for asset_id, value in shown.items()],
    )
    if field in TEXTS:
        bodies = {asset_id: str(value or "") for asset_id, value in shown.items()}
        store.replace_field_texts(session, TEXTS[field], bodies)
