"""What people say of groups of copies: kept by pair, so that no re-run asks again.

Works inside the caller's write session. `dam.duplicates.groups` leaves out what was decided.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from dam.duplicates.groups import pair_of
from dam.errors import BadRequest, NotFound
from dam.tables import Asset, PairDecision, PairVerdict, now_us

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

MOST = 200  # assets of one decision: every pair of them is a row


def decide(session: Session, asset_ids: Sequence[str], verdict: PairVerdict | None) -> None:
    """Says it of every two of these assets, of a single one of its files; None forgets.

    Raises `NotFound` for an unknown asset, `BadRequest` for none or too many.
    """
    distinct = known(session, asset_ids)
    pairs = {pair_of(*pair) for pair in combinations(distinct, 2)} or {(distinct[0], distinct[0])}
    session.execute(
        delete(PairDecision).where(
            PairDecision.one_id.in_(distinct), PairDecision.other_id.in_(distinct)
        )
    )
    if verdict is not None:
        rows = [
            {"one_id": one, "other_id": other, "verdict": verdict, "decided_us": now_us()}
            for one, other in sorted(pairs)
        ]
        session.execute(insert(PairDecision), rows)


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
