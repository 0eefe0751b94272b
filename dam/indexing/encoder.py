"""Query vectors from the resident encoder process, so that no search waits for weights to load.

`dam serve` keeps one encoder process; it answers over a loopback socket behind a random key that
only this user can read. Messages are JSON headers and raw float32: nothing is unpickled. The web
process uses the client alone and so never imports a machine-learning library.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import AuthenticationError
from multiprocessing.connection import (
    Client,
    Connection,
    Listener,
    answer_challenge,
    deliver_challenge,
)
from typing import TYPE_CHECKING, Any

import numpy as np

from dam import errors
from dam.errors import DamError, RetryLater, WeightsUnavailable
from dam.indexing.choice import serving_model
from dam.indexing.plan import open_registry
from dam.indexing.registry import Registry
from dam.liveness import living
from dam.vectors.spaces import every_space, serving_space

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dam.config import Settings
    from dam.contracts import Pixels, QueryEncoder, Unit
    from dam.db import Database

ADDRESS_FILE = "encoder.json"
# Longer: a page waits for words and names that are there at once; shorter: slow machines never get
# an answer by what pictures show.
ANSWER_S = 10.0
MAX_TEXTS = 256  # of one request; a query has one
log = logging.getLogger(__name__)


def open_query_encoder(
    database: Database, settings: Settings, indexer: str = "visual", *, in_process: bool = True
) -> QueryEncoder:
    """An encoder for the space that serves this indexer's searches.

    Asks the resident process when there is one; else, unless `in_process` is False, loads the
    model here. Raises `WeightsUnavailable` with the command that mends it.
    """
    address = settings.run_path / ADDRESS_FILE
    if any(process.role == "encoder" for process in living(settings.run_path)):
        remote = RemoteEncoder(address, indexer)
        try:
            remote.connect()
        except (OSError, EOFError, ValueError):
            log.info("The encoder process does not answer yet.")
        else:
            return remote
    if not in_process:
        raise WeightsUnavailable("The encoder process is not running; `dam serve` starts it.")
    return LoadedEncoder(_registry_for_serving_space(database, settings, indexer), indexer)


class LoadedEncoder:
    """The model in this process, loaded once and kept."""

    def __init__(self, registry: Registry, indexer: str) -> None:
        self._stack = ExitStack()
        self._stack.enter_context(registry.indexer(indexer))
        self._encoder = registry.query_encoder(indexer)

    @property
    def space(self) -> str:
        return self._encoder.space

    def encode_text(self, texts: Sequence[str]) -> Unit:
        return self._encoder.encode_text(texts)

    def encode_image(self, images: Sequence[Pixels]) -> Unit:
        return self._encoder.encode_image(images)

    def close(self) -> None:
        self._stack.close()


@dataclass
class RemoteEncoder:
    """The client of the encoder process. A request a connection: they are rare and local."""

    address: Path
    indexer: str
    space: str = ""

    def connect(self) -> None:
        """Asks which space it serves. Raises `OSError` when nobody listens."""
        answer, _ = self._ask({"want": "space"}, b"")
        self.space = answer["space"]

    def encode_text(self, texts: Sequence[str]) -> Unit:
        return self._vectors({"want": "text", "texts": list(texts)}, b"")

    def encode_image(self, images: Sequence[Pixels]) -> Unit:
        rows = []
        for image in images:
            pixels = np.ascontiguousarray(image)
            rows.append(self._vectors({"want": "image", "shape": pixels.shape}, pixels.tobytes()))
        return np.concatenate(rows)

    def _vectors(self, header: dict[str, Any], body: bytes) -> Unit:
        answer, blob = self._ask(header, body)
        self.space = answer["space"]
        return np.frombuffer(blob, np.float32).reshape(answer["shape"]).copy()

    def _ask(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        found = json.loads(self.address.read_text())
        with Client(
            ("127.0.0.1", found["port"]), authkey=bytes.fromhex(found["key"])
        ) as connection:
            connection.send_bytes(json.dumps({**header, "indexer": self.indexer}).encode())
            connection.send_bytes(body)
            if not connection.poll(ANSWER_S):
                raise RetryLater("The query encoder is still loading its model.")
            answer = json.loads(connection.recv_bytes())
            blob = connection.recv_bytes()
        if "error" in answer:
            known = getattr(errors, answer["error"], DamError)
            raise known(answer["message"])
        return answer, blob


class EncoderServer:
    """Answers `RemoteEncoder`s with whatever model serves; one model call at a time."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._lock = threading.Lock()  # of model calls
        self._loading = threading.Lock()  # others are answered meanwhile
        self._loaded: dict[str, LoadedEncoder] = {}

    def run(self, stop: threading.Event) -> None:
        """Serves until `stop`; the address file tells clients where."""
        key = secrets.token_bytes(32)
        listener = Listener(("127.0.0.1", 0))
        path = self._settings.run_path / ADDRESS_FILE
        _write_private(path, json.dumps({"port": listener.address[1], "key": key.hex()}))
        try:
            threading.Thread(target=self._warm_up, daemon=True).start()
            threading.Thread(target=self._accept, args=(listener, key), daemon=True).start()
            stop.wait()
        finally:
            path.unlink(missing_ok=True)
            listener.close()

    def _accept(self, listener: Listener, key: bytes) -> None:
        while True:
            try:
                connection = listener.accept()
            except OSError:
                return  # closed: the process ends
            arguments = (connection, key)
            threading.Thread(target=self._serve, args=arguments, daemon=True).start()

    def _serve(self, connection: Connection[Any, Any], key: bytes) -> None:
        with connection:
            try:
                # Here and not in `accept`, where a stranger who says nothing would block the rest.
                deliver_challenge(connection, key)
                answer_challenge(connection, key)
                header = json.loads(connection.recv_bytes(1 << 20))
                body = connection.recv_bytes(64 << 20)
            except (AuthenticationError, EOFError, OSError, ValueError) as error:
                log.info("A connection to the encoder was refused: %s", error)
                return
            try:
                answer, blob = self._answer(header, body)
            except DamError as error:
                answer, blob = {"error": type(error).__name__, "message": str(error)}, b""
            except Exception as error:  # the client must hear of a bug, not hang
                log.exception("The encoder failed")
                answer, blob = {"error": "DamError", "message": str(error)}, b""
            connection.send_bytes(json.dumps(answer).encode())
            connection.send_bytes(blob)

    def _answer(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        encoder = self._encoder(header["indexer"])
        with self._lock:
            if header["want"] == "space":
                return {"space": encoder.space}, b""
            if header["want"] == "text":
                vectors = encoder.encode_text(header["texts"][:MAX_TEXTS])
            else:
                pixels = np.frombuffer(body, np.uint8).reshape(header["shape"])
                vectors = encoder.encode_image([pixels])
            return {"space": encoder.space, "shape": vectors.shape}, vectors.tobytes()

    def _encoder(self, indexer: str) -> LoadedEncoder:
        """The model of the serving space; another one is loaded when another space serves."""
        serving = _serving_producer(self._database, indexer)
        loaded = self._loaded.get(indexer)
        if loaded is not None and serving in (None, loaded.space):
            return loaded
        with self._loading:
            loaded = self._loaded.get(indexer)
            if loaded is not None and serving in (None, loaded.space):
                return loaded
            registry = _registry_for_serving_space(self._database, self._settings, indexer)
            fresh = LoadedEncoder(registry, indexer)
            with self._lock:  # nobody is in the middle of a call of the one before
                if loaded is not None:
                    loaded.close()
                self._loaded[indexer] = fresh
            return fresh

    def _warm_up(self) -> None:
        """Loads what searches will ask for: the picture model, and those whose vectors serve."""
        with self._database.read() as session:
            known = [space.indexer for space in every_space(session)]
            others = [indexer for indexer in known if serving_space(session, indexer)]
        for indexer in dict.fromkeys(["visual", *others]):
            try:
                encoder = self._encoder(indexer)
                with self._lock:
                    encoder.encode_text(["a photo"])
            except DamError as error:
                log.info("Not loaded yet: %s", error)


def _serving_producer(database: Database, indexer: str) -> str | None:
    with database.read() as session:
        space = serving_space(session, indexer)
    return space.fingerprint if space else None


def _registry_for_serving_space(database: Database, settings: Settings, indexer: str) -> Registry:
    """While a new space is being built, queries go to the model of the one that serves."""
    registry = open_registry(database, settings)
    serving = _serving_producer(database, indexer)
    try:
        current = registry.producer(indexer).fingerprint
    except WeightsUnavailable:
        if serving is None:
            raise
        current = None
    if serving is None or serving == current:
        return registry
    model = serving_model(database, indexer)
    return Registry(settings, preferences=registry.preferences, model=model)


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
