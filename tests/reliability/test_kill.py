"""R1: kill -9 of everything at random times loses nothing and doubles nothing.

`make reliability` runs the published size.
"""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from sqlalchemy import func, select, text

from dam.config import Settings
from dam.schema import open_database
from dam.tables import Asset, File, Run, RunState
from tests.cli import Dam
from tests.media import BLUE, GREEN, RED, write_clip, write_jpeg
from tests.reliability.conftest import Tier

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reliability.conftest import RecordFigure

# files, kills
SIZES = {Tier.CI: (300, 8), Tier.FULL: (2000, 200)}


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """The process and all its children at once, as a power cut would."""
    family: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):  # it may have ended by itself
        family.append(psutil.Process(process.pid))
        family += family[0].children(recursive=True)
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.timeout(3600)
def test_r1_kill_at_random_times(
    tmp_path: Path, tier: Tier, seed: int, record_figure: RecordFigure
) -> None:
    files, kills = SIZES[tier]
    chance = random.Random(seed)
    folder = tmp_path / "photos"
    for number in range(files):
        write_jpeg(
            folder / f"{number % 10}" / f"{number}.jpg", (RED, GREEN, BLUE)[number % 3], number
        )
    write_clip(folder / "clip.mp4", [RED, BLUE])
    dam = Dam(tmp_path / "home", {"indexers": "shots", "log_level": "ERROR"})
    dam.run("library", "add", str(folder))
    killed = 0
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-m", "dam", "index"],
            env=dam.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(chance.uniform(0.5, 4.0))
        killed += process.poll() is None
        kill_group(process)
    started = time.monotonic()
    report = dam.json("index")
    assert killed > 0
    record_figure("R1", "kills", killed)
    record_figure("R1", "time to finish after the last kill", time.monotonic() - started, "s")
    assert report["runs"]["previews"] == {
        "executed": report["runs"]["previews"]["executed"],
        "done": files + 1,
        "failed": 0,
        "quarantined": 0,
        "waiting": 0,
    }
    database = open_database(Settings(home=dam.home))
    with database.read() as session:
        assert session.scalar(text("PRAGMA integrity_check")) == "ok"
        assert session.scalar(select(func.count()).select_from(Asset)) == files + 1
        assert session.scalar(select(func.count()).select_from(File)) == files + 1
        assert set(session.scalars(select(Run.state))) == {RunState.DONE}
    database.close()
    assert dam.json("verify") == {"problems": []}


def test_ctrl_c_stops_cleanly_and_the_next_run_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for number in range(80):
        write_jpeg(folder / f"{number}.jpg", RED, number)
    dam = Dam(tmp_path / "home", {"indexers": "shots"})
    dam.run("library", "add", str(folder))
    process = dam.start("index")
    database = open_database(Settings(home=dam.home))
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with database.read() as session:
            if session.scalar(select(Run.id).where(Run.state == RunState.DONE).limit(1)):
                break
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode in (0, 130), printed  # 0: it was through before it heard
    with database.read() as session:
        assert session.scalar(select(Run.id).where(Run.state == RunState.LEASED).limit(1)) is None
        assert set(session.scalars(select(Run.attempts).where(Run.state == RunState.PENDING))) <= {
            0
        }
    database.close()
    report = dam.json("index")
    assert report["runs"]["previews"]["done"] == 80
