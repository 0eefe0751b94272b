"""Walks below a library's root and compares what it sees with what is known.

Hidden files and folders, symbolic links, FIFOs and sockets are passed over, and so are folders in
which other programs keep their own files (`dam.library.names`). Nothing is opened but folders,
each relative to its parent, so that a walk cannot leave the root. Knows no database.
"""

from __future__ import annotations

import os
import stat
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dam.library.names import (
    SIDECAR_SUFFIX,
    display_of,
    is_skipped_folder,
    media_kind,
    signed_64,
)
from dam.library.roots import OPEN_FOLDER, descend

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Stamp = tuple[int, int, int]  # mtime_ns, size_bytes, inode: equal means unchanged

# Each level holds one descriptor open; deeper trees would run into the usual limit of 1024.
DEEPEST = 256


class Seen(NamedTuple):
    """A media file as the walk found it."""

    path: bytes
    mtime_ns: int
    size_bytes: int
    inode: int
    device: int
    sidecar: str | None  # stamp of the XMP file beside it


class Retagged(NamedTuple):
    """An unchanged media file whose sidecar appeared, changed or went."""

    path: bytes
    sidecar: str | None


@dataclass(slots=True)
class Changes:
    """What one scan found. Paths are relative to the library's root."""

    new: list[Seen] = field(default_factory=list)
    changed: list[Seen] = field(default_factory=list)
    retagged: list[Retagged] = field(default_factory=list)
    absent: list[bytes] = field(default_factory=list)  # known before, not seen now
    unchanged: int = 0
    seen: int = 0  # media files in all
    notes: list[str] = field(default_factory=list)  # folders that could not be listed
    complete: bool = True  # the whole library was seen: what is absent may be called missing
    identity: tuple[int, int] = (0, 0)  # device and inode of the root

    def hold_back(self, settle_s: float) -> list[bytes]:
        """Takes out what was written within the last `settle_s`: somebody may still write it.

        Times in the future are a camera's wrong clock, not a file in the making.
        """
        now_ns = time.time_ns()
        young = range(now_ns - int(settle_s * 1e9), now_ns)
        held = [seen.path for seen in (*self.new, *self.changed) if seen.mtime_ns in young]
        self.new = [seen for seen in self.new if seen.mtime_ns not in young]
        self.changed = [seen for seen in self.changed if seen.mtime_ns not in young]
        return held


class Walk:
    def __init__(
        self,
        known: dict[str, Stamp],
        sidecars: dict[str, str],
        *,
        inodes_last: bool,  # False where a file gets another inode with each mount
        own_folder: str | None,  # where dam keeps its own data, when that lies in the library
        stop: Callable[[], bool],
    ) -> None:
        self.entries = 0  # media files and folders
        self.left = known  # shrinks to what was not seen
        self._changes = Changes()
        self._sidecars = sidecars
        self._unlisted: list[str] = []
        self._inodes_last = inodes_last
        self._own_folder = own_folder
        self._stop = stop

    def finish(self, *, identity: tuple[int, int], complete: bool) -> Changes:
        changes = self._changes
        shielded = tuple(self._unlisted)  # what lies in an unlisted folder may still be there
        changes.absent = [os.fsencode(path) for path in self.left if not path.startswith(shielded)]
        changes.identity = identity
        changes.complete = changes.complete and complete
        return changes

    def over_parts(self, root_fd: int, parts: Sequence[str]) -> None:
        files: defaultdict[str, set[str]] = defaultdict(set)
        for part in _without_nested(parts):
            folder, _, name = part.rpartition("/")
            try:
                facts = os.stat(part, dir_fd=root_fd, follow_symlinks=False)
                if stat.S_ISDIR(facts.st_mode):
                    self.over_folder(descend(root_fd, part), f"{part}/")
                else:
                    files[folder].add(name)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                self._pass_over(part, error)
        for folder, names in files.items():
            try:
                fd = descend(root_fd, folder)
            except OSError as error:
                self._pass_over(folder, error)
                continue
            self._list(fd, f"{folder}/" if folder else "", only=names)
            os.close(fd)

    def over_folder(self, fd: int, prefix: str) -> None:
        """Walks depth first; takes `fd` over."""
        stack = [(fd, prefix, self._list(fd, prefix))]
        while stack:
            fd, prefix, folders = stack[-1]
            if self._stop():
                self._changes.complete = False
                folders.clear()
            if not folders:
                os.close(stack.pop()[0])
                continue
            inner = f"{prefix}{folders.pop()}/"
            if len(stack) >= DEEPEST:
                self._unlisted.append(inner)
                self._note(inner, f"lies more than {DEEPEST} folders deep")
                continue
            try:
                inner_fd = os.open(inner[len(prefix) : -1], OPEN_FOLDER, dir_fd=fd)
            except OSError as error:
                self._pass_over(inner, error)
                continue
            stack.append((inner_fd, inner, self._list(inner_fd, inner)))

    def _list(self, fd: int, prefix: str, *, only: set[str] | None = None) -> list[str]:
        """Compares the files of one folder (or some of them); returns the folders in it.

        The first branch of the loop is all that an unchanged file costs: keep it small.
        """
        take = self.left.pop
        same: list[str] = []
        different: list[_Different] = []
        folders: list[str] = []
        sidecars: dict[str, str] = {}
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    name = entry.name
                    stamp = take(prefix + name, None)
                    if stamp is not None:
                        facts = entry.stat(follow_symlinks=False)
                        if stamp == (facts.st_mtime_ns, facts.st_size, facts.st_ino):
                            same.append(name)
                        else:
                            different.append((name, facts, stamp))
                    elif entry.is_dir(follow_symlinks=False):
                        if not is_skipped_folder(name) and prefix + name != self._own_folder:
                            folders.append(name)
                    elif name.lower().endswith(SIDECAR_SUFFIX):
                        facts = entry.stat(follow_symlinks=False)
                        sidecars[name.lower()] = f"{facts.st_mtime_ns}:{facts.st_size}"
                    elif media_kind(name) and (only is None or name in only):
                        different.append((name, entry.stat(follow_symlinks=False), None))
        except OSError as error:
            self._pass_over(prefix, error)
        self.entries += len(same) + len(different) + len(folders)
        self._sort_in(prefix, same, different, sidecars)
        return folders

    def _sort_in(
        self,
        prefix: str,
        same: list[str],
        different: list[_Different],
        sidecars: dict[str, str],
    ) -> None:
        changes = self._changes
        for name, facts, stamp in different:
            if not stat.S_ISREG(facts.st_mode):
                if stamp is not None:
                    self.left[prefix + name] = stamp  # a link or a folder has taken its place
            elif stamp is not None and self._is_same(stamp, _stamp(facts)):
                same.append(name)
            else:
                path = os.fsencode(prefix + name)
                sidecar = _sidecar_of(name, sidecars)
                seen = Seen(path, *_stamp(facts), signed_64(facts.st_dev), sidecar)
                (changes.new if stamp is None else changes.changed).append(seen)
        changes.unchanged += len(same)
        changes.seen += len(same) + len(different)
        if sidecars or self._sidecars:
            for name in same:
                now = _sidecar_of(name, sidecars)
                if now != self._sidecars.get(prefix + name):
                    changes.retagged.append(Retagged(os.fsencode(prefix + name), now))

    def _is_same(self, before: Stamp, now: Stamp) -> bool:
        return before == now if self._inodes_last else before[:2] == now[:2]

    def _pass_over(self, path: str, error: OSError) -> None:
        """A folder without permission hides its files; any other failure makes a scan partial."""
        self._unlisted.append(path)
        if not isinstance(error, PermissionError):
            self._changes.complete = False
        self._note(path, f"cannot be listed: {error.strerror}")

    def _note(self, path: str, what: str) -> None:
        self._changes.notes.append(f"{display_of(os.fsencode(path)) or 'The root'} {what}.")


_Different = tuple[str, os.stat_result, Stamp | None]


def _without_nested(parts: Sequence[str]) -> list[str]:
    """Without the parts that lie in another one, so that no file is compared twice."""
    kept: list[str] = []
    for part in sorted(set(parts), key=lambda part: part.split("/")):
        if not kept or not part.startswith(f"{kept[-1]}/"):
            kept.append(part)
    return kept


def _stamp(facts: os.stat_result) -> Stamp:
    return signed_64(facts.st_mtime_ns), facts.st_size, signed_64(facts.st_ino)


def _sidecar_of(name: str, sidecars: dict[str, str]) -> str | None:
    """The stamp of `photo.jpg.xmp`, else of `photo.xmp`."""
    if not sidecars:
        return None
    lowered = name.lower()
    stem = lowered.rpartition(".")[0]
    return sidecars.get(lowered + SIDECAR_SUFFIX) or sidecars.get(stem + SIDECAR_SUFFIX)
