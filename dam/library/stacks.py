"""Stacks: a RAW file and its JPEG, the still and the clip of a Live Photo, copies that a person
put together. Shown as one.

Derived from the files that are present and from decisions about pairs, so it may be computed again
at any time; nothing a person decided hangs on a stack. Works inside the caller's write session.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update

from dam.contracts import Kind
from dam.library.names import display_of, stem_of
from dam.media.formats import RAW_SUFFIXES
from dam.tables import Asset, File, FileState, PairDecision, PairVerdict, Stack, new_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe")
HEIC_SUFFIXES = (".heic", ".heif", ".hif")
LIVE_CLIP_SUFFIX = ".mov"
# Apple records 1.5 s before and after the shutter; an ordinary clip beside a photo is longer.
LONGEST_LIVE_CLIP_US = 4_000_000
# Apple's key that a still and its clip share, as the metadata reader stores it.
IDENTIFIER = func.json_extract(Asset.details, "$.content_identifier")


class StackReason(StrEnum):
    RAW_JPEG = "raw_jpeg"
    LIVE_PHOTO = "live_photo"
    CHOSEN = "chosen"  # by a person


@dataclass(frozen=True, slots=True)
class Companion:
    """A present file that may belong to a stack."""

    asset_id: str
    kind: str
    suffix: str  # lower case
    duration_us: int | None
    identifier: str | None


@dataclass(frozen=True, slots=True)
class Group:
    reason: StackReason
    cover_id: str
    members: frozenset[str]


def group_companions(companions: Sequence[Companion]) -> Group | None:
    """What belongs together among files of one name in one folder (or of one identifier)."""
    raws = [file for file in companions if file.suffix in RAW_SUFFIXES]
    pictures = [
        file
        for suffixes in (JPEG_SUFFIXES, HEIC_SUFFIXES)
        for file in companions
        if file.suffix in suffixes and file.kind == Kind.PHOTO
    ]
    if not pictures:
        return None
    clips = [file for file in companions if _is_clip_of(file, pictures[0])]
    if not raws and not clips:
        return None
    return Group(
        StackReason.RAW_JPEG if raws else StackReason.LIVE_PHOTO,
        pictures[0].asset_id,
        frozenset(file.asset_id for file in (*raws, *pictures, *clips)),
    )


def _is_clip_of(clip: Companion, still: Companion) -> bool:
    return (
        clip.kind == Kind.VIDEO
        and clip.suffix == LIVE_CLIP_SUFFIX
        and clip.duration_us is not None
        and clip.duration_us <= LONGEST_LIVE_CLIP_US
        and (None in (clip.identifier, still.identifier) or clip.identifier == still.identifier)
    )


class Stacker:
    """Keeps stacks level with the files while many of them change."""

    def __init__(self) -> None:
        self._by_identifier: dict[str, set[str]] | None = None  # loaded when first asked for

    def restack(self, session: Session, asset_ids: Iterable[str]) -> None:
        """Looks again at these assets and at all that they were or will be stacked with."""
        waiting, done = set(asset_ids), set[str]()
        groups: list[Group] = []
        while waiting:
            found = self._groups_of(session, waiting)
            done |= waiting
            met = _mates(session, waiting)
            for group in found:
                if not any(group.members & other.members for other in groups):
                    groups.append(group)
                    met |= group.members
            waiting = met - done
        if done:
            _apply(session, done, groups)

    def _groups_of(self, session: Session, asset_ids: set[str]) -> Iterator[Group]:
        yield from _chosen_groups(session, asset_ids)
        files = session.execute(
            select(File.asset_id, File.library_id, File.path)
            .where(File.asset_id.in_(asset_ids), File.state == FileState.PRESENT)
            .order_by(File.path)
        ).all()
        for asset_id, library_id, path in files:
            stem = stem_of(path)
            group = group_companions(
                _companions(
                    session,
                    File.library_id == library_id,
                    File.path >= stem + b".",
                    File.path < stem + b"/",  # "/" follows "."
                )
            )
            if group is not None and asset_id in group.members:
                yield group
        yield from self._groups_by_identifier(session, asset_ids)

    def _groups_by_identifier(self, session: Session, asset_ids: set[str]) -> Iterator[Group]:
        """For stills and clips that were renamed apart; asked last, so that names go first."""
        marked = (IDENTIFIER.is_not(None),)
        found = session.execute(
            select(IDENTIFIER, Asset.id).where(Asset.id.in_(asset_ids), *marked)
        ).all()
        if not found:
            return
        if self._by_identifier is None:
            self._by_identifier = defaultdict(set)
            for identifier, asset_id in session.execute(
                select(IDENTIFIER, Asset.id).where(*marked)
            ):
                self._by_identifier[identifier].add(asset_id)
        for identifier, asset_id in found:
            alike = self._by_identifier[identifier]
            alike.add(asset_id)
            if len(alike) > 1:
                group = group_companions(
                    _companions(session, Asset.id.in_(alike), identifier == IDENTIFIER)
                )
                if group is not None:
                    yield group


def _chosen_groups(session: Session, asset_ids: set[str]) -> Iterator[Group]:
    """What a person stacked, with what was stacked with it by nature; it goes first."""
    left = set(asset_ids)
    while left:
        members, covers = {left.pop()}, list[tuple[int, str]]()
        reached = 0
        while len(members) > reached:
            reached = len(members)
            pairs = session.scalars(
                select(PairDecision).where(
                    PairDecision.verdict == PairVerdict.STACKED,
                    PairDecision.one_id.in_(members) | PairDecision.other_id.in_(members),
                )
            ).all()
            members |= {part for pair in pairs for part in (pair.one_id, pair.other_id)}
            covers = [(pair.decided_us, pair.cover_id or pair.one_id) for pair in pairs]
        left -= members
        if covers:
            whole = members | _mates(session, members)
            yield Group(StackReason.CHOSEN, max(covers)[1], frozenset(whole))


def dissolve_broken_stacks(session: Session, stack_ids: Iterable[str | None] | None = None) -> None:
    """Drops stacks (all, or some) that lost their cover or all but one member."""
    count = select(func.count()).where(Asset.stack_id == Stack.id).scalar_subquery()
    cover = select(Asset.id).where(Asset.id == Stack.cover_id, Asset.stack_id == Stack.id)
    broken = delete(Stack).where((count < 2) | ~cover.exists())
    session.execute(broken if stack_ids is None else broken.where(Stack.id.in_(stack_ids)))


def _companions(session: Session, *conditions: ColumnElement[bool]) -> list[Companion]:
    rows = session.execute(
        select(Asset.id, Asset.kind, Asset.duration_us, IDENTIFIER, File.path)
        .join(File.asset)
        .where(File.state == FileState.PRESENT, *conditions)
        .order_by(File.path)
    ).all()
    return [
        Companion(asset_id, kind, _suffix(path), duration_us, identifier)
        for asset_id, kind, duration_us, identifier, path in rows
    ]


def _suffix(path: bytes) -> str:
    return PurePosixPath(display_of(path)).suffix.lower()


def _mates(session: Session, asset_ids: set[str]) -> set[str]:
    """All that are in one stack with any of these."""
    stacks = select(Asset.stack_id).where(Asset.id.in_(asset_ids), Asset.stack_id.is_not(None))
    return set(session.scalars(select(Asset.id).where(Asset.stack_id.in_(stacks))))


def _apply(session: Session, looked_at: set[str], groups: Sequence[Group]) -> None:
    before = set(
        session.scalars(
            select(Asset.stack_id).where(Asset.id.in_(looked_at), Asset.stack_id.is_not(None))
        )
    )
    alone = looked_at.difference(*(group.members for group in groups))
    _assign(session, alone, None)
    for group in groups:
        stack = session.scalars(
            select(Stack).join(Asset, Asset.stack_id == Stack.id).where(Asset.id == group.cover_id)
        ).first() or Stack(id=new_id())
        stack.reason, stack.cover_id = group.reason, group.cover_id
        session.add(stack)
        session.flush()
        _assign(session, group.members, stack.id)
    dissolve_broken_stacks(session, before)


def _assign(session: Session, asset_ids: Iterable[str], stack_id: str | None) -> None:
    """Touches only assets whose stack is another one, so that nothing looks edited."""
    session.execute(
        update(Asset)
        .where(Asset.id.in_(asset_ids), Asset.stack_id.is_distinct_from(stack_id))
        .values(stack_id=stack_id)
        .execution_options(synchronize_session=False)
    )
