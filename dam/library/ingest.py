"""Takes new and changed files in: hashes, probes and reads them, writes their assets and files.

Works in groups; each group is read without any lock and written in one short transaction, so that
a stop or a crash loses at most one group's reading. Nothing is decoded to pixels here.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from dam.errors import DamError, LibraryOffline
from dam.library.describe import describe_asset, describe_name, fill_asset
from dam.library.identity import Change, Content, Identity, describe_file
from dam.library.missing import gone_during
from dam.library.names import display_of
from dam.library.reading import FileChanged, check_unchanged, hash_file
from dam.library.roots import open_root, root_of
from dam.library.stacks import Stacker
from dam.library.walk import Seen
from dam.media.essence import essence_hash
from dam.media.metadata import BATCH_FILES
from dam.tables import Asset, File, FileState, Library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from sqlalchemy.orm import Session

    from dam.db import Database
    from dam.library.identity import Placement
    from dam.library.walk import Changes
    from dam.media.metadata import Metadata, MetadataReader
    from dam.media.probe import Probe
    from dam.media.sandbox import Sandbox

# One call of ExifTool; more bytes than this end a group early, so that a stop is soon honoured.
GROUP_BYTES = 2 << 30
# A time no file has: what could not even be opened is tried again by the next scan.
NEVER_NS = -1

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counts:
    """What an update did, in files. `unreadable` are all of them, not only the new ones."""

    new: int = 0
    changed: int = 0
    moved: int = 0
    missing: int = 0
    unreadable: int = 0
    unchanged: int = 0
    notes: list[str] = field(default_factory=list)  # what a person should know besides

    def add(self, change: Change) -> None:
        name = change.name.lower()
        setattr(self, name, getattr(self, name) + 1)


@dataclass(slots=True)
class Tools:
    """What reads files; shared by all libraries of one update."""

    sandbox: Sandbox
    reader: MetadataReader
    pool: Executor


@dataclass(slots=True)
class Work:
    """One file on its way in."""

    seen: Seen
    content_hash: str = ""
    essence_hash: str = ""
    probe: Probe | None = None  # stays None when the content is known
    metadata: Metadata | None = None
    error: str | None = None
    try_again: bool = False  # the error may be gone without any change of the file
    skipped: bool = False

    @property
    def content(self) -> Content:
        return Content(self.content_hash, self.essence_hash, self.seen.size_bytes)

    def fill(self, asset: Asset) -> None:
        assert self.probe is not None
        assert self.metadata is not None
        fill_asset(asset, self.probe, self.metadata)


class Ingester:
    """Takes in what one scan of one library found."""

    def __init__(
        self,
        database: Database,
        library: Library,
        changes: Changes,
        tools: Tools,
        *,
        counts: Counts,
        on_progress: Callable[[Counts], None],
        stop: Callable[[], bool],
    ) -> None:
        self._database = database
        self._library = library
        self._root = root_of(library)
        self._changes = changes
        self._tools = tools
        self._counts = counts
        self._on_progress = on_progress
        self._stop = stop
        self._stacker = Stacker()
        self._edits: list[Work] = []  # until all that only moved has its place
        self._retagged: list[Seen] = []
        self._root_fd = -1

    def run(self) -> bool:
        """False when it was stopped early: what is left, the next scan finds again."""
        self._root_fd = open_root(self._library)
        try:
            return (
                self._each_group(self._found(), self._take_in)
                and self._each_group(self._edits, self._take_in_edits)
                and self._each_group(self._outdated(), self._read_again)
            )
        finally:
            os.close(self._root_fd)

    def _found(self) -> Iterator[Work]:
        return (Work(seen) for seen in (*self._changes.new, *self._changes.changed))

    def _outdated(self) -> Iterator[Work]:
        """Files whose sidecar is not the one that was read with them."""
        with self._database.read() as session:
            for path, sidecar in self._changes.retagged:
                file = Identity(session, self._library.id, lambda _: False).file_at(path)
                if file is not None:
                    self._retagged.append(_seen(file)._replace(sidecar=sidecar))
        return (Work(seen) for seen in self._retagged)

    def _each_group(self, works: Iterable[Work], take: Callable[[list[Work]], None]) -> bool:
        for group in _groups(works):
            if self._stop():
                return False
            take(group)
            self._on_progress(self._counts)
        return True

    def _take_in(self, group: list[Work]) -> None:
        self._for_each(group, self._hash)
        with self._database.read() as session:
            unknown = _with_unknown_content(session, group)
            edits = _at_paths_of_assets(session, self._library.id, unknown)
        self._edits += edits
        waiting = {id(work) for work in edits}
        self._read([work for work in unknown if id(work) not in waiting])
        self._write([work for work in group if id(work) not in waiting], is_last=False)

    def _take_in_edits(self, group: list[Work]) -> None:
        self._read([work for work in group if work.probe is None])
        self._write(group, is_last=True)

    def _read_again(self, group: list[Work]) -> None:
        self._read(group)
        with self._database.write() as session:
            identity = Identity(session, self._library.id, lambda _: False)
            for work in group:
                file = identity.file_at(work.seen.path)
                if file is None or work.skipped:
                    continue
                file.sidecar = work.seen.sidecar
                if file.asset is not None and work.metadata is not None:
                    work.fill(file.asset)
                    describe_asset(session, file.asset, work.metadata)
                    self._counts.add(Change.CHANGED)

    def _hash(self, work: Work) -> None:
        work.content_hash = hash_file(self._root_fd, work.seen)

    def _probe(self, work: Work) -> None:
        path = self._path(work)
        probe = self._tools.sandbox.probe(path)
        work.essence_hash = essence_hash(path, probe, work.content_hash)
        work.probe = probe

    def _read(self, works: Sequence[Work]) -> None:
        """Probes the files and reads their metadata; sure afterwards that they stood still."""
        self._for_each(works, self._probe)
        probed = [(work, work.probe) for work in works if work.probe is not None]
        metadata = self._tools.reader.read_many(
            [(self._path(work), probe) for work, probe in probed]
        )
        for (work, _), said in zip(probed, metadata, strict=True):
            work.metadata = said
        self._for_each(works, lambda work: check_unchanged(self._root_fd, work.seen))

    def _path(self, work: Work) -> Path:
        return self._root / os.fsdecode(work.seen.path)

    def _for_each(self, works: Iterable[Work], step: Callable[[Work], None]) -> None:
        def guarded(work: Work) -> None:
            try:
                step(work)
            except (FileChanged, LibraryOffline):
                work.skipped = True
            except OSError as error:
                work.error, work.try_again = f"It cannot be read: {error.strerror}.", True
            except DamError as error:
                work.error = str(error)
            except Exception as error:  # a bug shall cost one file, not the whole library
                shown = display_of(work.seen.path)
                log.warning("unexpected error while reading %s", shown, exc_info=True)
                work.error = f"Unexpected {type(error).__name__}: {error}"

        todo = [work for work in works if work.error is None and not work.skipped]
        deque(self._tools.pool.map(guarded, todo), maxlen=0)

    def _write(self, works: list[Work], *, is_last: bool) -> None:
        """One transaction. Unless `is_last`, what continues a lost asset waits for the end."""
        with self._database.write() as session:
            if session.get(Library, self._library.id) is None:
                raise LibraryOffline(f"The library “{self._library.name}” was removed.")
            is_gone = gone_during(self._changes, self._library.id, self._root_fd)
            identity = Identity(session, self._library.id, is_gone)
            touched: set[str] = set()
            for work in works:
                if work.skipped:
                    continue
                if work.error is not None:
                    touched |= self._write_failure(session, identity, work)
                    continue
                placement = identity.place_known(work.seen, work.content_hash)
                if placement is None and work.metadata is not None:
                    placement = identity.place_unknown(
                        work.seen, work.content, work.fill, is_last=is_last
                    )
                    if placement is None:
                        self._edits.append(work)
                if placement is not None:
                    touched |= self._finish(session, work, placement)
            self._stacker.restack(session, touched)

    def _finish(self, session: Session, work: Work, placement: Placement) -> set[str]:
        self._counts.add(placement.change)
        if placement.is_new_content:
            assert work.metadata is not None
            describe_asset(session, placement.asset, work.metadata)
        elif placement.sidecar_before != work.seen.sidecar:
            self._retagged.append(work.seen)
        if placement.change is Change.UNCHANGED:
            return set()
        describe_name(session, placement.file)
        return set(filter(None, (placement.asset.id, placement.former_asset_id)))

    def _write_failure(self, session: Session, identity: Identity, work: Work) -> set[str]:
        file = identity.file_at(work.seen.path) or File()
        describe_file(file, self._library.id, work.seen)
        file.state, file.error, file.missing_us = FileState.UNREADABLE, work.error, None
        if work.try_again:
            file.mtime_ns = NEVER_NS
        session.add(file)
        self._counts.unreadable += 1
        return set(filter(None, (file.asset_id,)))


def _groups(works: Iterable[Work]) -> Iterator[list[Work]]:
    group: list[Work] = []
    size_bytes = 0
    for work in works:
        group.append(work)
        size_bytes += work.seen.size_bytes
        if len(group) == BATCH_FILES or size_bytes > GROUP_BYTES:
            yield group
            group, size_bytes = [], 0
    if group:
        yield group


def _seen(file: File) -> Seen:
    return Seen(file.path, file.mtime_ns, file.size_bytes, file.inode, file.device, file.sidecar)


def _with_unknown_content(session: Session, works: list[Work]) -> list[Work]:
    hashed = {work.content_hash for work in works if work.content_hash}
    known = set(session.scalars(select(Asset.content_hash).where(Asset.content_hash.in_(hashed))))
    return [work for work in works if work.content_hash and work.content_hash not in known]


def _at_paths_of_assets(session: Session, library_id: str, works: list[Work]) -> list[Work]:
    paths = set(
        session.scalars(
            select(File.path).where(
                File.library_id == library_id,
                File.path.in_([work.seen.path for work in works]),
                File.asset_id.is_not(None),
            )
        )
    )
    return [work for work in works if work.seen.path in paths]
