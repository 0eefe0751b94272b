"""What people say of groups of copies: kept by pair, so that no re-run asks again.

`dam.duplicates.groups` leaves out what was decided. Nothing here deletes a file: what is moved to
the trash can be restored.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from dam.changes import AssetChange, Changed, change_each
from dam.duplicates.groups import pair_of
from dam.edits import EditField
from dam.errors import BadRequest, NotFound
from dam.library.stacks import Stacker
from dam.tables import (
    Asset,
    PairDecision,
    PairVerdict,
    TagDecision,
    TagRow,
    TagSource,
    Verdict,
    now_us,
)

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
) -> None:
    """Says it of every two of these assets, or of the files of a single one; None forgets.

    Works inside the caller's write session. `cover_id`: of what is stacked, the asset shown for
    all. Raises `NotFound` for an unknown asset, `BadRequest` for none or too many.
    """
    distinct = known(session, asset_ids)
    if verdict is PairVerdict.STACKED and (len(distinct) < 2 or cover_id not in distinct):
        raise BadRequest("A stack has two assets or more, and one of them is shown for all.")
    pairs = {pair_of(*pair) for pair in combinations(distinct, 2)} or {(distinct[0], distinct[0])}
    session.execute(
        delete(PairDecision).where(
            PairDecision.one_id.in_(distinct), PairDecision.other_id.in_(distinct)
        )
    )
    if verdict is not None:
        said = {"verdict": verdict, "cover_id": cover_id, "decided_us": now_us()}
        rows = [{"one_id": one, "other_id": other, **said} for one, other in sorted(pairs)]
        session.execute(insert(PairDecision), rows)
    Stacker().restack(session, distinct)


def trash_copies(
    database: Database, keeper_id: str, asset_ids: Sequence[str], *, merge: bool
) -> Changed:
    """Moves copies to the trash, after (`merge`) giving the keeper what it lacks of theirs.

    Undone as one by `undo_change`. Raises `NotFound` and `BadRequest` as `decide` does.
    """
    with database.read() as session:
        copies = [each for each in known(session, [keeper_id, *asset_ids]) if each != keeper_id]
        if not copies:
            raise BadRequest("Name the copies that shall go, beside the one to keep.")
        gained = _lacking(session, keeper_id, copies) if merge else AssetChange()
    changes: list[tuple[Sequence[str], AssetChange]] = [(copies, AssetChange(trashed=True))]
    if gained.values:
        changes.append(([keeper_id], gained))
    return change_each(database, changes)


def _lacking(session: Session, keeper_id: str, copy_ids: Sequence[str]) -> AssetChange:
    """Title, caption and rating where the keeper has none, and all tags that somebody gave."""
    keeper = session.get_one(Asset, keeper_id)
    copies = list(session.scalars(select(Asset).where(Asset.id.in_(copy_ids)).order_by(Asset.id)))
    fields: dict[EditField, str | int | None] = {}
    for field in EditField:
        values = [getattr(copy, field) for copy in copies if getattr(copy, field)]
        if values and not getattr(keeper, field):
            fields[field] = max(values) if field is EditField.RATING else values[0]
    decided = select(TagDecision.word).where(TagDecision.asset_id == keeper_id)
    has = _words(session, [keeper_id]) | set(session.scalars(decided))  # rejected stays rejected
    words = dict.fromkeys(sorted(_words(session, copy_ids) - has), Verdict.APPROVED)
    return AssetChange(fields, words)


def _words(session: Session, asset_ids: Sequence[str]) -> set[str]:
    """Keywords of files and approved tags."""
    words = set(
        session.scalars(
            select(TagRow.word).where(
                TagRow.asset_id.in_(asset_ids), TagRow.source == TagSource.FILE
            )
        )
    )
    approved = select(TagDecision.word).where(
        TagDecision.asset_id.in_(asset_ids), TagDecision.verdict == Verdict.APPROVED
    )
    return words | set(session.scalars(approved))


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
