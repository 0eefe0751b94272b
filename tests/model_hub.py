"""A Hugging Face hub on this machine: just what `huggingface_hub` asks for one repository."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from safetensors.numpy import save

from dam.model_catalogue import BY_NAME

if TYPE_CHECKING:
    from types import TracebackType

COMMIT = "a" * 40
CONFIG = json.dumps({"model_cfg": {"embed_dim": 4, "vision_cfg": {}, "text_cfg": {}}}).encode()


class ModelHub:
    """Serves `files`, as those of every repository whose name begins like `repository`.

    `cut` names a file whose answer breaks off in the middle, once.
    `hold` names one whose answer waits in the middle until `release`; `held` says that it does.
    """

    def __init__(self, repository: str, files: dict[str, bytes]) -> None:
        self.files = files
        self.promised = {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}
        self.cut: str | None = None
        self.hold: str | None = None
        self.held = False
        self._released = threading.Event()
        hub = self

        class Handler(_Handler):
            served = hub
            name = repository

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def release(self) -> None:
        self.hold = None
        self._released.set()

    def wait(self) -> None:
        self.held = True
        self._released.wait(60)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()


def fast_hub() -> ModelHub:
    """A hub that has the preset `fast`, with weights that are small and whole."""
    weights = save({"weight": np.ones((256, 256), dtype=np.float32)})
    files = {"open_clip_config.json": CONFIG, "open_clip_model.safetensors": weights}
    return ModelHub(BY_NAME["fast"].repository, files)


class _Handler(BaseHTTPRequestHandler):
    served: ClassVar[ModelHub]
    name: ClassVar[str]

    def do_GET(self) -> None:
        if self.path.startswith(f"/api/models/{self.name}"):
            self._about()
        else:
            self._file(body=True)

    def do_HEAD(self) -> None:
        self._file(body=False)

    def _about(self) -> None:
        siblings = [
            {
                "rfilename": name,
                "size": len(body),
                "blobId": hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest(),
                "lfs": {"sha256": self.served.promised[name], "size": len(body), "pointerSize": 1}
                if name.endswith(".safetensors")
                else None,
            }
            for name, body in self.served.files.items()
        ]
        asked = self.path.partition("?")[0].removeprefix("/api/models/")
        answer = json.dumps({"id": asked, "sha": COMMIT, "siblings": siblings}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _file(self, *, body: bool) -> None:
        name = self.path.rpartition("/")[2]
        content = self.served.files.get(name)
        if content is None:
            self.send_error(404)
            return
        start = int((self.headers.get("Range") or "bytes=0-")[6:].rstrip("-") or 0)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.md5(content).hexdigest()}"')
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if not body:
            return
        if self.served.cut == name:
            self.served.cut = None
            self.wfile.write(content[start : start + len(content) // 2])
            self.close_connection = True
            return
        if self.served.hold == name:
            self.wfile.write(content[start : start + 100])
            start += 100
            self.served.wait()
        with suppress(BrokenPipeError, ConnectionResetError):  # whoever asked has been ended
            self.wfile.write(content[start:])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
