"""What a person changes on one asset or on many at once, and how it is undone.

A change names only what shall be different. Changing many keeps, for a while, what exactly each of
them had before: `undo_change` puts that back and nothing else. Works inside the caller's write
session, so that a change is done to all of its assets or to none.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from dam.edits import EditField, Value, Written, cleaned, write_edits
from dam.errors import BadRequest, NotFound
from dam.tables import Asset, Undo, Verdict, now_us
from dam.tagging import Decided, cleaned_word, write_verdicts
from dam.trash import move_to_trash, restore, write_trash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

UNDO_US = 24 * 3600 * 1_000_000  # how long a change can be undone
# Tags times assets in one change. More would keep everybody else from writing for over half a
# minute, and writers give up after one.
MOST_VERDICTS = 500_000
UNDOS = 50  # kept at most; one of 100,000 assets takes a few megabytes


@dataclass(frozen=True, slots=True)
class AssetChange:
    """What is wanted of an asset; whatever is not named stays as it is."""

    fields: Mapping[EditField, Value] = field(default_factory=dict)  # None: take the edit back
    verdicts: Mapping[str, Verdict | None] = field(default_factory=dict)  # by word
    trashed: bool | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    changed: int  # assets that are different now
    undo: str  # what `undo_change` wants


@dataclass(slots=True)
class Before:
    """What the assets that a change touched had before it; None: nothing."""

    fields: dict[str, dict[str, Written | None]] = field(default_factory=dict)
    verdicts: dict[str, dict[str, Decided | None]] = field(default_factory=dict)
    trashed: dict[str, int | None] = field(default_factory=dict)

    @property
    def asset_ids(self) -> set[str]:
        touched = set(self.trashed)
        touched.update(*self.fields.values(), *self.verdicts.values())
        return touched


def change_asset(session: Session, asset_id: str, change: AssetChange) -> None:
    """Raises `NotFound` for an unknown asset and `BadRequest` for a value that cannot be one."""
    if session.scalar(select(Asset.id).where(Asset.id == asset_id)) is None:
        raise NotFound(f"There is no asset {asset_id}.")
    _change(session, [asset_id], change)


def change_many(session: Session, asset_ids: Sequence[str], change: AssetChange) -> Changed:
    """Unknown assets are passed over. Raises `BadRequest` for a value that cannot be one, and for
    more tags on more assets than `MOST_VERDICTS`."""
    distinct = list(dict.fromkeys(asset_ids))
    if len(distinct) * len(change.verdicts) > MOST_VERDICTS:
        raise BadRequest(
            f"{len(change.verdicts):,} tags on {len(distinct):,} assets are too many for one "
            f"change; at most {MOST_VERDICTS // len(distinct):,} tags at once fit so many assets."
        )
    before = _change(session, distinct, change)
    _forget_old_undos(session)
    undo = Undo(before=_pack(before))
    session.add(undo)
    session.flush()
    return Changed(len(before.asset_ids), undo.id)


def undo_change(session: Session, undo_id: str) -> int:
    """Puts back what was before, once; returns how many assets changed. Raises `NotFound`."""
    undo = session.get(Undo, undo_id)
    if undo is None:
        hours = UNDO_US // 3_600_000_000
        raise NotFound(
            "This change cannot be undone any more: it was undone already, is older than "
            f"{hours} hours, or {UNDOS} others came after it."
        )
    before = _unpack(undo.before)
    session.delete(undo)
    now = Before(
        fields={
            name: write_edits(session, EditField(name), wanted)
            for name, wanted in before.fields.items()
        },
        verdicts={
            word: write_verdicts(session, word, wanted) for word, wanted in before.verdicts.items()
        },
        trashed=write_trash(session, before.trashed),
    )
    return len(now.asset_ids)


def _change(session: Session, asset_ids: Sequence[str], change: AssetChange) -> Before:
    at_us = now_us()
    before = Before()
    for name, value in change.fields.items():
        wish = None if value is None else Written(cleaned(name, value), at_us)
        before.fields[name] = write_edits(session, name, dict.fromkeys(asset_ids, wish))
    for word, verdict in change.verdicts.items():
        said = None if verdict is None else Decided(verdict, at_us)
        wanted = dict.fromkeys(asset_ids, said)
        kept = cleaned_word(word)
        # The word may come twice, spaced differently: what was before the first one counts.
        before.verdicts[kept] = write_verdicts(session, kept, wanted) | before.verdicts.get(
            kept, {}
        )
    if change.trashed is not None:
        before.trashed = (move_to_trash if change.trashed else restore)(session, asset_ids)
    return before


def _forget_old_undos(session: Session) -> None:
    newest = select(Undo.id).order_by(Undo.created_us.desc(), Undo.id).limit(UNDOS - 1)
    is_old = Undo.created_us < now_us() - UNDO_US
    session.execute(
        delete(Undo)
        .where(is_old | Undo.id.not_in(newest))
        .execution_options(synchronize_session=False)
    )


def _pack(before: Before) -> bytes:
    plain = {
        "fields": {
            name: {id_: had and (had.value, had.decided_us) for id_, had in part.items()}
            for name, part in before.fields.items()
        },
        "verdicts": {
            word: {id_: had and (had.verdict, had.decided_us) for id_, had in part.items()}
            for word, part in before.verdicts.items()
        },
        "trashed": before.trashed,
    }
    return zlib.compress(json.dumps(plain, separators=(",", ":")).encode(), 1)


def _unpack(packed: bytes) -> Before:
    plain = json.loads(zlib.decompress(packed))
    return Before(
        fields={
            name: {id_: had and Written(*had) for id_, had in part.items()}
            for name, part in plain["fields"].items()
        },
        verdicts={
            word: {id_: had and Decided(Verdict(had[0]), had[1]) for id_, had in part.items()}
            for word, part in plain["verdicts"].items()
        },
        trashed=plain["trashed"],
    )
