"""What was said of every two assets, as rows, and how that is put back."""

from __future__ import annotations

import json
import zlib
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, insert, select

from dam.changes import UNDO_US, forget_old_undos, is_young
from dam.errors import NotFound
from dam.library.stacks import Stacker
from dam.tables import Asset, PairDecision, Undo, new_id, now_us

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from dam.db import Database

PREFIX = "pairs-"  # of the undos that are these


class Said(NamedTuple):
    one_id: str
    other_id: str
    verdict: str
    cover_id: str | None
    decided_us: int


def pair_of(one_id: str, other_id: str) -> tuple[str, str]:
    return (one_id, other_id) if one_id <= other_id else (other_id, one_id)


def pairs_of(asset_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Every two of them; a single one stands for its own files."""
    pairs = {pair_of(*pair) for pair in combinations(asset_ids, 2)}
    return sorted(pairs) or [(asset_ids[0], asset_ids[0])]


def write_pairs(session: Session, asset_ids: Sequence[str], wanted: Sequence[Said]) -> list[Said]:
    """Replaces all that was said of these assets among themselves; returns what was."""
    pairs = set(pairs_of(asset_ids))
    inside = (PairDecision.one_id.in_(asset_ids), PairDecision.other_id.in_(asset_ids))
    before = [
        Said(row.one_id, row.other_id, row.verdict, row.cover_id, row.decided_us)
        for row in session.scalars(select(PairDecision).where(*inside))
        if (row.one_id, row.other_id) in pairs
    ]
    for said in before:
        session.execute(
            delete(PairDecision).where(
                PairDecision.one_id == said.one_id, PairDecision.other_id == said.other_id
            )
        )
    if wanted:
        session.execute(insert(PairDecision), [said._asdict() for said in wanted])
    Stacker().restack(session, asset_ids)
    return before


def keep_undo(session: Session, asset_ids: Sequence[str], before: Sequence[Said]) -> str:
    """Remembers what was; returns what `undo_pairs` wants."""
    forget_old_undos(session)
    packed = zlib.compress(json.dumps({"ids": list(asset_ids), "said": list(before)}).encode())
    undo = Undo(id=f"{PREFIX}{new_id()}", created_us=now_us(), before=packed)
    session.add(undo)
    return undo.id


def undo_pairs(database: Database, undo_id: str) -> int:
    """Puts back what was said before, once; returns of how many assets. Raises `NotFound`."""
    with database.write() as session:
        undo = session.scalars(select(Undo).where(Undo.id == undo_id, is_young())).one_or_none()
        if undo is None:
            hours = UNDO_US // 3_600_000_000
            raise NotFound(
                "This decision cannot be undone any more: it was undone already, or is older than "
                f"{hours} hours. What is said of copies can be forgotten: dam duplicates reset."
            )
        plain = json.loads(zlib.decompress(undo.before))
        known = set(session.scalars(select(Asset.id).where(Asset.id.in_(plain["ids"]))))
        said = [Said(*each) for each in plain["said"]]
        session.delete(undo)
        asset_ids = [each for each in plain["ids"] if each in known]
        if asset_ids:
            there = [each for each in said if {each.one_id, each.other_id} <= known]
            write_pairs(session, asset_ids, there)
    return len(asset_ids)
