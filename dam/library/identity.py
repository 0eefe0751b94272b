"""Which asset do the bytes at a path belong to?

Content decides: the BLAKE3 of a file's bytes, and where they are unknown the essence hash of the
media in them. Path, inode and times are only hints. A file is *gone* when it was marked missing,
or when this scan looked where it was and did not see it.

| path    | its bytes                                     | what happens                           |
|---------|-----------------------------------------------|----------------------------------------|
| known   | those of its asset                            | nothing: touched, or back again        |
| known   | those of another asset B                      | the path is B's now; its former asset  |
|         |                                               | stays, and is found again by content   |
| known   | unknown, essence of its asset                 | new revision, findings kept: another   |
|         |                                               | program wrote a rating. Files that     |
|         |                                               | keep the old bytes stay with the asset |
| known   | unknown, the asset lies nowhere else          | new revision, findings dropped: an edit|
| known   | unknown, the asset lies elsewhere too         | new asset with copies of the decisions |
| new     | those of A, a file of which is gone           | the same file, moved                   |
| new     | those of A, all its files are there           | a second file: a copy                  |
| new     | unknown, essence or a former content of A,    | moved and changed: new revision of A,  |
|         | all of whose files are gone                   | findings kept when the essence is equal|
| new     | unknown                                       | new asset; of the same essence as      |
|         |                                               | another one it takes copied findings   |

A path that could not be read before counts as new unless it had an asset. Swapped files are twice
"those of another asset". Known contents of a scan are placed before unknown ones, so that an edit
cannot claim what only moved. Works inside the caller's write session; decides nothing by order of
names and never looks at pixels.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from sqlalchemy import select

from dam import store
from dam.decisions import copy_decisions
from dam.library.names import display_of
from dam.tables import Asset, File, FileState, Revision, new_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from dam.library.walk import Seen


class Change(Enum):
    """What a placement means to a person; the names of `Counts`."""

    NEW = auto()
    CHANGED = auto()
    MOVED = auto()
    UNCHANGED = auto()


@dataclass(frozen=True, slots=True)
class Content:
    """The identity of bytes. `essence_hash` is known once they were probed."""

    content_hash: str
    essence_hash: str
    size_bytes: int


@dataclass(slots=True)
class Placement:
    """Where a path belongs from now on."""

    file: File
    asset: Asset
    change: Change
    is_new_content: bool  # metadata must be written to the asset
    former_asset_id: str | None = None  # of this path, when it was another one
    sidecar_before: str | None = None  # stamp of the sidecar that was read with this file before


class Identity:
    """Places the files of one scan of one library."""

    def __init__(self, session: Session, library_id: str, is_gone: Callable[[File], bool]) -> None:
        self._session = session
        self._library_id = library_id
        self._is_gone = is_gone

    def file_at(self, path: bytes) -> File | None:
        return self._session.scalars(
            select(File).where(File.library_id == self._library_id, File.path == path)
        ).one_or_none()

    def place_known(self, seen: Seen, content_hash: str) -> Placement | None:
        """Places bytes that are some asset's current content; None when they are no asset's."""
        asset = self._session.scalars(
            select(Asset).where(Asset.content_hash == content_hash)
        ).one_or_none()
        if asset is None:
            return None
        file = self.file_at(seen.path)
        if file is not None and file.asset_id == asset.id:
            was_there = file.state == FileState.PRESENT
            change = Change.UNCHANGED if was_there else Change.CHANGED
            return self._place(seen, file, asset, change, is_new_content=False)
        others = self._files_of(asset)
        gone = self._best_gone(others, seen)
        if gone is not None:
            return self._move(seen, file, gone, asset, is_new_content=False)
        if file is not None and file.asset_id is not None:
            change = Change.CHANGED
        else:
            change = Change.NEW if others else Change.MOVED  # it left its path to another one
        return self._place(seen, file, asset, change, is_new_content=False)

    def place_unknown(
        self, seen: Seen, content: Content, fill: Callable[[Asset], None], *, is_last: bool
    ) -> Placement | None:
        """Places bytes that are no asset's current content; `fill` describes their asset.

        Unless `is_last`, None when they would continue an asset that is lost: a file yet to come
        may have its very bytes.
        """
        file = self.file_at(seen.path)
        asset = file.asset if file is not None else None
        if file is None or asset is None:
            lost = self._lost_asset(content)
            if lost is None:
                asset = self._new_asset(content, fill)
                return self._place(seen, file, asset, Change.NEW, is_new_content=True)
            if not is_last:
                return None
            self._revise(lost, content, fill)
            gone = self._best_gone(self._files_of(lost), seen)
            if gone is None:  # its library was removed
                return self._place(seen, file, lost, Change.NEW, is_new_content=True)
            return self._move(seen, file, gone, lost, is_new_content=True)
        others = [other for other in self._files_of(asset) if other.id != file.id]
        if content.essence_hash != asset.essence_hash and not all(map(self._is_gone, others)):
            former, asset = asset, self._new_asset(content, fill)
            copy_decisions(self._session, former, asset)
        else:
            self._revise(asset, content, fill)
        return self._place(seen, file, asset, Change.CHANGED, is_new_content=True)

    def _lost_asset(self, content: Content) -> Asset | None:
        """The asset that unknown bytes continue, when all files of it are gone."""
        former = select(Revision.asset_id).where(Revision.content_hash == content.content_hash)
        candidates = self._session.scalars(
            select(Asset)
            .where((Asset.essence_hash == content.essence_hash) | Asset.id.in_(former))
            .order_by(Asset.essence_hash != content.essence_hash, Asset.created_us)
        )
        return next(
            (asset for asset in candidates if all(map(self._is_gone, self._files_of(asset)))), None
        )

    def _files_of(self, asset: Asset) -> list[File]:
        return list(
            self._session.scalars(select(File).where(File.asset_id == asset.id).order_by(File.path))
        )

    def _best_gone(self, files: list[File], seen: Seen) -> File | None:
        """The vanished file that most likely is this one: by inode, then by library and name."""

        def likeness(file: File) -> tuple[bool, bool, bool]:
            return (
                (file.inode, file.mtime_ns) == (seen.inode, seen.mtime_ns),
                file.library_id == self._library_id,
                os.path.basename(file.path) == os.path.basename(seen.path),  # noqa: PTH119 (bytes)
            )

        return max(filter(self._is_gone, files), key=likeness, default=None)

    def _move(
        self, seen: Seen, file: File | None, gone: File, asset: Asset, *, is_new_content: bool
    ) -> Placement:
        """Gives the vanished file its new path; where that path has a file, this one takes over."""
        sidecar = gone.sidecar
        if file is not None:
            self._session.delete(gone)
            self._session.flush()
        else:
            file = gone
        placed = self._place(seen, file, asset, Change.MOVED, is_new_content=is_new_content)
        placed.sidecar_before = sidecar
        return placed

    def _place(
        self, seen: Seen, file: File | None, asset: Asset, change: Change, *, is_new_content: bool
    ) -> Placement:
        if file is None:
            file = File()
            self._session.add(file)
        former = file.asset_id if file.asset_id != asset.id else None
        if former is not None:
            store.replace_texts(self._session, former, (), file_id=file.id)
            file.trashed_us = None  # other bytes: no longer the copy that was put away
        placement = Placement(file, asset, change, is_new_content, former, file.sidecar)
        describe_file(file, self._library_id, seen)
        file.asset_id = asset.id
        file.state, file.error, file.missing_us = FileState.PRESENT, None, None
        return placement

    def _new_asset(self, content: Content, fill: Callable[[Asset], None]) -> Asset:
        asset = Asset(id=new_id(), revision=1)
        self._set_content(asset, content)
        fill(asset)
        self._session.add(asset)
        self._session.flush()
        self._record_revision(asset)
        twin = self._session.scalars(
            select(Asset).where(Asset.essence_hash == content.essence_hash, Asset.id != asset.id)
        ).first()
        if twin is not None:
            store.copy_runs(self._session, twin.id, asset.id, asset.revision)
            asset.thumbhash = twin.thumbhash
        return asset

    def _revise(self, asset: Asset, content: Content, fill: Callable[[Asset], None]) -> None:
        looks_the_same = asset.essence_hash == content.essence_hash
        asset.revision += 1
        self._set_content(asset, content)
        fill(asset)
        if looks_the_same:
            store.carry_runs(self._session, asset.id, asset.revision)
        else:
            store.drop_runs(self._session, asset.id)
            asset.thumbhash = None
        self._record_revision(asset)

    def _set_content(self, asset: Asset, content: Content) -> None:
        asset.content_hash = content.content_hash
        asset.essence_hash = content.essence_hash
        asset.size_bytes = content.size_bytes

    def _record_revision(self, asset: Asset) -> None:
        self._session.add(
            Revision(
                asset_id=asset.id,
                number=asset.revision,
                content_hash=asset.content_hash,
                essence_hash=asset.essence_hash,
                size_bytes=asset.size_bytes,
            )
        )


def describe_file(file: File, library_id: str, seen: Seen) -> None:
    """Writes down where a file lies and how it looked from outside."""
    file.library_id, file.path, file.display = library_id, seen.path, display_of(seen.path)
    file.size_bytes, file.mtime_ns = seen.size_bytes, seen.mtime_ns
    file.device, file.inode, file.sidecar = seen.device, seen.inode, seen.sidecar
