"""The server as a process: light, quick to stop, and not to be blocked by slow clients."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from dam.config import Settings
from dam.model_catalogue import BY_NAME
from dam.model_pulls import DownloadRecord
from tests.cli import free_port
from tests.model_hub import fast_hub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

from tests.model_hub import ModelHub

HEAVY = ("torch", "open_clip", "faster_whisper", "cv2", "transformers")
LIGHT = f"""
import sys
from pathlib import Path
from dam.config import Settings
from web.app import create_app
app = create_app(Settings(home=Path(sys.argv[1])))
heavy = [name for name in {HEAVY!r} if name in sys.modules]
assert not heavy, heavy
"""
START_LIMIT_S = 60  # a crowded machine; what is measured is in the benchmarks


def test_web_loads_no_machine_learning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


class Server:
    def __init__(self, home: Path, **settings: str) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dam", "web"],
            env={
                **os.environ,
                "DAM_HOME": str(home),
                "DAM_PORT": str(self.port),
                **{f"DAM_{name.upper()}": value for name, value in settings.items()},
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                assert self.process.poll() is None, self.process.communicate()[1]
                assert time.monotonic() < deadline, "the server does not start"
                time.sleep(0.05)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_LIMIT_S)

    def get(self, path: str) -> tuple[int, bytes]:
        connection = self.connect()
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(START_LIMIT_S)
        finally:
            if self.process.stderr is not None:
                self.process.stderr.close()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelHub]:
    with fast_hub() as opened:
        monkeypatch.setenv("HF_ENDPOINT", opened.address)
        yield opened


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    started = Server(tmp_path / "home", web_threads="4")
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.communicate()


def test_open_streams_neither_block_other_requests_nor_the_end(server: Server) -> None:
    stream = server.connect()
    stream.request("GET", "/api/v1/jobs/stream")
    events = stream.getresponse()
    assert events.readline() == b"retry: 3000\n"
    assert server.get("/api/v1/jobs/stream")[0] == 503
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2)]
    status, body = server.get("/api/v1/health")
    assert (status, json.loads(body)["database"]) == (200, "ok")
    assert server.stop() == 0
    for connection in silent:
        connection.close()
    stream.close()


def test_a_page_that_is_reloaded_again_and_again_always_gets_its_stream(server: Server) -> None:
    for _ in range(8):  # the server has room for one
        stream = server.connect()
        stream.request("GET", "/api/v1/jobs/stream")
        events = stream.getresponse()
        assert events.status == 200
        assert events.readline() == b"retry: 3000\n"
        events.close()
        stream.close()


def test_a_server_goes_on_with_the_download_that_the_last_one_left(
    tmp_path: Path, hub: ModelHub
) -> None:
    settings = Settings(home=tmp_path / "home")
    record = DownloadRecord(settings.pulled_models_path, BY_NAME["fast"].network)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as gone:
        record.begin(None, pid=gone.pid)
        gone.kill()
    started = Server(settings.home)
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while json.loads(started.get("/api/v1/models")[1])["models"][0]["state"] != "ready":
            assert time.monotonic() < deadline, "the download does not go on"
            time.sleep(0.2)
    finally:
        assert started.stop() == 0


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /api/v1/libraries HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET /api/v1/libraries HTTP/1.1\r\n\r\n",
        b"GET http://evil.example/api/v1/libraries HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET /api/v1/assets/../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_raw_request_from_elsewhere_gets_nothing(server: Server, request_line: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(request_line)
        answer = raw.recv(65536)
    assert answer.split()[1] in {b"400", b"404"}
    assert b"root:" not in answer
