"""Stacks: a RAW file and its JPEG, the still and the clip of a Live Photo. Shown as one.

Derived from the files that are present, so it may be computed again at any time; nothing a person
decided hangs on a stack. Works inside the caller's write session.
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
from dam.tables import Asset, File, FileState, Stack, new_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
        waiting = set(asset_ids)
        done: set[str] = set()
        groups: list[Group] = []
        while waiting:
            asset_id = waiting.pop()
            done.add(asset_id)
            group = self._group_of(session, asset_id)
            met = _mates(session, asset_id)
            if group is not None and not any(group.members & other.members for other in groups):
                groups.append(group)
                met |= group.members
            waiting |= met - done
        _apply(session, done, groups)

    def _group_of(self, session: Session, asset_id: str) -> Group | None:
        for library_id, path in session.execute(
            select(File.library_id, File.path)
            .where(File.asset_id == asset_id, File.state == FileState.PRESENT)
            .order_by(File.path)
        ).all():
            stem = stem_of(path)
            same_name = (
                File.library_id == library_id,
                File.path >= stem + b".",
                File.path < stem + b"/",  # "/" follows "."
            )
            companions = _companions(session, *same_name)
            group = group_companions(companions)
            if group is not None and asset_id in group.members:
                return group
        return self._group_by_identifier(session, asset_id)

    def _group_by_identifier(self, session: Session, asset_id: str) -> Group | None:
        identifier = session.scalar(select(IDENTIFIER).where(Asset.id == asset_id))
        if not identifier:
            return None
        if self._by_identifier is None:
            self._by_identifier = defaultdict(set)
            for other_id, other in session.execute(
                select(Asset.id, IDENTIFIER).where(IDENTIFIER.is_not(None))
            ):
                self._by_identifier[other].add(other_id)
        alike = self._by_identifier[identifier]
        alike.add(asset_id)
        if len(alike) == 1:
            return None
        companions = _companions(session, Asset.id.in_(alike), identifier == IDENTIFIER)
        group = group_companions(companions)
        return group if group is not None and asset_id in group.members else None


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


def _mates(session: Session, asset_id: str) -> set[str]:
    stack_id = select(Asset.stack_id).where(Asset.id == asset_id).scalar_subquery()
    return set(session.scalars(select(Asset.id).where(Asset.stack_id == stack_id)))


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
    )
