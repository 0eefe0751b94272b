"""Puts a new file into a library: whole or not at all, and never over another one.

The only writer below a library's root, and only for files that a person uploads. Every step is
relative to an opened folder and follows no link, so that nothing leads out of the library. The file
grows under a hidden name, which scans pass over, and gets its own name at the end.
"""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from blake3 import blake3

from dam.disk import check_room, is_full
from dam.errors import BadRequest, Conflict, DamagedUpload, DiskFull, NotAllowed
from dam.library.roots import OPEN_FOLDER, check_root, open_root
from dam.upload_names import numbered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from dam.tables import Library

CHUNK_BYTES = 1 << 20
MOST_NAMESAKES = 1_000  # "beach (1000).jpg"; more is a mistake of a program
PART = ".dam-upload-{}.part"

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_REFUSED = frozenset((errno.EACCES, errno.EPERM, errno.EROFS))
# File systems without hard links: FAT and exFAT, many network shares.
_NO_LINKS = frozenset((errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV))


def open_checked_root(session: Session, library: Library) -> int:
    """A descriptor of the root. Raises `LibraryOffline` when it is not the folder that was added:
    what is written into the empty folder of a disk that is away is hidden when that comes back."""
    root_fd = open_root(library)
    try:
        check_root(session, library, root_fd)
    except BaseException:
        os.close(root_fd)
        raise
    return root_fd


def check_place(root_fd: int, folder: str, needed_bytes: int) -> None:
    """Raises what `place` would raise for this folder, without making or writing anything."""
    with _explained(folder):
        fd = _deepest(root_fd, folder)
        try:
            if not os.access(".", os.W_OK | os.X_OK, dir_fd=fd):
                raise OSError(errno.EACCES, os.strerror(errno.EACCES))
            check_room(fd, needed_bytes, where="the library")
        finally:
            os.close(fd)


def place(
    root_fd: int, folder: str, name: str, source: int, *, content_hash: str, part: str
) -> str:
    """Copies an opened file into a folder of the library, which is made where it is missing.

    Returns the path below the root. It ends in another name ("beach (2).jpg") where that one is
    taken, unless by the same bytes: then they are there already, for instance because dam was
    stopped right behind this. `part` is the hidden name meanwhile; what a kill left under it is
    replaced. Raises `DamagedUpload` when the bytes are not those of `content_hash` (BLAKE3 hex),
    `NotAllowed`, `Conflict`, `BadRequest` or `DiskFull`.
    """
    with _explained(folder):
        folder_fd, path = _made(root_fd, folder)
        try:
            size_bytes = os.fstat(source).st_size
            remove_part(folder_fd, part)
            free, number = _free_name(folder_fd, name, 1, size_bytes, content_hash)
            if free is None:  # it is there
                return _joined(path, _numbered(name, number))
            check_room(folder_fd, size_bytes, where="the library")
            try:
                _copy(source, folder_fd, part, content_hash)
                while not _publish(folder_fd, part, free):  # somebody else was faster
                    free, number = _free_name(folder_fd, name, number + 1, size_bytes, content_hash)
                    if free is None:
                        return _joined(path, _numbered(name, number))
            finally:
                remove_part(folder_fd, part)
            os.fsync(folder_fd)
            return _joined(path, free)
        finally:
            os.close(folder_fd)


def is_placed(root_fd: int, path: str, size_bytes: int) -> bool:
    """Whether a file of that size lies there, reached without following links."""
    folder, _, name = path.rpartition("/")
    try:
        fd = _walked(root_fd, folder)
    except OSError:
        return False
    try:
        facts = os.stat(name, dir_fd=fd, follow_symlinks=False)
    except OSError:
        return False
    finally:
        os.close(fd)
    return stat.S_ISREG(facts.st_mode) and facts.st_size == size_bytes


def forget_part(root_fd: int, folder: str, part: str) -> None:
    """Removes what a kill left in a folder under a hidden name, if it can be reached."""
    with suppress(OSError):
        fd = _walked(root_fd, folder)
        try:
            remove_part(fd, part)
        finally:
            os.close(fd)


def remove_part(folder_fd: int, part: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(part, dir_fd=folder_fd)


# Names --------------------------------------------------------------------------------------


def _free_name(
    folder_fd: int, name: str, number: int, size_bytes: int, content_hash: str
) -> tuple[str | None, int]:
    """(the first name that is not taken, its number); (None, number) where the same bytes lie."""
    for tried in range(number, MOST_NAMESAKES + 1):
        candidate = _numbered(name, tried)
        try:
            facts = os.stat(candidate, dir_fd=folder_fd, follow_symlinks=False)
        except FileNotFoundError:
            return candidate, tried
        is_same_size = stat.S_ISREG(facts.st_mode) and facts.st_size == size_bytes
        if is_same_size and _hash_of(folder_fd, candidate) == content_hash:
            return None, tried
    raise Conflict(f"There are already {MOST_NAMESAKES} files named like {name!r} in that folder.")


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else numbered(name, number)


def _hash_of(folder_fd: int, name: str) -> str | None:
    try:
        fd = os.open(name, _READ, dir_fd=folder_fd)
    except OSError:
        return None
    digest = blake3(max_threads=1)
    with os.fdopen(fd, "rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


# Bytes --------------------------------------------------------------------------------------


def _copy(source: int, folder_fd: int, part: str, content_hash: str) -> None:
    """What is written is what is hashed, so that nothing else can ever get the file's name."""
    digest = blake3(max_threads=1)
    at = 0
    fd = os.open(part, _CREATE, 0o666, dir_fd=folder_fd)
    with os.fdopen(fd, "wb", buffering=0) as target:
        while chunk := os.pread(source, CHUNK_BYTES, at):
            at += len(chunk)
            digest.update(chunk)
            left = memoryview(chunk)
            while left:
                left = left[target.write(left) or 0 :]
        if digest.hexdigest() != content_hash:
            raise DamagedUpload
        os.fsync(target.fileno())


def _publish(folder_fd: int, part: str, name: str) -> bool:
    """Gives the finished file its name in one step; False when that is taken by now."""
    try:
        os.link(part, name, src_dir_fd=folder_fd, dst_dir_fd=folder_fd, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _publish_without_links(folder_fd, part, name)
    return True


def _publish_without_links(folder_fd: int, part: str, name: str) -> bool:
    """Takes the name with an empty file, which only its maker gets, and puts the other in place."""
    try:
        os.close(os.open(name, _CREATE, 0o666, dir_fd=folder_fd))
    except FileExistsError:
        return False
    try:
        os.rename(part, name, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
    except OSError:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder_fd)
        raise
    return True


# Folders ------------------------------------------------------------------------------------


def _made(root_fd: int, folder: str) -> tuple[int, str]:
    """(a descriptor of the folder, its path as the disk spells it); makes what is missing."""
    fd, path = os.dup(root_fd), ""
    for wanted in filter(None, folder.split("/")):
        try:
            name = _spelled(fd, wanted)
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=fd)
                os.fsync(fd)
            inner = os.open(name, OPEN_FOLDER, dir_fd=fd)
        finally:
            os.close(fd)
        fd, path = inner, _joined(path, name)
    return fd, path


def _walked(root_fd: int, folder: str) -> int:
    fd = os.dup(root_fd)
    for wanted in filter(None, folder.split("/")):
        try:
            inner = os.open(_spelled(fd, wanted), OPEN_FOLDER, dir_fd=fd)
        finally:
            os.close(fd)
        fd = inner
    return fd


def _deepest(root_fd: int, folder: str) -> int:
    """The last folder on the way that is there already."""
    fd = os.dup(root_fd)
    for wanted in filter(None, folder.split("/")):
        try:
            inner = os.open(_spelled(fd, wanted), OPEN_FOLDER, dir_fd=fd)
        except FileNotFoundError:
            return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
        fd = inner
    return fd


def _spelled(fd: int, wanted: str) -> str:
    """The name as it is on the disk: folders from a Mac are spelled in NFD, people see them in NFC,
    and a second folder that looks the same would help nobody."""
    if wanted.isascii():
        return wanted
    try:
        os.stat(wanted, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        with os.scandir(fd) as entries:
            for entry in entries:
                if unicodedata.normalize("NFC", entry.name) == wanted:
                    return entry.name
    return wanted


@contextmanager
def _explained(folder: str) -> Iterator[None]:
    """What the file system refuses, in words and as the right kind of error."""
    where = f"the folder {folder!r} of the library" if folder else "the library's folder"
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if is_full(error):
            raise DiskFull(f"There is no room left on the disk of {where}.") from error
        if error.errno in _REFUSED:
            raise NotAllowed(
                f"Nothing can be written into {where}: {reason}. The user that runs dam needs the "
                "right to; a container needs the folder mounted writable."
            ) from error
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENOENT):
            raise Conflict(
                f"Not all of {where} are folders: {reason}. Uploads follow no links."
            ) from error
        if error.errno in (errno.EINVAL, errno.ENAMETOOLONG, errno.EILSEQ):
            raise BadRequest(
                f"The file system of {where} does not take this name: {reason}."
            ) from error
        raise
