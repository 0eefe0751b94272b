"""What the sandbox is for: decoders may die, hang and hoard, and the parent goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import av
import numpy as np
import psutil
import pytest
from PIL import Image

from dam.config import VideoTier
from dam.contracts import Kind
from dam.errors import DamError, DecoderCrashed, DecodeTimeout, OverLimit, UnreadableMedia
from dam.media.previews import UNFINISHED
from dam.media.sandbox import Limits, Sampling, Sandbox

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = Limits(timeout_s=60, memory_mb=1024, max_pixels=250_000_000)
QUALITY = Sampling(VideoTier.QUALITY, gap_s=4.0, sample_s=2.0)


def children() -> list[psutil.Process]:
    return [
        child for child in psutil.Process().children() if "dam.media.decoder" in child.cmdline()
    ]


def the_child() -> psutil.Process:
    (child,) = children()
    return child


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (640, 480), "teal").save(path)
    return path


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(250):
            pixels = np.full((240, 320, 3), number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_processes_are_started_when_needed_reused_and_ended(photo: Path) -> None:
    with Sandbox(LIMITS, size=2) as sandbox:
        assert children() == []
        sandbox.probe(photo)
        first = the_child().pid
        sandbox.photo(photo)
        assert the_child().pid == first
    assert children() == []


def test_a_process_killed_while_idle_is_replaced_unnoticed(photo: Path) -> None:
    with Sandbox(LIMITS) as sandbox:
        sandbox.probe(photo)
        killed = the_child()
        killed.kill()
        psutil.wait_procs([killed], timeout=10)
        assert sandbox.probe(photo).kind is Kind.PHOTO


def test_a_process_killed_at_work_costs_one_typed_error(film: Path, photo: Path) -> None:
    with Sandbox(LIMITS) as sandbox:
        with sandbox.video(film, sampling=QUALITY) as stream:
            next(stream)
            os.kill(the_child().pid, signal.SIGSEGV)
            with pytest.raises(
                DecoderCrashed, match=r"film\.mp4: the decoder process died \(SIGSEGV\)"
            ):
                list(stream)
        assert children() == []
        assert sandbox.probe(photo).kind is Kind.PHOTO


def test_a_decoder_that_hangs_is_killed_after_the_limit(photo: Path, film: Path) -> None:
    with Sandbox(Limits(timeout_s=1.0, memory_mb=1024, max_pixels=10**8)) as sandbox:
        sandbox.probe(photo)
        stuck = the_child()
        stuck.suspend()
        with pytest.raises(DecodeTimeout, match=r"photo\.jpg: .* 1 s \(DAM_DECODE_TIMEOUT_S\)"):
            sandbox.probe(photo)
        assert not stuck.is_running()
        assert sandbox.probe(photo).kind is Kind.PHOTO


def test_the_limit_counts_from_the_last_progress_not_from_the_start(film: Path) -> None:
    """A consumer slower than the limit is no hanging decoder."""
    waited = threading.Event()
    limits = Limits(timeout_s=1.0, memory_mb=1024, max_pixels=10**8)
    with Sandbox(limits) as sandbox, sandbox.video(film, sampling=QUALITY) as stream:
        next(stream)
        assert not waited.wait(1.5)
        assert len(list(stream)) == 249


def test_too_much_memory_names_the_setting(tmp_path: Path, photo: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (12_000, 12_000)).save(path, compress_level=1)
    with Sandbox(Limits(timeout_s=60, memory_mb=256, max_pixels=250_000_000)) as sandbox:
        with pytest.raises(
            OverLimit, match=r"large\.png needs more than 256 MiB .*DAM_DECODE_MEMORY_MB"
        ):
            sandbox.photo(path)
        assert sandbox.photo(photo).image.shape == (480, 640, 3)


def test_decoders_die_with_their_parent(photo: Path) -> None:
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from dam.media.sandbox import Limits, Sandbox\n"
        "sandbox = Sandbox(Limits(60, 1024, 10**8))\n"
        "sandbox.probe(Path(sys.argv[1]))\n"
        "print(sandbox._free.queue[-1]._process.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    parent = subprocess.run(
        [sys.executable, "-c", program, photo], stdout=subprocess.PIPE, check=False
    )
    assert parent.returncode == -signal.SIGKILL
    pid = int(parent.stdout)
    if psutil.pid_exists(pid):
        psutil.wait_procs([psutil.Process(pid)], timeout=20)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_ctrl_c_is_left_to_the_parent(photo: Path) -> None:
    with Sandbox(LIMITS) as sandbox:
        sandbox.probe(photo)
        child = the_child()
        child.send_signal(signal.SIGINT)
        assert os.getpgid(child.pid) != os.getpgid(0)
        assert sandbox.probe(photo).kind is Kind.PHOTO
        assert the_child().pid == child.pid


def test_a_decoder_loads_no_machine_learning_and_no_database() -> None:
    program = (
        "import sys, dam.media.decoder\n"
        "heavy = {'torch', 'sqlalchemy', 'faiss', 'cv2', 'pydantic', 'rawpy', 'pillow_heif'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)\n"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (loaded.returncode, loaded.stderr) == (0, b"")


def test_many_threads_share_few_processes(photo: Path, film: Path) -> None:
    def work(number: int) -> int:
        if number % 4:
            return int(sandbox.photo(photo).image.size)
        with sandbox.video(film, sampling=QUALITY) as stream:
            return sum(1 for _ in stream)

    with Sandbox(LIMITS, size=2) as sandbox, ThreadPoolExecutor(6) as threads:
        results = list(threads.map(work, range(16)))
        assert len(children()) <= 2
    assert results == [250 if number % 4 == 0 else 640 * 480 * 3 for number in range(16)]
    assert (sandbox.counters.photos, sandbox.counters.videos) == (12, 4)


def test_damaged_files_end_in_pictures_or_reasons(tmp_path: Path, photo: Path, film: Path) -> None:
    """A small share of what the fuzzer of the reliability suite does, with its seed printed."""
    seed = 20_240
    print(f"seed {seed}")  # noqa: T201
    dice = random.Random(seed)
    whole = []
    for suffix in ("jpg", "png", "webp", "gif", "tif", "avif", "bmp", "jp2"):
        Image.effect_noise((64, 48), 90).convert("RGB").save(tmp_path / f"whole.{suffix}")
        whole.append(tmp_path / f"whole.{suffix}")
    outcomes = {"read": 0, "refused": 0}
    with Sandbox(LIMITS) as sandbox:
        for number in range(96):
            source = film if number % 8 == 0 else dice.choice(whole)
            content = bytearray(source.read_bytes())
            for _ in range(dice.choice((1, 8, 64))):
                content[dice.randrange(len(content))] = dice.randrange(256)
            if number % 3 == 0:
                del content[dice.randrange(len(content)) :]
            path = tmp_path / f"damaged{source.suffix}"
            path.write_bytes(content)
            try:
                if sandbox.probe(path).kind is Kind.VIDEO:
                    with sandbox.video(path, sampling=QUALITY) as stream:
                        assert list(stream)
                else:
                    sandbox.photo(path, previews=tmp_path / "previews" / str(number))
                outcomes["read"] += 1
            except UnreadableMedia as error:
                assert path.name in str(error)
                outcomes["refused"] += 1
            except DamError as error:
                pytest.fail(f"{source.name}, number {number}: {error!r}")
    assert min(outcomes.values()) > 10
    assert not list((tmp_path / "previews").glob(f"{UNFINISHED}*"))
