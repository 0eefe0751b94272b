"""What the endpoints stand on, opened once per process: database, search, sandbox, slots.

One object per app, reached through `services()` inside a request. Nothing here loads a
machine-learning library: query vectors come from the encoder process, pictures are decoded in the
sandbox's children, and FAISS is imported with the first search.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, cast

from flask import current_app

from dam.full_size import FullPictures
from dam.model_pulls import Pulls
from dam.schema import open_database
from dam.uploads import Uploads
from web.problems import Unavailable
from web.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dam.config import Settings
    from dam.contracts import QueryEncoder
    from dam.media.sandbox import Sandbox
    from dam.search.service import SearchService

EXTENSION = "dam"


class Slots:
    """How many long answers may hold a thread of the server at the same time.

    Event streams get a quarter of the threads and originals half of them, so that the last quarter
    always answers searches, pages and thumbnails.
    """

    def __init__(self, number: int, purpose: str) -> None:
        self.number = number
        self._purpose = purpose
        self._free = threading.BoundedSemaphore(number)

    def take(self, *, patience_s: float = 0.0) -> None:
        """Raises `Unavailable` when all stay taken so long. Whoever took one gives it back."""
        if not self._free.acquire(timeout=patience_s):
            raise Unavailable(
                f"There are already {self.number} {self._purpose} open, which is all that "
                "DAM_WEB_THREADS allows; try again in a moment."
            )

    def give_back(self) -> None:
        self._free.release()


class Services:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = open_database(settings)
        self.progress = Progress(self.database, settings)
        self.pulls = Pulls(settings)
        self.stopping = threading.Event()  # ends the event streams
        self.streams = Slots(max(1, settings.web_threads // 4), "progress streams")
        self.originals = Slots(max(1, settings.web_threads // 2), "originals")
        self._lock = threading.Lock()
        self._search: SearchService | None = None
        self._sandbox: Sandbox | None = None
        self.full_pictures = FullPictures(settings, self.sandbox)
        self.uploads = Uploads(self.database, settings)
        self.uploads.sweep()

    @property
    def search(self) -> SearchService:
        with self._lock:
            if self._search is None:
                from dam.search.service import SearchService  # FAISS comes with it

                self._search = SearchService(
                    self.database,
                    self.settings,
                    partial(self._encoder, "visual"),
                    sound=partial(self._encoder, "sound_space"),
                    words=partial(self._encoder, "words"),
                )
        return self._search

    def _encoder(self, indexer: str) -> QueryEncoder:
        from dam.indexing.encoder import open_query_encoder

        return open_query_encoder(self.database, self.settings, indexer, in_process=False)

    @contextmanager
    def sandbox(self) -> Iterator[Sandbox]:
        """Decoders for the pictures people search with or look at; more have to wait."""
        with self._lock:
            if self._sandbox is None:
                from dam.media.sandbox import Limits, Sandbox

                asked = self.settings
                limits = Limits(asked.decode_timeout_s, asked.decode_memory_mb, asked.max_pixels)
                self._sandbox = Sandbox(limits, size=2)
        yield self._sandbox

    def close(self) -> None:
        self.stopping.set()
        self.pulls.close()
        if self._sandbox is not None:
            self._sandbox.close()
        self.database.close()


def services() -> Services:
    """Those of the app that answers the current request."""
    return cast("Services", current_app.extensions[EXTENSION])
