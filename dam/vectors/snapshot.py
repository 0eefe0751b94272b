"""The files of a base snapshot: published whole or not at all, opened only when intact.

    <space folder>/generation-00000007/{index.faiss, ids.npy, manifest.json}

A generation is written beside its place, every file flushed, the manifest last, and then renamed;
it is never changed afterwards. Two generations are kept. A damaged one is renamed aside, so that
whoever looks into it later finds what was there. The files are read into memory and never mapped:
a mapped file that is cut short later kills the process, and what was hashed is what is used.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import re
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dam.errors import IndexDamaged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dam.vectors.protocol import Ids

log = logging.getLogger(__name__)

Buffer = NDArray[np.uint8]
FORMAT = 1
KEPT = 2  # generations; the older one serves a process that opens it while the newer is published
QUARANTINE_KEPT = 2  # more would fill the disk of a machine whose disk is failing
GENERATION = re.compile(r"generation-(\d{8})")
INDEX, IDS, MANIFEST = "index.faiss", "ids.npy", "manifest.json"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a generation claims to be."""

    space: str  # fingerprint of the producer
    dim: int
    count: int
    codec: str
    watermark: int  # the largest vector id inside
    tombstones: int  # the largest tombstone id that was taken into account


@dataclass(frozen=True, slots=True)
class Snapshot:
    number: int
    facts: Facts
    index: Buffer  # as FAISS serialised it
    ids: Ids  # ascending; position in the index → vector id


def publish(folder: Path, facts: Facts, index: Buffer, ids: Ids) -> int:
    """Makes a new generation visible; a cut at any moment leaves the old ones as they were."""
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    number = max((number for number, _ in generations(folder)), default=0) + 1
    target = path_of(folder, number)
    building = target.with_suffix(".building")
    building.mkdir()
    packed_ids = io.BytesIO()
    np.save(packed_ids, ids, allow_pickle=False)
    files = {INDEX: index.data, IDS: packed_ids.getbuffer()}
    for name, content in files.items():
        _write(building / name, content)
    described = {name: _described(content) for name, content in files.items()}
    _write(building / MANIFEST, _manifest(facts, described))
    sync_folder(building)
    building.rename(target)
    sync_folder(folder)
    for _, old in generations(folder)[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    return number


def folder_of(index_path: Path, fingerprint: str) -> Path:
    """Where the generations of a space lie. By fingerprint: a space's number may be used again."""
    return index_path / fingerprint[:32]


def path_of(folder: Path, number: int) -> Path:
    return folder / f"generation-{number:08d}"


def generations(folder: Path) -> list[tuple[int, Path]]:
    """Complete generations, newest first, unverified."""
    if not folder.is_dir():
        return []
    matches = ((GENERATION.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted(((int(match[1]), path) for match, path in matches if match), reverse=True)


def intact(folder: Path, *, space: str, dim: int) -> Iterator[Snapshot]:
    """Intact generations, newest first; damaged ones are put aside on the way."""
    for _, path in generations(folder):
        try:
            yield read(path, space=space, dim=dim)
        except IndexDamaged as error:
            quarantine(path, str(error))


def newest_facts(folder: Path, *, space: str) -> Facts | None:
    """What the newest generation claims to be; its other files are not looked at."""
    for _, path in generations(folder)[:1]:
        try:
            facts, _ = _read_manifest(path / MANIFEST)
        except IndexDamaged:
            return None
        return facts if facts.space == space else None
    return None


def read(path: Path, *, space: str, dim: int) -> Snapshot:
    """Raises `IndexDamaged` with the reason when anything does not fit the manifest."""
    number = int(path.name.removeprefix("generation-"))
    facts, described = _read_manifest(path / MANIFEST)
    if (facts.space, facts.dim) != (space, dim):
        raise IndexDamaged(f"{path} belongs to another vector space.")
    index = _read(path / INDEX, described)
    packed_ids = _read(path / IDS, described)
    try:
        ids = np.load(io.BytesIO(packed_ids.tobytes()), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise IndexDamaged(f"{path / IDS} is not an array of ids.") from error
    ascending = ids.dtype == np.int64 and ids.ndim == 1 and bool((np.diff(ids) > 0).all())
    if not ascending or len(ids) != facts.count or (len(ids) and ids[-1] != facts.watermark):
        raise IndexDamaged(f"The ids of {path} contradict its manifest.")
    return Snapshot(number, facts, index, ids)


def quarantine(path: Path, reason: str) -> None:
    """Renames a generation aside; it is rebuilt from the database."""
    log.warning("The vector index %s was put aside and will be rebuilt: %s", path, reason)
    aside = path.with_name(f"damaged-{os.urandom(4).hex()}-{path.name}")
    try:
        path.rename(aside)
    except OSError:
        return  # another process did it, or the disk is read-only: whoever opens it refuses again
    older = sorted(path.parent.glob("damaged-*"), key=lambda found: found.stat().st_mtime_ns)
    for extra in older[:-QUARANTINE_KEPT]:
        shutil.rmtree(extra, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Removes what a crash left half-written; the caller holds the build lock."""
    for left in folder.glob("generation-*.building"):
        shutil.rmtree(left)


def _write(path: Path, content: bytes | memoryview) -> None:
    # Through Python, not faiss.write_index: that one loses the error of a full disk.
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _described(content: bytes | memoryview) -> dict[str, Any]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _manifest(facts: Facts, described: dict[str, dict[str, Any]]) -> bytes:
    body = {"format": FORMAT, **asdict(facts), "files": described}
    return json.dumps({**body, "sha256": _seal(body)}, indent=1).encode()


def _seal(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _read_manifest(path: Path) -> tuple[Facts, dict[str, dict[str, Any]]]:
    try:
        body = json.loads(path.read_bytes())
        seal = body.pop("sha256")
        described = dict(body["files"])
        facts = Facts(**{name: body[name] for name in Facts.__slots__})
    except OSError as error:
        raise IndexDamaged(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise IndexDamaged(f"{path} is not a manifest.") from error
    if seal != _seal(body) or body["format"] != FORMAT:
        raise IndexDamaged(f"{path} was changed after it was written.")
    return facts, described


def _read(path: Path, described: dict[str, dict[str, Any]]) -> Buffer:
    """The bytes of a file, once they are known to be the ones that were written."""
    expected = described[path.name]
    try:
        found_bytes = path.stat().st_size
        if found_bytes != expected["bytes"]:  # before reading: an absurd size must not fill memory
            raise IndexDamaged(f"{path} has {found_bytes} bytes instead of {expected['bytes']}.")
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise IndexDamaged(f"{path} cannot be read: {error.strerror}.") from error
    if hashlib.sha256(content.data).hexdigest() != expected["sha256"]:
        raise IndexDamaged(f"{path} is not what was written.")
    return content
