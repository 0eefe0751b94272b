"""The folders of this machine as the web app offers them for new libraries: only below a few roots.

Whoever reaches the web app shall not read the names of the whole disk, nor make a library of it.
The command line may add any folder: who uses it can look there anyway. Reads only.
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dam.errors import BadRequest, NotAllowed, NotFound
from dam.library.libraries import list_libraries
from dam.library.names import display_of, is_skipped_folder
from dam.library.roots import OPEN_FOLDER, descend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dam.config import Settings
    from dam.db import Database

# Where people's disks and shares appear on Linux and macOS, beside the home folder.
USUAL_ROOTS = ("/media", "/mnt", "/run/media", "/srv", "/Volumes")
MOST_FOLDERS = 5_000  # more than a person can choose from; a megabyte of answer


@dataclass(frozen=True, slots=True)
class FolderChoice:
    name: str
    path: str  # absolute, links resolved
    library: str | None  # the id of the library that it is
    readable: bool  # False: dam may not list it, or its name is no text


@dataclass(frozen=True, slots=True)
class FolderListing:
    path: str | None  # None: these are the roots
    parent: str | None  # None: a root, above which there are only the roots
    roots: list[str]
    folders: list[FolderChoice]
    truncated: bool  # there are more than are listed


def allowed_roots(settings: Settings) -> list[Path]:
    """The folders of DAM_FOLDER_ROOTS, or the usual ones, that are there; links resolved."""
    named = [part.strip() for part in settings.folder_roots.split(os.pathsep)]
    roots: list[Path] = []
    for name in filter(None, named if any(named) else _usual_roots()):
        try:
            root = Path(name).expanduser().resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            continue
        if root.is_dir() and root not in roots:
            roots.append(root)
    return roots


def allowed_folder(settings: Settings, asked: str) -> Path:
    """The same folder with all links resolved, when the web app may use it; it may be absent.

    Raises `BadRequest` for what is no absolute path, and `NotAllowed` for everything outside of
    the roots, whether it is there or not.
    """
    return _below_root(settings, asked)[1]


def list_choices(database: Database, settings: Settings, asked: str | None = None) -> FolderListing:
    """The folders directly in one; without one, the roots. Hidden ones are left out.

    Raises as `allowed_folder`, and `NotFound`.
    """
    roots = allowed_roots(settings)
    libraries = {os.fsdecode(library.root): library.id for library in list_libraries(database)}
    if asked is None:
        found = [(str(root), root, os.access(root, os.R_OK | os.X_OK)) for root in roots]
        path = parent = None
    else:
        root, folder = _below_root(settings, asked)
        found = sorted(_inside(settings, root, folder), key=lambda entry: entry[0].casefold())
        path = _shown(folder)
        parent = None if folder == root else _shown(folder.parent)
    return FolderListing(
        path=path,
        parent=parent,
        roots=[_shown(root) for root in roots],
        folders=[
            FolderChoice(
                name=display_of(os.fsencode(name)),
                path=_shown(inner),
                library=libraries.get(str(inner)),
                readable=readable and _is_text(str(inner)),
            )
            for name, inner, readable in found[:MOST_FOLDERS]
        ],
        truncated=len(found) > MOST_FOLDERS,
    )


def _usual_roots() -> list[str]:
    try:
        home = str(Path.home())
    except RuntimeError:  # an account without a home folder
        return list(USUAL_ROOTS)
    return [*([] if home == "/" else [home]), *USUAL_ROOTS]


def _below_root(settings: Settings, asked: str) -> tuple[Path, Path]:
    """(the root, the folder), both with links resolved."""
    try:
        path = Path(asked).expanduser()
        folder = Path(os.path.realpath(path))
    except (RuntimeError, ValueError) as error:  # an unknown user's ~, a NUL
        raise BadRequest(f"{asked!r} is no folder's path: {error}.") from error
    if not path.is_absolute():
        raise BadRequest(f"{asked!r} is no absolute path: it must begin with /.")
    for root in allowed_roots(settings):
        if folder.is_relative_to(root) and not _is_hidden(folder.relative_to(root)):
            return root, folder
    # What was asked and not what it leads to: the target of a link is nobody's business.
    raise NotAllowed(
        f"{asked} lies outside of the folders that the web app may use (DAM_FOLDER_ROOTS), or is "
        "hidden. The command line takes any folder: dam library add FOLDER"
    )


def _is_hidden(inside: Path) -> bool:
    return any(map(is_skipped_folder, inside.parts))


def _inside(settings: Settings, root: Path, folder: Path) -> Iterator[tuple[str, Path, bool]]:
    """(name, path, readable) of each folder in a folder, which is opened without following links:
    it was resolved a moment ago, and what has become a link since then may lead anywhere."""
    home = settings.home.resolve()
    try:
        root_fd = os.open(root, OPEN_FOLDER)
        try:
            fd = descend(root_fd, str(folder.relative_to(root)))
        finally:
            os.close(root_fd)
    except FileNotFoundError:
        raise NotFound(f"There is no folder {_shown(folder)}.") from None
    except OSError as error:
        raise BadRequest(f"{_shown(folder)} cannot be listed: {error.strerror}.") from error
    try:
        with closing(os.scandir(fd)) as entries:
            for entry in entries:
                inner = _folder_behind(settings, folder, entry)
                if inner is not None and inner != home and not is_skipped_folder(entry.name):
                    yield entry.name, inner, os.access(entry.name, os.R_OK | os.X_OK, dir_fd=fd)
    except OSError as error:
        raise BadRequest(f"{_shown(folder)} cannot be listed: {error.strerror}.") from error
    finally:
        os.close(fd)


def _folder_behind(settings: Settings, folder: Path, entry: os.DirEntry[str]) -> Path | None:
    """The folder itself, or where a link to one leads unless that is out of the roots."""
    path = folder / entry.name
    if not entry.is_symlink():
        return path if entry.is_dir(follow_symlinks=False) else None
    try:
        target = allowed_folder(settings, str(path))
    except (BadRequest, NotAllowed):
        return None
    return target if target.is_dir() else None


def _shown(path: Path) -> str:
    """Exactly the path, unless its bytes are no UTF-8, which JSON could not carry."""
    return os.fsencode(path).decode("utf-8", "replace")


def _is_text(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
