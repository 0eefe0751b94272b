"""Exact copies: one asset in several files. Which there are, and which a person puts away.

A copy that is put away stays on disk, and so does what lies beside it: `dam.trash` says what that
means. Looks at folders for sidecars, and nothing else.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from blake3 import blake3
from sqlalchemy import func, select

from dam.asset_detail import EPOCH, moment
from dam.changes import Before, Changed, change_each
from dam.errors import BadRequest, NotFound
from dam.library.names import display_of, stem_of
from dam.media.opening import open_for_reading
from dam.media.sidecars import MAX_SIDECAR_BYTES, sidecar_names
from dam.tables import Asset, File, FileState, Library, LibraryState
from dam.trash import write_file_trash

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from dam.db import Database

_PARAMETERS = 10_000  # SQLite takes 32,766 in one statement


@dataclass(frozen=True, slots=True)
class Sidecar:
    """An XMP file beside a copy."""

    name: str
    digest: str | None  # the same for the same bytes; None: it cannot be read
    shared_with: list[str]  # names of other files in the folder that it belongs to as well


@dataclass(frozen=True, slots=True)
class FileCopy:
    """One of the files of an asset."""

    file_id: str
    asset_id: str
    path: str  # absolute, for people
    library: str
    library_state: str  # online, offline or suspended
    modified_at: datetime
    trashed_at: datetime | None
    sidecars: list[Sidecar]  # nothing is known of them while the library is offline


def exact_copies(session: Session) -> dict[str, list[str]]:
    """Absolute paths of the files in use, for assets that have several; first the one to keep."""
    several = (
        select(File.asset_id)
        .join(Asset, Asset.id == File.asset_id)
        .where(*_in_use(), Asset.trashed_us.is_(None))
        .group_by(File.asset_id)
        .having(func.count() > 1)
    )
    ids = [asset_id for asset_id in session.scalars(several) if asset_id is not None]
    return {
        asset_id: [_path(file, library) for file, library in listed]
        for asset_id, listed in _files(session, ids).items()
    }


def copies_of(session: Session, asset_ids: Sequence[str]) -> dict[str, list[FileCopy]]:
    """The files in use of each asset that has several, with what lies beside them."""
    return {
        asset_id: [_copy(session, file, library) for file, library in listed]
        for asset_id, listed in _files(session, asset_ids).items()
        if len(listed) > 1
    }


def trashed_copies(session: Session) -> list[FileCopy]:
    """What was put away of assets that lie elsewhere too, the newest first."""
    rows = session.execute(
        _places()
        .where(File.trashed_us.is_not(None), File.asset_id.is_not(None))
        .order_by(File.trashed_us.desc(), File.path)
    )
    return [_copy(session, file, library) for file, library in rows]


def trash_files(database: Database, file_ids: Sequence[str]) -> Changed:
    """Puts copies away; `Changed` counts files, and `undo_change` takes it back.

    Raises `NotFound` for an unknown file, and `BadRequest` where no file of an asset would be left
    in use: the asset itself may go to the trash instead.
    """

    def put_away(session: Session, at_us: int) -> Before:
        files = _known(session, file_ids)
        _leave_one(session, files)
        wanted = {file.id: at_us for file in files if file.trashed_us is None}
        return Before(files=write_file_trash(session, dict(wanted)))

    return change_each(database, [], put_away)


def restore_files(database: Database, file_ids: Sequence[str]) -> Changed:
    """Takes copies back into use. Raises `NotFound`."""

    def take_back(session: Session, _at_us: int) -> Before:
        wanted = {file.id: None for file in _known(session, file_ids)}
        return Before(files=write_file_trash(session, dict(wanted)))

    return change_each(database, [], take_back)


def _known(session: Session, file_ids: Sequence[str]) -> list[File]:
    files = []
    for file_id in dict.fromkeys(file_ids):
        number = int(file_id) if file_id.isdecimal() and len(file_id) < 19 else -1
        file = session.get(File, number)
        if file is None or file.asset_id is None or file.state != FileState.PRESENT:
            raise NotFound(f"There is no copy {file_id}: its file is not there, or never was.")
        files.append(file)
    return files


def _leave_one(session: Session, files: Sequence[File]) -> None:
    going = {file.id for file in files}
    for asset_id in {file.asset_id for file in files}:
        staying = select(File.id).where(
            *_in_use(), File.asset_id == asset_id, File.id.not_in(going)
        )
        if session.scalar(staying.limit(1)) is None:
            name = next(file.display for file in files if file.asset_id == asset_id)
            raise BadRequest(
                f"One file has to stay, and {name} has no other copy in use. To put away the "
                "last one, move the asset itself to the trash."
            )


def _in_use() -> tuple[ColumnElement[bool], ...]:
    return File.state == FileState.PRESENT, File.trashed_us.is_(None)


def _places() -> Select[File, Library]:
    return select(File, Library).join(Library, Library.id == File.library_id)


def _files(session: Session, asset_ids: Iterable[str]) -> dict[str, list[tuple[File, Library]]]:
    """In use, by asset; first the one to keep: it can be reached, has a sidecar, came first."""
    listed, found = sorted(set(asset_ids)), defaultdict[str, list[tuple[File, Library]]](list)
    for start in range(0, len(listed), _PARAMETERS):
        part = listed[start : start + _PARAMETERS]
        rows = session.execute(
            _places()
            .where(File.asset_id.in_(part), *_in_use())
            .order_by(Library.state == LibraryState.OFFLINE, File.sidecar.is_(None), File.id)
        )
        for file, library in rows:
            if file.asset_id is not None:
                found[file.asset_id].append((file, library))
    return found


def _copy(session: Session, file: File, library: Library) -> FileCopy:
    away = library.state == LibraryState.OFFLINE
    return FileCopy(
        file_id=str(file.id),
        asset_id=file.asset_id or "",
        path=_path(file, library),
        library=library.name,
        library_state=library.state,
        modified_at=EPOCH + timedelta(microseconds=file.mtime_ns // 1000),
        trashed_at=moment(file.trashed_us),
        sidecars=[] if away else _sidecars(session, file, library),
    )


def _path(file: File, library: Library) -> str:
    return display_of(library.root + b"/" + file.path)


def _sidecars(session: Session, file: File, library: Library) -> list[Sidecar]:
    path = Path(os.fsdecode(library.root + b"/" + file.path))
    found: dict[tuple[int, int], Path] = {}
    for name in sidecar_names(path):
        beside = path.with_name(name)
        try:
            facts = beside.stat(follow_symlinks=False)
        except OSError:  # not there, or its name became too long
            continue
        found.setdefault((facts.st_dev, facts.st_ino), beside)  # once where case does not matter
    return [
        Sidecar(
            display_of(os.fsencode(one.name)),
            _digest(one),
            _also_of(session, file) if one.stem == path.stem else [],
        )
        for one in found.values()
    ]


def _also_of(session: Session, file: File) -> list[str]:
    """Files beside it that share its name up to the suffix, as `photo.cr3` and `photo.jpg` do."""
    stem = stem_of(file.path)
    rows = session.scalars(
        select(File.display).where(
            File.library_id == file.library_id,
            File.id != file.id,
            *_in_use(),
            File.path >= stem + b".",
            File.path < stem + b"/",  # "/" follows "."
        )
    )
    return sorted(display.rpartition("/")[2] for display in rows)


def _digest(sidecar: Path) -> str | None:
    try:
        with open_for_reading(sidecar) as stream:
            packet = stream.read(MAX_SIDECAR_BYTES + 1)
    except OSError:
        return None
    return blake3(packet).hexdigest()[:16] if len(packet) <= MAX_SIDECAR_BYTES else None
