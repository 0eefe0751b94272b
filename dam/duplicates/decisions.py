"""What people say of groups of copies: kept by pair, so that no re-run asks again.

`dam.duplicates.groups` leaves out what was decided. Nothing here deletes a file: what is moved to
the trash can be restored, and every decision can be undone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from dam.changes import AssetChange, Before, Changed, change_each, undo_change
from dam.duplicates.merging import carry_faces, lacking
from dam.duplicates.pairs import PREFIX, Said, keep_undo, pairs_of, undo_pairs, write_pairs
from dam.errors import BadRequest, NotFound
from dam.tables import Asset, PairVerdict, now_us

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from dam.db import Database

MOST = 200  # assets of one decision: every pair of them is a row


def decide(
    session: Session,
    asset_ids: Sequence[str],
    verdict: PairVerdict | None,
    *,
    cover_id: str | None = None,
) -> Changed:
    """Says it of every two of these assets, or of the files of a single one; None forgets.

    Works inside the caller's write session. `cover_id`: of what is stacked, the asset shown for
    all. Undone by `undo`. Raises `NotFound` for an unknown asset, `BadRequest` for none or too
    many.
    """
    distinct = known(session, asset_ids)
    if verdict is PairVerdict.STACKED and (len(distinct) < 2 or cover_id not in distinct):
        raise BadRequest("A stack has two assets or more, and one of them is shown for all.")
    at_us = now_us()
    wanted = [
        Said(*pair, verdict, cover_id, at_us) for pair in pairs_of(distinct) if verdict is not None
    ]
    before = write_pairs(session, distinct, wanted)
    return Changed(len(distinct), keep_undo(session, distinct, before))


def trash_copies(
    database: Database, keeper_id: str, asset_ids: Sequence[str], *, merge: bool
) -> Changed:
    """Moves copies to the trash, after (`merge`) giving the keeper what it lacks of theirs.

    Undone as one by `undo`. Raises `NotFound` and `BadRequest` as `decide` does.
    """
    with database.read() as session:
        copies = [each for each in known(session, [keeper_id, *asset_ids]) if each != keeper_id]
        if not copies:
            raise BadRequest("Name the copies that shall go, beside the one to keep.")
        gained = lacking(session, keeper_id, copies) if merge else AssetChange()
    changes: list[tuple[Sequence[str], AssetChange]] = [(copies, AssetChange(trashed=True))]
    if gained.values:
        changes.append(([keeper_id], gained))

    def faces(session: Session, at_us: int) -> Before:
        return carry_faces(session, keeper_id, copies, at_us)

    return change_each(database, changes, faces if merge else None)


def undo(database: Database, undo_id: str) -> int:
    """Takes any change of this package back, once; returns how much is as it was.

    Raises `NotFound` when it cannot be undone any more.
    """
    undone = undo_pairs if undo_id.startswith(PREFIX) else undo_change
    return undone(database, undo_id)


def known(session: Session, asset_ids: Sequence[str]) -> list[str]:
    """These assets, each once. Raises as `decide` does."""
    distinct = list(dict.fromkeys(asset_ids))
    if not 1 <= len(distinct) <= MOST:
        raise BadRequest(f"Name 1 to {MOST} assets, not {len(distinct)}.")
    found = set(session.scalars(select(Asset.id).where(Asset.id.in_(distinct))))
    for asset_id in distinct:
        if asset_id not in found:
            raise NotFound(f"There is no asset {asset_id}.")
    return distinct
