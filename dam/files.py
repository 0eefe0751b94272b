"""Files and folders of a library, as people browse them. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from dam.asset_detail import FileView, file_view
from dam.assets import read_cursor, write_cursor
from dam.errors import BadRequest, NotFound
from dam.tables import File, FileState, Library
from dam.trash import not_in_trash

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class FilePage:
    files: list[FileView]
    next_cursor: str | None  # None: this was the last page


@dataclass(frozen=True, slots=True)
class Folder:
    path: str  # relative to the library
    assets: int  # in it and below it


@dataclass(frozen=True, slots=True)
class FolderList:
    folders: list[Folder]


def list_files(
    session: Session, library_id: str, state: str | None, *, limit: int, cursor: str | None
) -> FilePage:
    """Files in the order of their paths. Raises `NotFound`; `BadRequest` for a foreign cursor."""
    library = _library(session, library_id)
    chosen = select(File).where(File.library_id == library_id)
    if state is not None:
        chosen = chosen.where(File.state == state)
    if cursor is not None:
        chosen = chosen.where(File.path > _path_of(cursor))
    rows = session.scalars(chosen.order_by(File.path).limit(limit + 1)).all()
    following = write_cursor([rows[limit - 1].path.hex()]) if len(rows) > limit else None
    return FilePage([file_view(file, library) for file in rows[:limit]], following)


def list_folders(session: Session, library_id: str, under: str = "") -> FolderList:
    """The folders directly below `under` that hold something. Raises `NotFound`."""
    _library(session, library_id)
    prefix = f"{under.strip('/')}/" if under.strip("/") else ""
    rest = func.substr(File.display, len(prefix) + 1)
    name = func.substr(rest, 1, func.instr(rest, "/") - 1)
    rows = session.execute(
        select(name, func.count(File.asset_id.distinct()))
        .join(File.asset)
        .where(
            File.library_id == library_id,
            File.state == FileState.PRESENT,
            File.trashed_us.is_(None),
            not_in_trash(),
            func.substr(File.display, 1, len(prefix)) == prefix,
            func.instr(rest, "/") > 0,
        )
        .group_by(name)
        .order_by(name)
    )
    return FolderList([Folder(prefix + name, assets) for name, assets in rows])


def _library(session: Session, library_id: str) -> Library:
    library = session.get(Library, library_id)
    if library is None:
        raise NotFound(f"There is no library {library_id}.")
    return library


def _path_of(cursor: str) -> bytes:
    match read_cursor(cursor):
        case [str() as path]:
            try:
                return bytes.fromhex(path)
            except ValueError:
                pass
    raise BadRequest("The cursor does not come from this list.")
