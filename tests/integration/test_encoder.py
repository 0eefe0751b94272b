"""The resident encoder process: the same vectors as in this process, and nothing unpickled."""

from __future__ import annotations

import json
import socket
import stat
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dam.config import Settings
from dam.errors import BadRequest, RetryLater, WeightsUnavailable
from dam.indexing.encoder import ADDRESS_FILE, LoadedEncoder, RemoteEncoder, open_query_encoder
from dam.indexing.plan import open_registry
from dam.schema import open_database
from tests.cli import Dam

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dam.contracts import QueryEncoder


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.1)


def patiently(ask: Callable[[], QueryEncoder], seconds: float = 120) -> QueryEncoder:
    """A model that nobody has asked for yet is loaded at the first question."""
    end = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except RetryLater:
            assert time.monotonic() < end


def test_the_encoder_process_gives_the_vectors_of_the_model(shared: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", models=shared / "models", threads=1)
    database = open_database(settings)
    with pytest.raises(WeightsUnavailable, match="dam serve"):
        open_query_encoder(database, settings, in_process=False)
    here = open_query_encoder(database, settings)
    process = Dam(settings.home, {"models": str(shared / "models"), "threads": "1"}).start(
        "encoder"
    )
    address = settings.run_path / ADDRESS_FILE
    try:
        wait_for(address.is_file)
        assert stat.S_IMODE(address.stat().st_mode) == 0o600
        remote = patiently(lambda: open_query_encoder(database, settings, in_process=False))
        assert isinstance(remote, RemoteEncoder)
        assert remote.space == here.space
        texts = ["a dog", "two people on a beach"]
        np.testing.assert_allclose(remote.encode_text(texts), here.encode_text(texts), atol=1e-5)
        image = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
        np.testing.assert_allclose(
            remote.encode_image([image]), here.encode_image([image]), atol=1e-5
        )
        heard = patiently(
            lambda: open_query_encoder(database, settings, "sound_space", in_process=False)
        )
        with ExitStack() as stack:
            known = LoadedEncoder(open_registry(database, settings), "sound_space")
            stack.callback(known.close)
            assert heard.space == known.space != here.space
            np.testing.assert_allclose(
                heard.encode_text(texts), known.encode_text(texts), atol=1e-5
            )
        with pytest.raises(BadRequest, match="picture"):
            heard.encode_image([image])
        with socket.create_connection(
            ("127.0.0.1", json.loads(address.read_text())["port"])
        ) as stranger:
            stranger.sendall(b"x" * 64)  # no key: refused, and the service goes on
        assert remote.encode_text(["a cat"]).shape == (1, here.encode_text(["a cat"]).shape[1])
    finally:
        process.terminate()
        process.communicate(timeout=120)
    assert not address.exists()
    database.close()


def test_missing_weights_reach_the_client_as_such(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", offline=True)
    database = open_database(settings)
    process = Dam(settings.home).start("encoder")
    try:
        wait_for((settings.run_path / ADDRESS_FILE).is_file)
        with pytest.raises(WeightsUnavailable, match="dam models pull"):
            open_query_encoder(database, settings, in_process=False)
    finally:
        process.terminate()
        process.communicate(timeout=120)
    database.close()
