"""Files on their way into a library: they arrive in parts, survive a restart, and are put in place
whole when their hash is right.

Under DAM_HOME/uploads every unfinished file has a folder with what was announced and the bytes so
far; how far it has come is the size of those bytes and is noted nowhere else. Finished ones leave a
note for a day, so that a client that missed the answer does not send everything again.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from blake3 import blake3
from sqlalchemy import select

from dam.disk import check_room, is_full
from dam.errors import (
    Conflict,
    DamagedUpload,
    DamError,
    DiskFull,
    NotFound,
    OverLimit,
    RetryLater,
)
from dam.library.scan_requests import request_look
from dam.placing import PART, check_place, forget_part, is_placed, open_checked_root, place
from dam.tables import Asset, File, FileState, Library
from dam.upload_names import checked_file_name, checked_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dam.config import Settings
    from dam.db import Database

ABANDONED_S = 24 * 3600.0  # shorter: who closes the laptop over night begins anew
SWEEP_EVERY_S = 600.0
MOST_UNFINISHED = 2_000  # far more than a browser sends at a time; each costs a folder
PATIENCE_S = 5.0  # for another request that writes to the same upload
_POLL_S = 0.05
_ID = re.compile(r"[0-9a-f]{32}")
_WANTED, _BYTES, _DONE = "upload.json", "bytes", "done"


class WrongOffset(Conflict):
    """The part does not continue what is there."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"The part must begin at byte {offset}: so much is there already.")
        self.offset = offset


class Busy(RetryLater):
    """Another request is writing to this upload; try again in a moment."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was announced. Names are checked and in NFC."""

    library_id: str
    folder: str  # below the library's root; empty: the root
    name: str
    size_bytes: int
    blake3: str  # hex, of the whole file

    @property
    def id(self) -> str:
        """The same for the same file to the same place: this is how an upload is resumed."""
        return blake3(json.dumps(asdict(self)).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class UploadState:
    id: str
    offset: int  # bytes that are safely here; the next part begins there
    size_bytes: int
    done: bool  # the file is in its library
    path: str | None  # where in the library it lies once it is done


class Uploads:
    """Thread-safe, and safe beside another process over the same data directory."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._folder = settings.uploads_path
        self._swept_s = -SWEEP_EVERY_S

    def begin(
        self, library_id: str, folder: str, name: str, size_bytes: int, content_hash: str
    ) -> UploadState:
        """Announces a file, or finds how far it has come. `content_hash`: BLAKE3, 64 hex digits.

        Raises `BadRequest` for names, `OverLimit`, `NotFound`, `LibraryOffline`, `NotAllowed` for
        a library that cannot be written to, and `DiskFull`: before anything is sent in vain.
        """
        limit_bytes = self._settings.upload_mb << 20
        if size_bytes > limit_bytes:
            raise OverLimit(
                f"{name} has {size_bytes:,} bytes; the limit is {limit_bytes:,} (DAM_UPLOAD_MB)."
            )
        wanted = Wanted(
            library_id, checked_folder(folder), checked_file_name(name), size_bytes, content_hash
        )
        self.sweep()
        with self._library(library_id) as root_fd:
            done = self._done(wanted.id)
            if done is not None and done.path is not None:
                if is_placed(root_fd, done.path, size_bytes):
                    shutil.rmtree(self._folder_of(wanted.id), ignore_errors=True)  # after a kill
                    return done
                self._note(wanted.id).unlink(missing_ok=True)  # deleted since: begin anew
            check_place(root_fd, wanted.folder, size_bytes)
        return self._announced(wanted)

    def state(self, upload_id: str) -> UploadState:
        """Raises `NotFound`."""
        done = self._done(upload_id)
        if done is not None:
            return done
        wanted = self._wanted(upload_id)
        try:
            offset = (self._folder_of(upload_id) / _BYTES).stat().st_size
        except FileNotFoundError:
            raise _unknown(upload_id) from None
        return UploadState(upload_id, offset, wanted.size_bytes, done=False, path=None)

    def append(self, upload_id: str, offset: int, part: bytes) -> UploadState:
        """Stores the next part; with the last one the file is put into its library.

        What is here when this returns is on the disk. An empty part at the end finishes what could
        not be finished before. Raises `WrongOffset`, `OverLimit` for more than was announced,
        `Busy`, `DiskFull`, `DamagedUpload` (then the upload is forgotten), and what `place` raises.
        """
        done = self._done(upload_id)
        if done is not None:
            if offset != done.size_bytes or part:
                raise WrongOffset(done.size_bytes)
            return done
        with self._alone_with(upload_id) as (wanted, fd):
            at = os.fstat(fd).st_size
            if offset != at:
                raise WrongOffset(at)
            if at + len(part) > wanted.size_bytes:
                raise OverLimit(
                    f"{wanted.name} was announced with {wanted.size_bytes:,} bytes; "
                    f"this part ends at {at + len(part):,}."
                )
            if part:
                _append(fd, at, part)
            if at + len(part) < wanted.size_bytes:
                return self.state(upload_id)
            return self._finish(wanted, fd)

    def forget(self, upload_id: str) -> None:
        """Throws away what has arrived; what is in its library already stays. Raises `NotFound`,
        and `Busy` while the last part is being put in place."""
        if self._done(upload_id) is not None:
            return
        with self._alone_with(upload_id) as (wanted, _):
            self._remove(wanted)

    def known(self, content_hashes: Sequence[str]) -> dict[str, str]:
        """Hash → the asset with these very bytes that some library has (offline ones too)."""
        with self._database.read() as session:
            rows = session.execute(
                select(Asset.content_hash, Asset.id).where(
                    Asset.content_hash.in_(set(content_hashes)),
                    Asset.files.any(File.state == FileState.PRESENT),
                )
            )
            return {content_hash: asset_id for content_hash, asset_id in rows}

    def sweep(self) -> None:
        """Removes what nobody has continued for a day; looks at most every few minutes."""
        now_s = time.monotonic()
        if now_s - self._swept_s < SWEEP_EVERY_S:
            return
        self._swept_s = now_s
        for folder in self._unfinished():
            if _age_s(folder, folder / _BYTES, folder / _WANTED) > ABANDONED_S:
                with suppress(Busy):
                    self._remove_abandoned(folder)
        notes = self._folder / _DONE
        for note in notes.iterdir() if notes.is_dir() else ():
            if _age_s(note) > ABANDONED_S:
                note.unlink(missing_ok=True)

    # One upload ---------------------------------------------------------------------------

    def _announced(self, wanted: Wanted) -> UploadState:
        folder = self._folder_of(wanted.id)
        if not folder.exists() and len(self._unfinished()) >= MOST_UNFINISHED:
            raise RetryLater(
                f"{MOST_UNFINISHED:,} uploads are unfinished already; end or delete some first."
            )
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            missing_bytes = wanted.size_bytes - _size_bytes(folder / _BYTES)
            check_room(self._folder, missing_bytes, where="DAM_HOME")
            folder.mkdir(exist_ok=True)
            _write(folder / _WANTED, json.dumps(asdict(wanted)))
            (folder / _BYTES).touch()
            _names_to_disk(folder, self._folder)
        except FileNotFoundError:
            raise Busy from None  # it is being finished or forgotten right now
        except OSError as error:
            raise _as_full(error) from error
        return self.state(wanted.id)

    def _finish(self, wanted: Wanted, fd: int) -> UploadState:
        try:
            with self._library(wanted.library_id) as root_fd:
                path = place(
                    root_fd,
                    wanted.folder,
                    wanted.name,
                    fd,
                    content_hash=wanted.blake3,
                    part=PART.format(wanted.id),
                )
        except DamagedUpload:
            self._remove(wanted)
            raise
        request_look(self._settings.run_path, wanted.library_id, os.fsencode(path))
        done = UploadState(wanted.id, wanted.size_bytes, wanted.size_bytes, done=True, path=path)
        try:
            self._note(wanted.id).parent.mkdir(exist_ok=True)
            _write(self._note(wanted.id), json.dumps(asdict(done)))
        except OSError as error:
            # Asked again, it finds the file in its place and only tries to note that.
            raise _as_full(error) from error
        shutil.rmtree(self._folder_of(wanted.id), ignore_errors=True)
        return done

    @contextmanager
    def _alone_with(self, upload_id: str) -> Iterator[tuple[Wanted, int]]:
        """What was announced and its opened bytes, locked. Raises `NotFound` and `Busy`."""
        wanted = self._wanted(upload_id)
        path = self._folder_of(upload_id) / _BYTES
        try:
            fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            raise _unknown(upload_id) from None
        try:
            _lock(fd)
            if os.fstat(fd).st_nlink == 0:  # finished or forgotten while this one waited
                raise Busy
            yield wanted, fd
        finally:
            os.close(fd)  # and with it the lock

    def _remove(self, wanted: Wanted) -> None:
        with suppress(DamError), self._library(wanted.library_id) as root_fd:
            forget_part(root_fd, wanted.folder, PART.format(wanted.id))
        shutil.rmtree(self._folder_of(wanted.id), ignore_errors=True)

    def _remove_abandoned(self, folder: Path) -> None:
        try:
            with self._alone_with(folder.name) as (wanted, _):
                self._remove(wanted)
        except NotFound:  # a kill left it without its announcement or its bytes
            shutil.rmtree(folder, ignore_errors=True)

    # Where things are ---------------------------------------------------------------------

    @contextmanager
    def _library(self, library_id: str) -> Iterator[int]:
        with self._database.read() as session:
            library = session.get(Library, library_id)
            if library is None:
                raise NotFound(f"There is no library {library_id}.")
            root_fd = open_checked_root(session, library)
        try:  # outside of the session: a large file takes minutes
            yield root_fd
        finally:
            os.close(root_fd)

    def _folder_of(self, upload_id: str) -> Path:
        if not _ID.fullmatch(upload_id):
            raise _unknown(upload_id)
        return self._folder / upload_id

    def _note(self, upload_id: str) -> Path:
        return self._folder / _DONE / f"{self._folder_of(upload_id).name}.json"

    def _unfinished(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return [path for path in self._folder.iterdir() if _ID.fullmatch(path.name)]

    def _wanted(self, upload_id: str) -> Wanted:
        try:
            return Wanted(**json.loads((self._folder_of(upload_id) / _WANTED).read_text()))
        except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
            raise _unknown(upload_id) from None  # or of another version of dam

    def _done(self, upload_id: str) -> UploadState | None:
        try:
            return UploadState(**json.loads(self._note(upload_id).read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None


def _append(fd: int, at: int, part: bytes) -> None:
    """All of it or none of it."""
    try:
        left, end = memoryview(part), at
        while left:
            written = os.pwrite(fd, left, end)
            left, end = left[written:], end + written
        os.fsync(fd)
    except OSError as error:
        os.ftruncate(fd, at)
        raise _as_full(error) from error


def _lock(fd: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Busy from None
            time.sleep(_POLL_S)
        else:
            return


def _write(path: Path, text: str) -> None:
    """Old or new after a crash, never half."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    try:
        with unfinished.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _names_to_disk(*folders: Path) -> None:
    for folder in folders:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _age_s(*paths: Path) -> float:
    """Since any of them was changed."""
    changed_s = 0.0
    for path in paths:
        with suppress(FileNotFoundError):
            changed_s = max(changed_s, path.stat().st_mtime)
    return time.time() - changed_s


def _as_full(error: OSError) -> OSError | DiskFull:
    if not is_full(error):
        return error
    return DiskFull("The disk of DAM_HOME is full; the upload goes on once there is room.")


def _unknown(upload_id: str) -> NotFound:
    return NotFound(f"There is no upload {upload_id[:40]!r}: it is finished, forgotten or too old.")
