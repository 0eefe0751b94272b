"""Groups of copies, as people review them.

Derived from fingerprints whenever somebody asks and never stored: comparing 100,000 photos takes
seconds (docs/indexers/fingerprints.md), a table of groups would have to follow every run, every
file, every stack and the trash. What was compared is kept in memory while no fingerprint changes;
decisions, files, stacks and the trash are looked up anew every time.
"""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from dam.duplicates import films, photos, recordings
from dam.duplicates.copies import exact_copies
from dam.duplicates.pairs import pair_of
from dam.duplicates.prints import read_films, read_photos, read_recordings
from dam.library.names import display_of
from dam.tables import Asset, File, FileState, FingerprintRow, Library, PairDecision, VectorRow
from dam.trash import not_in_trash

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session

    from dam.db import Database


class GroupKind(StrEnum):
    EXACT = "exact"  # one asset, several files
    PHOTO = "photo"  # edited, scaled, compressed again
    BURST = "burst"  # exposures right after each other
    VIDEO = "video"
    AUDIO = "audio"


class Reason(StrEnum):
    """Why the first one is proposed to be kept: the first of these in which it is ahead."""

    RESOLUTION = "resolution"
    LENGTH = "length"
    METADATA = "metadata"  # more is known of it
    SIZE = "size"  # more bytes
    AGE = "age"  # it was here first


@dataclass(frozen=True, slots=True)
class Copy:
    asset_id: str
    path: str  # absolute, for people


@dataclass(frozen=True, slots=True)
class Group:
    kind: GroupKind
    assets: list[Copy]  # first the one that is proposed to be kept
    distance: float  # the largest between two that are linked, in [0, 1]; 0: the same bytes
    reason: Reason | None  # why the first one; None: the files of one asset

    @property
    def id(self) -> str:
        """The same as long as the same assets are in it."""
        members = ",".join(sorted({copy.asset_id for copy in self.assets}))
        return hashlib.sha256(f"{self.kind}:{members}".encode()).hexdigest()[:20]

    @property
    def position(self) -> tuple[int, str, str]:
        """Where it stands in the list of all."""
        return list(GroupKind).index(self.kind), self.assets[0].path, self.id


class Link(NamedTuple):
    one_id: str
    other_id: str
    kind: GroupKind
    distance: float


class Duplicates:
    """Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._links: tuple[object, list[Link]] | None = None

    def groups(self) -> list[Group]:
        """Exact copies first, then by kind and path."""
        with self._database.read() as session:
            links = self._current_links(session)
            found = [*_exact(session), *_grouped(session, links)]
        return sorted(found, key=lambda group: group.position)

    def _current_links(self, session: Session) -> list[Link]:
        with self._lock:  # whoever comes second waits for the answer instead of finding it too
            now = _mark(session)
            if self._links is None or self._links[0] != now:
                self._links = now, find_links(session)
            return self._links[1]


def find_links(session: Session) -> list[Link]:
    """Every two assets that look or sound alike, whatever people said of them."""
    links = []
    ids, pictures = read_photos(session)
    pairs = photos.find_pairs(pictures)
    for one, other, agreement, is_burst in zip(*pairs, strict=True):
        kind = GroupKind.BURST if is_burst else GroupKind.PHOTO
        links.append(Link(ids[one], ids[other], kind, _rounded(1 - float(agreement))))
    ids, shown, frames = read_films(session)
    for film in films.find_pairs(shown, frames):
        distance = _rounded(1 - film.share)
        links.append(Link(ids[film.one], ids[film.other], GroupKind.VIDEO, distance))
    ids, heard = read_recordings(session)
    for first, second, errors in recordings.find_pairs(heard):
        links.append(Link(ids[first], ids[second], GroupKind.AUDIO, _rounded(errors)))
    return links


def _rounded(distance: float) -> float:
    return round(max(0.0, distance), 4)


def _mark(session: Session) -> object:
    """Changes with the fingerprints and the assets that have some. Vectors only refine: new ones
    are heeded with the next fingerprint."""
    prints = session.execute(select(func.max(FingerprintRow.id), func.count(FingerprintRow.id)))
    seen = select(func.count(Asset.id)).where(not_in_trash())
    has_vectors = session.scalar(select(VectorRow.id).limit(1)) is not None
    return *prints.one(), session.scalar(seen), has_vectors


def _exact(session: Session) -> list[Group]:
    kept = set(
        session.scalars(
            select(PairDecision.one_id).where(PairDecision.one_id == PairDecision.other_id)
        )
    )
    return [
        Group(GroupKind.EXACT, [Copy(asset_id, path) for path in listed], 0.0, None)
        for asset_id, listed in exact_copies(session).items()
        if asset_id not in kept
    ]


def _grouped(session: Session, links: Sequence[Link]) -> list[Group]:
    """Linked assets of one kind, but for the pairs that were decided about."""
    decided = {
        (one, other)
        for one, other in session.execute(select(PairDecision.one_id, PairDecision.other_id))
    }
    facts = _facts(session, {part for link in links for part in (link.one_id, link.other_id)})
    open_links = [
        link
        for link in links
        if pair_of(link.one_id, link.other_id) not in decided
        and link.one_id in facts
        and link.other_id in facts
        and not _are_stacked(facts[link.one_id], facts[link.other_id])
    ]
    groups = []
    for kind in GroupKind:
        mine = [link for link in open_links if link.kind is kind]
        for members in _connected(mine):
            ranked = sorted(members, key=lambda member: facts[member].rank)
            inside = [link.distance for link in mine if link.one_id in members]
            copies = [Copy(member, facts[member].path) for member in ranked]
            reason = _reason(facts[ranked[0]].rank, facts[ranked[1]].rank)
            groups.append(Group(kind, copies, max(inside), reason))
    return groups


def _reason(first: tuple[int, ...], second: tuple[int, ...]) -> Reason:
    ahead = (name for name, one, two in zip(Reason, first, second, strict=True) if one != two)
    return next(ahead, Reason.AGE)


class _Facts(NamedTuple):
    path: str
    stack_id: str | None
    rank: tuple[int, ...]  # the least is the one to keep


def _are_stacked(one: _Facts, other: _Facts) -> bool:
    return one.stack_id is not None and one.stack_id == other.stack_id


def _facts(session: Session, asset_ids: Iterable[str]) -> dict[str, _Facts]:
    """Of assets that have a file and are not in the trash."""
    paths = _paths(session, asset_ids)
    found = {}
    listed = list(paths)
    for start in range(0, len(listed), _PARAMETERS):
        part = listed[start : start + _PARAMETERS]
        for asset in session.scalars(select(Asset).where(Asset.id.in_(part), not_in_trash())):
            found[asset.id] = _Facts(paths[asset.id][0], asset.stack_id, _rank(asset))
    return found


def _rank(asset: Asset) -> tuple[int, ...]:
    """Resolution, then what is known of it, then length and bytes, then who was here first."""
    pixels = (asset.width_px or 0) * (asset.height_px or 0)
    known = (asset.captured_us, asset.camera, asset.latitude, asset.title, asset.rating)
    facts = sum(fact is not None for fact in known)
    return (-pixels, -(asset.duration_us or 0), -facts, -asset.size_bytes, asset.created_us)


_PARAMETERS = 10_000  # SQLite takes 32,766 in one statement


def _paths(session: Session, asset_ids: Iterable[str]) -> dict[str, list[str]]:
    """The present files of each asset that has some."""
    listed = sorted(set(asset_ids))
    paths = defaultdict[str, list[str]](list)
    for start in range(0, len(listed), _PARAMETERS):
        part = listed[start : start + _PARAMETERS]
        rows = session.execute(
            select(File.asset_id, Library.root, File.path)
            .join(Library)
            .where(File.asset_id.in_(part), File.state == FileState.PRESENT)
            .order_by(File.trashed_us.is_not(None), Library.root, File.path)
        )
        for asset_id, root, path in rows:
            if asset_id is not None:
                paths[asset_id].append(display_of(root + b"/" + path))
    return paths


def _connected(links: Iterable[Link]) -> list[set[str]]:
    neighbours = defaultdict[str, set[str]](set)
    for link in links:
        neighbours[link.one_id].add(link.other_id)
        neighbours[link.other_id].add(link.one_id)
    found, seen = [], set[str]()
    for start in neighbours:
        if start in seen:
            continue
        members, waiting = set[str](), [start]
        while waiting:
            member = waiting.pop()
            if member not in members:
                members.add(member)
                waiting += neighbours[member] - members
        seen |= members
        found.append(members)
    return found
