"""What a person changes on one asset or on many at once, and how it is undone.

A change names only what shall be different. Changing many keeps, for a while, what exactly each of
them had before: `undo_change` puts that back and nothing else. Both go part by part, each in a
transaction of its own, so that indexing and other people go on meanwhile. After a kill in between,
the parts that were done stay done: the same again does the rest.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from dam.edits import EditField, Value, Written, cleaned, write_edits
from dam.errors import BadRequest, NotFound
from dam.tables import Asset, FaceDecision, Preference, Undo, Verdict, new_id, now_us
from dam.tagging import Decided, cleaned_word, write_verdicts
from dam.taught import write_taught
from dam.trash import move_to_trash, restore, write_file_trash, write_trash
from dam.vocabulary import Entry, write_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from dam.db import Database
    from dam.vocabulary import Wanted

UNDO_US = 24 * 3600 * 1_000_000  # how long a change can be undone
# Values that are written in one transaction. More: others wait for seconds, since a title or a
# caption of 1,000 assets takes a tenth of one; fewer: a large change has many commits to wait for.
AT_ONCE = 2_000
# Tags times assets in one change. More would take minutes, and no page waits so long.
MOST_VERDICTS = 500_000
FACES_SAID = "people_version"  # a preference that changes with all that is said of faces
UNDOS = 50  # changes that are kept at most; one of 100,000 assets takes a few megabytes


@dataclass(frozen=True, slots=True)
class AssetChange:
    """What is wanted of an asset; whatever is not named stays as it is."""

    fields: Mapping[EditField, Value] = field(default_factory=dict)  # None: take the edit back
    verdicts: Mapping[str, Verdict | None] = field(default_factory=dict)  # by word
    trashed: bool | None = None

    @property
    def values(self) -> int:
        """How many are written for each asset."""
        return len(self.fields) + len(self.verdicts) + (self.trashed is not None)


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
    files: dict[int, int | None] = field(default_factory=dict)  # when each copy was trashed
    # What was said of faces and was not before: asset, and when that was.
    faces: list[tuple[str, int]] = field(default_factory=list)
    vocabulary: Wanted = field(default_factory=dict)
    taught: dict[str, bool] = field(default_factory=dict)  # by word

    @property
    def touched(self) -> set[str]:
        """Ids of assets, and "file 7"."""
        touched = {*self.trashed, *(asset_id for asset_id, _ in self.faces)}
        touched.update(*self.fields.values(), *self.verdicts.values())
        return touched | {f"file {file_id}" for file_id in self.files}


def change_asset(session: Session, asset_id: str, change: AssetChange) -> None:
    """Raises `NotFound` for an unknown asset and `BadRequest` for a value that cannot be one."""
    if session.scalar(select(Asset.id).where(Asset.id == asset_id)) is None:
        raise NotFound(f"There is no asset {asset_id}.")
    _change(session, [asset_id], change, now_us())


def change_many(database: Database, asset_ids: Sequence[str], change: AssetChange) -> Changed:
    """Unknown assets are passed over. Raises `BadRequest` for a value that cannot be one, and for
    more tags on more assets than `MOST_VERDICTS`; nothing is changed then."""
    return change_each(database, [(asset_ids, change)])


def change_each(
    database: Database,
    changes: Sequence[tuple[Sequence[str], AssetChange]],
    also: Callable[[Session, int], Before] | None = None,
) -> Changed:
    """`change_many` for several changes, which are undone as one.

    `also` goes first, in a transaction of its own: it gets the time of the change (µs) and says
    what it changed.
    """
    at_us, undo_id = now_us(), new_id()
    changed: set[str] = set()
    parts = 0
    if also is not None:
        with database.write() as session:
            changed |= _keep(session, also(session, at_us), f"{undo_id}.{parts:06}", at_us)
        parts += 1
    for asset_ids, change in [(_distinct(ids, change), change) for ids, change in changes]:
        size = max(1, AT_ONCE // max(1, change.values))
        for start in range(0, len(asset_ids), size):
            with database.write() as session:
                before = _change(session, asset_ids[start : start + size], change, at_us)
                changed |= _keep(session, before, f"{undo_id}.{parts:06}", at_us)
            parts += 1
    return Changed(len(changed), undo_id)


def _keep(session: Session, before: Before, part: str, at_us: int) -> set[str]:
    if part.endswith(".000000"):
        forget_old_undos(session)
    session.add(Undo(id=part, created_us=at_us, before=_pack(before)))
    return before.touched


def _distinct(asset_ids: Sequence[str], change: AssetChange) -> list[str]:
    distinct = list(dict.fromkeys(asset_ids))
    if len(distinct) * len(change.verdicts) > MOST_VERDICTS:
        raise BadRequest(
            f"{len(change.verdicts):,} tags on {len(distinct):,} assets are too many for one "
            f"change; at most {MOST_VERDICTS // len(distinct):,} tags at once fit so many assets."
        )
    return distinct


def undo_change(database: Database, undo_id: str) -> int:
    """Puts back what was before, once; returns how many assets changed. Raises `NotFound`."""
    is_part = Undo.id.startswith(f"{undo_id}.", autoescape=True)
    with database.read() as session:
        parts = session.scalars(select(Undo.id).where(is_part, is_young()).order_by(Undo.id)).all()
    if not parts:
        hours = UNDO_US // 3_600_000_000
        raise NotFound(
            "This change cannot be undone any more: it was undone already, is older than "
            f"{hours} hours, or {UNDOS} others came after it."
        )
    changed: set[str] = set()
    for part in parts:
        with database.write() as session:
            undo = session.get(Undo, part)
            if undo is not None:  # else somebody else undoes the same change right now
                changed |= _put_back(session, _unpack(undo.before)).touched
                session.delete(undo)
    return len(changed)


def _change(session: Session, asset_ids: Sequence[str], change: AssetChange, at_us: int) -> Before:
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
    if change.trashed:
        before.trashed = move_to_trash(session, asset_ids, at_us)
    elif change.trashed is not None:
        before.trashed = restore(session, asset_ids)
    return before


def _put_back(session: Session, before: Before) -> Before:
    return Before(
        fields={
            name: write_edits(session, EditField(name), wanted)
            for name, wanted in before.fields.items()
        },
        verdicts={
            word: write_verdicts(session, word, wanted) for word, wanted in before.verdicts.items()
        },
        trashed=write_trash(session, before.trashed),
        files=write_file_trash(session, before.files),
        faces=_take_back_faces(session, before.faces),
        vocabulary=write_entries(session, before.vocabulary),
        taught=write_taught(session, before.taught),
    )


def regroup_faces(session: Session) -> None:
    """Notes that something was said of faces: they are grouped again soon."""
    session.merge(Preference(key=FACES_SAID, value=new_id()))


def _take_back_faces(session: Session, faces: list[tuple[str, int]]) -> list[tuple[str, int]]:
    for asset_id, at_us in faces:
        session.execute(
            delete(FaceDecision).where(
                FaceDecision.asset_id == asset_id, FaceDecision.decided_us == at_us
            )
        )
    if faces:
        regroup_faces(session)
    return faces


def is_young() -> ColumnElement[bool]:
    return Undo.created_us >= now_us() - UNDO_US


def forget_old_undos(session: Session) -> None:
    """Makes room for one more. The parts of a change, and no others, have the same time."""
    times = select(Undo.created_us).distinct().order_by(Undo.created_us.desc()).limit(UNDOS - 1)
    session.execute(
        delete(Undo)
        .where(~is_young() | Undo.created_us.not_in(times))
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
        "files": before.files,
        "faces": before.faces,
        "vocabulary": {
            word: entry and (entry.parent, entry.synonyms)
            for word, entry in before.vocabulary.items()
        },
        "taught": before.taught,
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
        # Absent in what was written before there were such changes.
        files={int(file_id): had for file_id, had in plain.get("files", {}).items()},
        faces=[(asset_id, at_us) for asset_id, at_us in plain.get("faces", ())],
        vocabulary={
            word: entry and Entry(word, entry[0], tuple(entry[1]))
            for word, entry in plain.get("vocabulary", {}).items()
        },
        taught=plain.get("taught", {}),
    )
