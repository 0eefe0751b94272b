"""Libraries: the watched folders and the files in them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from apiflask import APIBlueprint
from pydantic import Field

from dam.asset_detail import moment
from dam.errors import NotFound, RetryLater
from dam.files import FilePage, FolderList, list_files, list_folders
from dam.folders import allowed_folder
from dam.library.libraries import (
    LibraryStatus,
    add_library,
    change_library,
    confirm_missing,
    describe_removal,
    library_statuses,
    remove_library,
)
from dam.library.scan_requests import request_scan
from dam.liveness import living
from web.services import services
from web.shapes import Page, Request, answer

bp = APIBlueprint("libraries", __name__, url_prefix="/libraries", tag="Libraries")


@dataclass(frozen=True, slots=True)
class FileCounts:
    present: int
    missing: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class LibraryView:
    id: str
    name: str
    path: str
    state: str  # online, offline or suspended
    state_reason: str | None
    scanned_at: datetime | None  # end of the last complete scan
    files: FileCounts
    priority: int  # 1: indexed before the others, 0, -1: after them


@dataclass(frozen=True, slots=True)
class LibraryList:
    libraries: list[LibraryView]


@dataclass(frozen=True, slots=True)
class RemovalView:
    removed: bool  # False: nothing happened yet, this is what would
    library: str
    files: int
    assets_removed: int
    assets_kept: int  # without a file, because a person decided something about them


@dataclass(frozen=True, slots=True)
class ScanRequested:
    requested: bool  # the watcher starts within seconds


class NewLibrary(Request):
    path: str = Field(min_length=1, max_length=4096, description="A folder on this machine.")
    name: str | None = Field(None, min_length=1, max_length=200)


class LibraryChanges(Request):
    name: str | None = Field(None, min_length=1, max_length=200)
    priority: Literal[-1, 0, 1] | None = Field(
        None, description="1: indexed before the others; 0: as usual; -1: after them."
    )


class RemovalQuery(Request):
    confirm: bool = Field(False, description="Without it nothing is removed.")


class FilesQuery(Page):
    state: Literal["present", "missing", "unreadable"] | None = None


class FoldersQuery(Request):
    under: str = Field("", max_length=4096, description="A folder of the library; empty: its root.")


@bp.get("")
@bp.output(answer(LibraryList))
def list_all() -> LibraryList:
    """List the libraries with their states and file counts."""
    return LibraryList([library_view(status) for status in library_statuses(services().database)])


@bp.post("")
@bp.input(NewLibrary)
@bp.output(answer(LibraryView), status_code=201)
@bp.doc(
    responses={
        403: "It lies outside of DAM_FOLDER_ROOTS, or is hidden.",
        409: "The folder is a library already, or lies in one.",
    }
)
def add(json_data: NewLibrary) -> LibraryView:
    """Add a folder below DAM_FOLDER_ROOTS. Only uploads to it are ever written into it."""
    owner = services()
    folder = allowed_folder(owner.settings, json_data.path)
    library = add_library(owner.database, folder, json_data.name, through_links=False)
    return _find(library.id)


@bp.get("/<library_id>")
@bp.output(answer(LibraryView))
def get(library_id: str) -> LibraryView:
    """Get one library."""
    return _find(library_id)


@bp.patch("/<library_id>")
@bp.input(LibraryChanges)
@bp.output(answer(LibraryView))
@bp.doc(responses={409: "Another library has that name."})
def change(library_id: str, json_data: LibraryChanges) -> LibraryView:
    """Rename a library, or say whether it is indexed before or after the others."""
    _find(library_id)
    change_library(
        services().database, library_id, name=json_data.name, priority=json_data.priority
    )
    return _find(library_id)


@bp.delete("/<library_id>")
@bp.input(RemovalQuery, location="query")
@bp.output(answer(RemovalView))
def remove(library_id: str, query_data: RemovalQuery) -> RemovalView:
    """Forget a library, or without `confirm` say what would be forgotten.

    The originals are never touched.
    """
    name = _find(library_id).name
    act = remove_library if query_data.confirm else describe_removal
    removal = act(services().database, library_id)
    return RemovalView(
        query_data.confirm, name, removal.files, removal.assets_removed, removal.assets_kept
    )


@bp.post("/<library_id>/scan")
@bp.output(answer(ScanRequested), status_code=202)
@bp.doc(responses={503: "No watcher runs that could do it."})
def scan(library_id: str) -> ScanRequested:
    """Look at every file of a library now, those that could not be read included."""
    library = _find(library_id)
    run_path = services().settings.run_path
    if not any(process.role == "watch" for process in living(run_path)):
        raise RetryLater("No watcher runs. `dam serve` starts it; `dam index` scans without it.")
    request_scan(run_path, library.id)
    return ScanRequested(requested=True)


@bp.post("/<library_id>/confirm-missing")
@bp.output(answer(LibraryView))
def confirm(library_id: str) -> LibraryView:
    """Accept that many files are gone, after dam suspended the library because of it."""
    _find(library_id)
    confirm_missing(services().database, library_id)
    return _find(library_id)


@bp.get("/<library_id>/files")
@bp.input(FilesQuery, location="query")
@bp.output(answer(FilePage))
def get_files(library_id: str, query_data: FilesQuery) -> FilePage:
    """List a library's files, those that cannot be read with the reason."""
    with services().database.read() as session:
        return list_files(
            session,
            library_id,
            query_data.state,
            limit=query_data.limit,
            cursor=query_data.cursor,
        )


@bp.get("/<library_id>/folders")
@bp.input(FoldersQuery, location="query")
@bp.output(answer(FolderList))
def get_folders(library_id: str, query_data: FoldersQuery) -> FolderList:
    """List the folders directly below a folder."""
    with services().database.read() as session:
        return list_folders(session, library_id, query_data.under)


def _find(library_id: str) -> LibraryView:
    """By id alone: names are for people at the command line."""
    for status in library_statuses(services().database):
        if status.id == library_id:
            return library_view(status)
    raise NotFound(f"There is no library {library_id}.")


def library_view(status: LibraryStatus) -> LibraryView:
    return LibraryView(
        id=status.id,
        name=status.name,
        path=os.fsencode(status.root).decode(errors="replace"),
        state=status.state,
        state_reason=status.reason,
        scanned_at=moment(status.scanned_us),
        files=FileCounts(status.present, status.missing, status.unreadable),
        priority=status.priority,
    )
