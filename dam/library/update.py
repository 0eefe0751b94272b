"""Brings the database level with the folders: scan, take in, mark missing.

The one entry point for the command line, the server and the watcher. Two updates of one library
never run at once, whatever processes they are in.
"""

from __future__ import annotations

import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from dam.errors import BadRequest, LibraryOffline, NotFound
from dam.library.exclusive import alone_with
from dam.library.ingest import Counts, Ingester, Tools
from dam.library.libraries import list_libraries
from dam.library.missing import set_state, settle_absent
from dam.library.names import display_of, is_skipped_folder, media_kind
from dam.library.roots import root_of
from dam.library.scan import scan_library
from dam.library.stacks import Stacker
from dam.media.metadata import MetadataReader
from dam.media.sandbox import Limits, Sandbox
from dam.tables import File, FileState, Library, LibraryState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dam.config import Settings
    from dam.db import Database
    from dam.library.walk import Changes

__all__ = ["Counts", "update_libraries"]


def update_libraries(
    database: Database,
    settings: Settings,
    *,
    paths: Sequence[Path] = (),
    scopes: Mapping[str, Sequence[bytes]] | None = None,
    retry: bool = False,
    settle_s: float = 0,
    on_held_back: Callable[[str, list[bytes]], None] = lambda _library_id, _paths: None,
    sandbox: Sandbox | None = None,
    reader: MetadataReader | None = None,
    on_progress: Callable[[Counts], None] = lambda _counts: None,
    stop: Callable[[], bool] = lambda: False,
) -> Counts:
    """Updates all libraries, or only what lies at `paths`.

    `scopes` names libraries by id, each with the folders and files in it to look at (none: all).
    `retry` tries unreadable files again. Files written within the last `settle_s` are left alone
    and named to `on_held_back`. `on_progress` is called after every group of files with
    the counts so far, from this thread. A library that is offline is noted, not an error.
    Raises `BadRequest` for a path that belongs to no library and `NotFound` for one that is not
    there.
    """
    libraries = list_libraries(database)
    if scopes is None:
        scopes = _scopes(libraries, paths) if paths else {library.id: () for library in libraries}
    limits = Limits(settings.decode_timeout_s, settings.decode_memory_mb, settings.max_pixels)
    counts = Counts()
    with ExitStack() as stack:
        tools = Tools(
            sandbox or stack.enter_context(Sandbox(limits, size=settings.decoders)),
            reader or stack.enter_context(MetadataReader(settings.exiftool, limits)),
            stack.enter_context(ThreadPoolExecutor(settings.decoders, "ingest")),
        )
        update = _Update(
            database, tools, counts, on_progress, on_held_back, stop,
            missing_fraction=settings.missing_fraction, retry=retry, settle_s=settle_s,
        )  # fmt: skip
        for library_id, scope in scopes.items():
            with alone_with(database, library_id, stop) as has_turn:
                if has_turn:
                    update.update(library_id, scope)
    return counts


@dataclass(slots=True)
class _Update:
    database: Database
    tools: Tools
    counts: Counts
    on_progress: Callable[[Counts], None]
    on_held_back: Callable[[str, list[bytes]], None]
    stop: Callable[[], bool]
    missing_fraction: float
    retry: bool
    settle_s: float

    def update(self, library_id: str, scope: Sequence[bytes]) -> None:
        with self.database.read() as session:
            library = session.get(Library, library_id)
        if library is None:  # removed meanwhile
            return
        try:
            changes = scan_library(
                self.database, library, scope=scope, retry=self.retry, stop=self.stop
            )
            if self.settle_s:
                self.on_held_back(library_id, changes.hold_back(self.settle_s))
            finished = self._ingest(library, changes, scope)
        except LibraryOffline as error:
            self._note_offline(library, str(error))
            return
        self.counts.notes += [f"{library.name}: {note}" for note in changes.notes]
        if finished:
            self._end_scan(library, changes)

    def _ingest(self, library: Library, changes: Changes, scope: Sequence[bytes]) -> bool:
        before = self.counts.unreadable
        finished = Ingester(
            self.database,
            library,
            changes,
            self.tools,
            counts=self.counts,
            on_progress=self.on_progress,
            stop=self.stop,
        ).run()
        tried = self.counts.unreadable - before
        unreadable = _count_unreadable(self.database, library.id, scope)
        self.counts.unreadable = before + unreadable
        self.counts.unchanged += changes.unchanged - (unreadable - tried)
        return finished

    def _end_scan(self, library: Library, changes: Changes) -> None:
        with self.database.write() as session:
            if session.get(Library, library.id) is None:
                return
            if changes.complete:
                missing = settle_absent(
                    session, library.id, changes, fraction=self.missing_fraction
                )
                Stacker().restack(session, {file.asset_id for file in missing if file.asset_id})
                self.counts.missing += len(missing)
            elif library.state == LibraryState.OFFLINE:
                set_state(session, library.id, LibraryState.ONLINE, None)
            now = session.get_one(Library, library.id, populate_existing=True)
            if now.state_reason:
                self.counts.notes.append(f"{now.name}: {now.state_reason}")

    def _note_offline(self, library: Library, reason: str) -> None:
        with self.database.write() as session:
            set_state(session, library.id, LibraryState.OFFLINE, reason)
        self.counts.notes.append(f"{library.name} is offline: {reason}")


def _scopes(libraries: Iterable[Library], paths: Sequence[Path]) -> dict[str, list[bytes]]:
    """Library id → what to look at in it, relative to its root; nothing means all of it."""
    scopes: defaultdict[str, list[bytes]] = defaultdict(list)
    whole: set[str] = set()
    for path in paths:
        library, inside = _library_of(libraries, path)
        scopes[library.id].append(os.fsencode(inside))
        if inside == Path():
            whole.add(library.id)
    return {library_id: [] if library_id in whole else scopes[library_id] for library_id in scopes}


def _library_of(libraries: Iterable[Library], path: Path) -> tuple[Library, Path]:
    shown = display_of(os.fsencode(path))
    wanted = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 (a link stays what it is)
    if not os.path.lexists(wanted):
        raise NotFound(f"There is no file or folder {shown}.")
    for library in libraries:
        for spelled in (wanted, wanted.parent.resolve() / wanted.name, wanted.resolve()):
            if spelled.is_relative_to(root_of(library)):
                inside = spelled.relative_to(root_of(library))
                _refuse_passed_over(spelled, inside)
                return library, inside
    raise BadRequest(f"{shown} lies in no library. Add its folder first: dam library add {shown}")


def _refuse_passed_over(path: Path, inside: Path) -> None:
    folders = inside.parts if path.is_dir() else inside.parts[:-1]
    hidden = next(filter(is_skipped_folder, folders), None)
    if hidden is not None:
        raise BadRequest(f"Folders such as {hidden} are not indexed.")
    if not path.is_dir() and (path.is_symlink() or media_kind(path.name) is None):
        raise BadRequest(f"{display_of(os.fsencode(path))} is no photo, video or sound file.")


def _count_unreadable(database: Database, library_id: str, scope: Sequence[bytes]) -> int:
    query = select(func.count()).where(
        File.library_id == library_id, File.state == FileState.UNREADABLE
    )
    inside = [
        or_(File.path == part, (File.path >= part + b"/") & (File.path < part + b"0"))
        for part in scope
    ]
    with database.read() as session:
        return session.scalar(query.where(or_(*inside)) if inside else query) or 0
