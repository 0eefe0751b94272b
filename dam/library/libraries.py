"""Adding, finding and removing libraries: which folders dam looks at.

Never touches an original: removing a library makes dam forget it, nothing else. Called by the
command line and the web.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, delete, exists, func, not_, select
from sqlalchemy.orm import aliased

from dam.decisions import is_decided
from dam.errors import BadRequest, Conflict, LibraryOffline, NotFound
from dam.library.exclusive import alone_with
from dam.library.missing import settle_absent
from dam.library.names import display_of, signed_64
from dam.library.roots import root_of
from dam.library.scan import scan_library
from dam.library.stacks import Stacker, dissolve_broken_stacks
from dam.tables import Asset, File, FileState, Library
from dam.trash import bring_back_last_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from dam.db import Database


PRIORITIES = (1, 0, -1)


@dataclass(frozen=True, slots=True)
class LibraryStatus:
    """One library with its file counts, for listings."""

    id: str
    name: str
    root: Path
    state: str
    reason: str | None
    scanned_us: int | None
    priority: int  # 1: indexed before the others, 0, -1: after them
    present: int
    missing: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class Removal:
    """What removing a library makes dam forget. The originals stay where they are."""

    library: str
    files: int
    assets_removed: int
    assets_kept: int  # without any file from now on, because a person decided something about them


def add_library(
    database: Database, root: Path, name: str | None = None, *, through_links: bool = True
) -> Library:
    """Raises `NotFound`, `BadRequest` or `Conflict` when the folder cannot be a library.

    `through_links=False` is for a path that was resolved and approved: what has become a link since
    then may lead anywhere.
    """
    folder = _usable_folder(root, home=database.path.parent)
    if not through_links and folder != root:
        raise Conflict(f"{root} has become a link meanwhile.")
    with database.write() as session:
        libraries = session.scalars(select(Library)).all()
        for other in libraries:
            _refuse_overlap(folder, other)
        taken = {other.name for other in libraries}
        if name is not None and name in taken:
            raise Conflict(f"There is already a library named “{name}”.")
        facts = folder.stat()
        library = Library(
            name=name or _free_name(display_of(os.fsencode(folder.name)) or "library", taken),
            root=os.fsencode(folder),
            device=signed_64(facts.st_dev),
            inode=signed_64(facts.st_ino),
        )
        session.add(library)
        session.flush()
    return library


def change_library(
    database: Database, name_or_id: str, *, name: str | None = None, priority: int | None = None
) -> None:
    """Renames a library, or says when it is indexed: before the others (1), with them, after (-1).

    What is None stays as it is. Raises `NotFound`, `BadRequest`, or `Conflict` for a taken name.
    """
    library_id = find_library(database, name_or_id).id
    if priority is not None and priority not in PRIORITIES:
        raise BadRequest(f"{priority} is no priority: 1 is first, 0 as usual, -1 later.")
    with database.write() as session:
        library = session.get_one(Library, library_id)
        if name is not None:
            library.name = _unused_name(session, library, name)
        if priority is not None:
            library.priority = priority


def _unused_name(session: Session, library: Library, name: str) -> str:
    wanted = " ".join(name.split())
    if not wanted or not wanted.isprintable():
        raise BadRequest("A library's name has at least one character, and visible ones only.")
    others = select(Library.id).where(Library.name == wanted, Library.id != library.id)
    if session.scalar(others) is not None:
        raise Conflict(f"There is already a library named “{wanted}”.")
    return wanted


def list_libraries(database: Database) -> Sequence[Library]:
    with database.read() as session:
        return session.scalars(select(Library).order_by(Library.name)).all()


def library_statuses(database: Database) -> list[LibraryStatus]:
    with database.read() as session:
        libraries = session.scalars(select(Library).order_by(Library.name)).all()
        counted = session.execute(
            select(File.library_id, File.state, func.count()).group_by(File.library_id, File.state)
        ).all()
    counts = {(library_id, state): number for library_id, state, number in counted}
    return [
        LibraryStatus(
            id=library.id,
            name=library.name,
            root=root_of(library),
            state=library.state,
            reason=library.state_reason,
            scanned_us=library.scanned_us,
            priority=library.priority,
            present=counts.get((library.id, FileState.PRESENT), 0),
            missing=counts.get((library.id, FileState.MISSING), 0),
            unreadable=counts.get((library.id, FileState.UNREADABLE), 0),
        )
        for library in libraries
    ]


def find_library(database: Database, name_or_id: str) -> Library:
    """A library by its id, its name or its folder, in this order. Raises `NotFound`.

    Who asks by id gets that one, even where another one has the id for a name.
    """
    with database.read() as session:
        libraries = session.scalars(select(Library)).all()
    wanted = os.fsencode(Path(name_or_id).expanduser().absolute())
    found = [one for one in libraries if name_or_id in (one.id, one.name) or one.root == wanted]
    if found:
        return min(found, key=lambda one: (one.id != name_or_id, one.name != name_or_id))
    known = ", ".join(sorted(library.name for library in libraries)) or "none yet"
    raise NotFound(f"There is no library “{name_or_id}”. Libraries: {known}.")


def describe_removal(database: Database, name_or_id: str) -> Removal:
    """What `remove_library` would do, for a person to confirm."""
    library = find_library(database, name_or_id)
    with database.read() as session:
        return _describe(session, library)


def remove_library(database: Database, name_or_id: str) -> Removal:
    """Forgets a library's files, and the assets that lie nowhere else.

    An asset about which a person decided something stays, without files: it finds its decisions
    again when its content comes back.
    """
    library = find_library(database, name_or_id)
    with database.write() as session:
        removal = _describe(session, library)
        session.execute(delete(Asset).where(_only_in(library.id), not_(is_decided())))
        session.execute(delete(Library).where(Library.id == library.id))
        bring_back_last_files(session)
        dissolve_broken_stacks(session)
    return removal


def confirm_missing(database: Database, name_or_id: str) -> int:
    """Marks everything missing that is not there now: a person says that it is gone for good.

    Also makes another folder at the root's path the right one. Returns how many files are newly
    missing. Raises `LibraryOffline` when the library cannot be seen as a whole.
    """
    library = find_library(database, name_or_id)
    with alone_with(database, library.id):
        changes = scan_library(database, library, trusted=True)
        if not changes.complete:
            raise LibraryOffline(f"{library.name} could not be read as a whole: {changes.notes}")
        with database.write() as session:
            missing = settle_absent(session, library.id, changes, fraction=1, confirmed=True)
            Stacker().restack(session, {file.asset_id for file in missing if file.asset_id})
    return len(missing)


def _describe(session: Session, library: Library) -> Removal:
    def count(*conditions: ColumnElement[bool]) -> int:
        return session.scalar(select(func.count()).select_from(Asset).where(*conditions)) or 0

    files = session.scalar(
        select(func.count()).select_from(File).where(File.library_id == library.id)
    )
    only_here = _only_in(library.id)
    return Removal(
        library=library.name,
        files=files or 0,
        assets_removed=count(only_here, not_(is_decided())),
        assets_kept=count(only_here, is_decided()),
    )


def _only_in(library_id: str) -> ColumnElement[bool]:
    here, elsewhere = aliased(File), aliased(File)
    return and_(
        Asset.id.in_(select(here.asset_id).where(here.library_id == library_id)),
        not_(exists().where(elsewhere.asset_id == Asset.id, elsewhere.library_id != library_id)),
    )


def _usable_folder(root: Path, *, home: Path) -> Path:
    try:
        folder = root.expanduser().resolve(strict=True)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"There is no folder {root}.") from None
    except (OSError, RuntimeError) as error:  # no permission on the way, or a loop of links
        raise BadRequest(f"The folder {root} cannot be opened: {error}.") from error
    if not folder.is_dir():
        raise BadRequest(f"{root} is a file; a library is a folder.")
    try:
        with os.scandir(folder) as entries:
            next(entries, None)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadRequest(f"The folder {root} cannot be listed: {reason}.") from error
    if folder.is_relative_to(home.resolve()):
        raise BadRequest(f"{root} is where dam keeps its own data (DAM_HOME); add another folder.")
    return folder


def _refuse_overlap(folder: Path, other: Library) -> None:
    theirs = root_of(other)
    if folder == theirs or _is_same_folder(folder, theirs):
        raise Conflict(f"{folder} is already the library “{other.name}”.")
    if folder.is_relative_to(theirs):
        raise Conflict(f"{folder} lies inside the library “{other.name}” ({theirs}).")
    if theirs.is_relative_to(folder):
        raise Conflict(f"The library “{other.name}” ({theirs}) lies inside {folder}.")


def _is_same_folder(folder: Path, theirs: Path) -> bool:
    """True also for two names of one folder: a bind mount, another spelling of the case."""
    try:
        return folder.samefile(theirs)
    except OSError:
        return False


def _free_name(wanted: str, taken: set[str]) -> str:
    if wanted not in taken:
        return wanted
    return next(f"{wanted} {n}" for n in range(2, len(taken) + 3) if f"{wanted} {n}" not in taken)
