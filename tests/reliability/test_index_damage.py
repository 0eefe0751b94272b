"""R2 and R3: whatever is cut or damaged, the index answers as the database says.

Every damage is checked in one way: an index opened over it must hold exactly the ids of the
database and rank exactly as a comparison with all stored vectors does.
"""

from __future__ import annotations

import json
import logging
import random
import shutil
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from dam.vectors import snapshot
from dam.vectors.faiss_index import FaissIndex, Sizes
from tests.reliability.conftest import Tier
from tests.spaces import DIM, add_vectors, make_space, unit_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

    from dam.config import Settings
    from dam.contracts import Unit
    from dam.db import Database
    from dam.vectors.spaces import Space
    from tests.reliability.conftest import RecordFigure

SIZES = Sizes(flat=50, cells=150, probes=1000)
CELLS = Sizes(flat=50, cells=60, probes=1000)
DAMAGED = {Tier.CI: 150, Tier.FULL: 2_000}
KILLED_AT = {Tier.CI: 6, Tier.FULL: 60}


class World:
    """A space of 120 vectors with two published generations, and what searching it must say."""

    def __init__(self, database: Database, settings: Settings, sizes: Sizes) -> None:
        self.database = database
        self.index_path = settings.index_path
        self.sizes = sizes
        self.space: Space = make_space(database)
        self.rows = unit_rows(120, seed=1)
        self.ids = add_vectors(database, self.space, self.rows[:60])
        index = self.index()
        index.refresh()
        self.ids += add_vectors(database, self.space, self.rows[60:115])
        index.refresh()
        self.ids += add_vectors(database, self.space, self.rows[115:])
        self.folder = snapshot.folder_of(self.index_path, self.space.fingerprint)
        kept = self.rows.astype(np.float16).astype(np.float32)
        self.stored: Unit = kept / np.linalg.norm(kept, axis=1, keepdims=True)
        assert [number for number, _ in snapshot.generations(self.folder)] == [2, 1]

    def index(self) -> FaissIndex:
        return FaissIndex(self.database, self.space, self.index_path, sizes=self.sizes)

    def check(self) -> None:
        index = self.index()
        assert index.ids().tolist() == self.ids
        for query in unit_rows(3, seed=2):
            cosines = self.stored @ query
            best = np.argsort(-cosines, kind="stable")[:5]
            found = index.search(query, 5)
            assert [hit.vector_id for hit in found] == [self.ids[at] for at in best]
            assert [hit.score for hit in found] == pytest.approx(cosines[best].tolist(), abs=1e-5)


@pytest.fixture(params=["flat codes", "cells"])
def world(request: pytest.FixtureRequest, database: Database, settings: Settings) -> World:
    return World(database, settings, SIZES if request.param == "flat codes" else CELLS)


# R3: damage ---------------------------------------------------------------------------------


def _flip(rng: random.Random, content: bytearray) -> bytearray:
    for _ in range(rng.choice((1, 1, 8))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return content


def _truncate(rng: random.Random, content: bytearray) -> bytearray:
    return content[: rng.choice((0, 1, rng.randrange(len(content)), len(content) - 1))]


def _grow(rng: random.Random, content: bytearray) -> bytearray:
    return content + rng.randbytes(rng.choice((1, 64, 100_000)))


def _zero(rng: random.Random, content: bytearray) -> bytearray:
    start = rng.randrange(len(content))
    length = min(rng.randrange(1, 4096), len(content) - start)
    content[start : start + length] = bytes(length)
    return content


def _swap_header(rng: random.Random, content: bytearray) -> bytearray:
    header = rng.choice((b"IxFI", b"IwFl", b"\x93NUMPY\x02\x00", b"{}", rng.randbytes(32)))
    content[: len(header)] = header
    return content


def _absurd_sizes(rng: random.Random, content: bytearray) -> bytearray:
    at = rng.randrange(max(1, len(content) - 8))
    content[at : at + 8] = rng.choice((b"\xff" * 8, (2**62).to_bytes(8, "little"), bytes(8)))
    return content


def _replace(rng: random.Random, content: bytearray) -> bytearray:
    return bytearray(rng.randbytes(rng.randrange(1, 2 * len(content))))


BYTES = (_flip, _flip, _truncate, _grow, _zero, _swap_header, _absurd_sizes, _replace)


def _damage_bytes(rng: random.Random, world: World) -> None:
    paths = [
        path / name
        for _, path in snapshot.generations(world.folder)
        for name in (snapshot.INDEX, snapshot.IDS, snapshot.MANIFEST)
    ]
    for path in rng.sample(paths, rng.choice((1, 1, 2, len(paths)))):
        path.write_bytes(rng.choice(BYTES)(rng, bytearray(path.read_bytes())))


def _damage_manifest(rng: random.Random, world: World) -> None:
    """A manifest that is well-formed and wrong; sometimes even signed again."""
    _, path = rng.choice(snapshot.generations(world.folder))
    manifest = path / snapshot.MANIFEST
    body = json.loads(manifest.read_bytes())
    wrong: dict[str, list[Any]] = {
        "watermark": [0, 1, body["watermark"] - 5, 10**9, -1, 2**80],
        "tombstones": [10**9, -1],
        "count": [0, 1, body["count"] + 1, 2**63],
        "dim": [1, 0, DIM * 2, "512"],
        "space": ["0" * 64, None],
        "files": [{}, [], {"index.faiss": {"bytes": 0, "sha256": ""}}],
        "format": [2, None],
    }
    name = rng.choice(list(wrong))
    body[name] = rng.choice(wrong[name])
    if rng.random() < 0.3 and name not in ("files", "tombstones"):
        body.pop("sha256")
        body["sha256"] = snapshot._seal(body)
    manifest.write_text(json.dumps(body))


def _mix_generations(rng: random.Random, world: World) -> None:
    """A file of one generation in the other one: intact by itself, wrong in its place."""
    (_, newer), (_, older) = snapshot.generations(world.folder)
    name = rng.choice((snapshot.INDEX, snapshot.IDS, snapshot.MANIFEST))
    source, target = (newer, older) if rng.random() < 0.5 else (older, newer)
    shutil.copyfile(source / name, target / name)


def _damage_tree(rng: random.Random, world: World) -> None:
    (_, newer), (_, older) = snapshot.generations(world.folder)
    name = rng.choice((snapshot.INDEX, snapshot.IDS, snapshot.MANIFEST))

    def becomes_folder() -> None:
        (newer / name).unlink()
        (newer / name).mkdir()

    def becomes_file() -> None:
        shutil.rmtree(newer)
        newer.write_bytes(b"a file")

    rng.choice(
        (
            lambda: (newer / name).unlink(),
            lambda: shutil.rmtree(newer),
            lambda: shutil.rmtree(older),
            lambda: older.rename(world.folder / "generation-00000009"),
            lambda: (world.folder / "generation-99999999").mkdir(),
            becomes_folder,
            becomes_file,
        )
    )()


DAMAGES: tuple[Callable[[random.Random, World], None], ...] = (
    _damage_bytes,
    _damage_bytes,
    _damage_bytes,
    _damage_manifest,
    _mix_generations,
    _damage_tree,
)


def test_damaged_index_files_are_put_aside_and_never_answer_wrongly(
    world: World, tier: Tier, seed: int, record_figure: RecordFigure, tmp_path: Path
) -> None:
    logging.getLogger("dam.vectors.snapshot").setLevel(logging.ERROR)
    try:
        rng = random.Random(seed)
        whole = tmp_path / "whole"
        shutil.copytree(world.folder, whole)
        for _ in range(DAMAGED[tier] // 2):  # the other half is the other shape of index
            shutil.rmtree(world.folder)
            shutil.copytree(whole, world.folder)
            rng.choice(DAMAGES)(rng, world)
            world.check()
    finally:
        logging.getLogger("dam.vectors.snapshot").setLevel(logging.NOTSET)
    record_figure("R3", "damaged indexes, no wrong answer", DAMAGED[tier] // 2)


def test_damage_while_the_index_is_open_changes_nothing(world: World) -> None:
    index = world.index()
    index.refresh()
    for _, path in snapshot.generations(world.folder):
        for file in path.iterdir():
            file.write_bytes(b"")
    query = unit_rows(1, seed=3)[0]
    assert index.search(query, 1)[0].vector_id == world.ids[int((world.stored @ query).argmax())]


def test_damaged_generation_is_kept_aside_and_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    (_, newer), (_, older) = snapshot.generations(world.folder)
    for path in (newer, older):
        (path / snapshot.INDEX).write_bytes(b"")
    world.check()
    assert len(list(world.folder.glob("damaged-*"))) == 2
    assert "has 0 bytes" in caplog.text
    assert {record.levelname for record in caplog.records} == {"WARNING"}
    assert len(snapshot.generations(world.folder)) == 1


# R2: cuts -----------------------------------------------------------------------------------


class _Cut(BaseException):
    """Where power fails: nothing above may catch it, nothing after it happens."""


def _cut_after(lines: int, action: Callable[[], object]) -> bool:
    """Runs `action` until so many lines of snapshot.py were executed; False when it ended."""
    left = lines

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename != snapshot.__file__:
            return None
        if event == "line":
            left -= 1
            if left < 0:
                raise _Cut
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    except _Cut:
        return True
    finally:
        sys.settrace(previous)
    return False


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # what was open when it was cut
def test_cut_between_any_two_steps_leaves_the_old_or_the_new_index(
    world: World, tmp_path: Path, record_figure: RecordFigure
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(world.folder, whole)
    found = snapshot.read(snapshot.path_of(world.folder, 2), space=world.space.fingerprint, dim=DIM)
    numbers = set()
    lines = 0
    while _cut_after(
        lines, lambda: snapshot.publish(world.folder, found.facts, found.index, found.ids)
    ):
        newest = snapshot.generations(world.folder)[0][0]
        numbers.add(newest)
        opened = next(snapshot.intact(world.folder, space=world.space.fingerprint, dim=DIM))
        assert opened.number == newest
        assert not list(world.folder.glob("damaged-*"))
        world.check()
        shutil.rmtree(world.folder)
        shutil.copytree(whole, world.folder)
        lines += 1
    assert numbers == {2, 3}
    record_figure("R2", "cuts, old or new each time", lines)


CHILD = """
    import os, sys, threading
    import numpy as np
    from pathlib import Path
    from dam.vectors import snapshot

    folder, lines = Path(sys.argv[1]), int(sys.argv[2])
    facts = snapshot.Facts("s" * 64, 4, 1000, "sq8", 1000, 0)
    ids = np.arange(1, 1001)
    snapshot.publish(folder, facts, np.full(4_000_000, 1, np.uint8), ids)

    def trace(frame, event, argument):
        global lines
        if frame.f_code.co_filename != snapshot.__file__:
            return None
        lines -= event == "line"
        if lines < 0:
            os.kill(os.getpid(), 9)
        return trace

    sys.settrace(trace)
    snapshot.publish(folder, facts, np.full(4_000_000, 2, np.uint8), ids)
"""


def test_killed_process_leaves_the_old_or_the_new_files(
    tier: Tier, seed: int, tmp_path: Path, record_figure: RecordFigure
) -> None:
    rng = random.Random(seed)
    killed = 0
    for turn in range(KILLED_AT[tier]):
        folder = tmp_path / str(turn)
        command = [sys.executable, "-c", textwrap.dedent(CHILD), str(folder)]
        ended = subprocess.run([*command, str(rng.randrange(5, 90))], check=False)
        killed += ended.returncode == -9
        opened = next(snapshot.intact(folder, space="s" * 64, dim=4))
        assert set(np.unique(opened.index)) == {opened.number}
        assert snapshot.generations(folder)[0][0] == opened.number
    assert killed
    record_figure("R2", "processes killed while they published", killed)


def test_full_disk_leaves_the_old_index(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """/dev/full answers as a disk without space does."""
    before = snapshot.generations(world.folder)
    found = snapshot.read(before[0][1], space=world.space.fingerprint, dim=DIM)
    write = snapshot._write

    def to_full_disk(path: Path, content: bytes | memoryview) -> None:
        if path.name == snapshot.IDS:
            path.symlink_to("/dev/full")
        write(path, content)

    monkeypatch.setattr(snapshot, "_write", to_full_disk)
    with pytest.raises(OSError, match="No space left"):
        snapshot.publish(world.folder, found.facts, found.index, found.ids)
    assert snapshot.generations(world.folder) == before
    monkeypatch.setattr(snapshot, "_write", write)
    snapshot.publish(world.folder, found.facts, found.index, found.ids)
    assert not list(world.folder.glob("*.building"))
    world.check()
