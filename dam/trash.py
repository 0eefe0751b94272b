"""The trash: assets, and single copies of them, that a person does not want to see until they are
restored.

Nothing is ever deleted: the originals stay where they are, and so does all that is known of them.
A copy is one file of an asset that lies elsewhere too. While it is in the trash the asset is not
found in that place; the file still counts as one it can be read from when no other can.
Works inside the caller's write session, on a few thousand assets at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import aliased

from dam.tables import Asset, File, FileState, Stack

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session


def in_trash() -> ColumnElement[bool]:
    return Asset.trashed_us.is_not(None)


def not_in_trash() -> ColumnElement[bool]:
    return Asset.trashed_us.is_(None)


def trashed_ids(session: Session) -> set[str]:
    return set(session.scalars(select(Asset.id).where(in_trash())))


def move_to_trash(session: Session, asset_ids: Sequence[str], at_us: int) -> dict[str, int | None]:
    """Returns what changed: (asset id: None). Covers take their whole stacks along."""
    mates = _mates(aliased(Asset), asset_ids).where(not_in_trash())
    known = _trash_times(session, {*asset_ids, *session.scalars(mates)})
    wanted = {asset_id: at_us for asset_id, trashed_us in known.items() if trashed_us is None}
    return write_trash(session, wanted)


def restore(session: Session, asset_ids: Sequence[str]) -> dict[str, int | None]:
    """Returns what changed: when each was trashed. Covers bring back what they took along."""
    cover = aliased(Asset)
    mates = _mates(cover, asset_ids).add_columns(Asset.trashed_us, cover.trashed_us)
    # Compared here: SQLite would look for each cover through all that was trashed with it.
    together = {
        asset_id
        for asset_id, trashed_us, cover_us in session.execute(mates)
        if trashed_us == cover_us
    }
    return write_trash(session, dict.fromkeys({*asset_ids, *together}))


def write_trash(session: Session, wanted: Mapping[str, int | None]) -> dict[str, int | None]:
    """Sets when assets were trashed (µs) or that they are not (None).

    Returns what those that changed had before; unknown assets are passed over.
    """
    session.flush()
    known = _trash_times(session, wanted)
    before = {asset_id: had for asset_id, had in known.items() if had != wanted[asset_id]}
    if before:
        session.connection().execute(
            update(Asset)
            .where(Asset.id == bindparam("asset_id"))
            .values(trashed_us=bindparam("at_us")),
            [{"asset_id": asset_id, "at_us": wanted[asset_id]} for asset_id in before],
        )
        session.expire_all()
    return before


def write_file_trash(session: Session, wanted: Mapping[int, int | None]) -> dict[int, int | None]:
    """`write_trash` for files, by their ids."""
    session.flush()
    rows = session.execute(select(File.id, File.trashed_us).where(File.id.in_(wanted)))
    before = {file_id: had for file_id, had in rows if had != wanted[file_id]}
    for file_id in before:
        session.execute(update(File).where(File.id == file_id).values(trashed_us=wanted[file_id]))
    session.expire_all()
    return before


def bring_back_last_files(session: Session) -> None:
    """Takes files out of the trash whose assets lie nowhere else any more."""
    other = aliased(File)
    elsewhere = select(other.id).where(
        other.asset_id == File.asset_id,
        other.state == FileState.PRESENT,
        other.trashed_us.is_(None),
    )
    session.execute(
        update(File)
        .where(File.trashed_us.is_not(None), ~elsewhere.exists())
        .values(trashed_us=None)
        .execution_options(synchronize_session=False)
    )


def _mates(cover: type[Asset], cover_ids: Sequence[str]) -> Select[str]:
    """The other members of the stacks that these assets stand for."""
    return (
        select(Asset.id)
        .join(cover, cover.stack_id == Asset.stack_id)
        .join(Stack, (Stack.id == cover.stack_id) & (Stack.cover_id == cover.id))
        .where(cover.id.in_(cover_ids), Asset.id != cover.id)
    )


def _trash_times(session: Session, asset_ids: Collection[str]) -> dict[str, int | None]:
    rows = session.execute(select(Asset.id, Asset.trashed_us).where(Asset.id.in_(asset_ids)))
    return {asset_id: trashed_us for asset_id, trashed_us in rows}
