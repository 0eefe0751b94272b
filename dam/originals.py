"""Finding and opening the file in which an asset lies, to show it to a person.

Reads only. A path is followed part by part beneath its library's root without following links, so
that neither a link inside a library nor one swapped in at the last moment leads out of it.
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from sqlalchemy import select

from dam.errors import LibraryOffline, NotFound
from dam.library.roots import descend, open_root
from dam.tables import Asset, File, FileState, Library, LibraryState

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# O_NONBLOCK: opening a FIFO must not wait for a writer.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Original:
    """An opened original; whoever gets it closes `stream`."""

    stream: BinaryIO
    name: str  # the file's own name, for people
    format: str
    kind: str
    size_bytes: int
    etag: str  # changes with the bytes on disk, also before the next scan sees them


def open_original(session: Session, asset_id: str) -> Original:
    """Opens the first file of an asset that can be reached.

    Raises `NotFound`, saying which libraries are offline or that the file is gone.
    """
    asset = session.get(Asset, asset_id)
    if asset is None:
        raise NotFound(f"There is no asset {asset_id}.")
    places = session.execute(
        select(File, Library)
        .join(Library)
        .where(File.asset_id == asset_id, File.state != FileState.MISSING)
        .order_by(Library.state == LibraryState.OFFLINE, File.trashed_us.is_not(None), File.id)
    ).all()
    reasons = []
    for file, library in places:
        if library.state == LibraryState.OFFLINE:
            reasons.append(f"the library {library.name!r} is offline")
            continue
        try:
            stream = open_beneath(library, file.path)
        except LibraryOffline as error:
            reasons.append(f"the library {library.name!r} is offline ({error})")
            continue
        except OSError as error:
            why = error.strerror or "it is no regular file"
            reasons.append(f"{file.display} in {library.name!r} cannot be opened ({why})")
            continue
        return _opened(stream, asset, file)
    said = "; ".join(reasons) or "its files are missing from disk"
    raise NotFound(f"The original cannot be shown now: {said}.")


def open_beneath(library: Library, relative: bytes) -> BinaryIO:
    """Opens a regular file for reading without following any link below the root.

    Raises OSError, also for `..`, FIFOs and devices, and `LibraryOffline`.
    """
    folder, _, name = os.fsdecode(relative).rpartition("/")
    if {"..", "."} & {*folder.split("/"), name}:
        raise OSError(f"not a path inside a library: {relative!r}")
    with ExitStack() as opened:
        root = _until_end(opened, open_root(library))
        inside = _until_end(opened, descend(root, folder))
        descriptor = os.open(name, _FLAGS, dir_fd=inside)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("not a regular file")
    return os.fdopen(descriptor, "rb")


def _until_end(opened: ExitStack, descriptor: int) -> int:
    opened.callback(os.close, descriptor)
    return descriptor


def _opened(stream: BinaryIO, asset: Asset, file: File) -> Original:
    found = os.fstat(stream.fileno())
    as_scanned = (found.st_size, found.st_mtime_ns) == (file.size_bytes, file.mtime_ns)
    return Original(
        stream=stream,
        name=file.display.rpartition("/")[2],
        format=asset.format,
        kind=asset.kind,
        size_bytes=found.st_size,
        etag=asset.content_hash if as_scanned else f"{found.st_size:x}-{found.st_mtime_ns:x}",
    )
