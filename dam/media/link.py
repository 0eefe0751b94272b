"""The decoder process's end of the conversation: messages out, acknowledgements in.

Child side. Messages are small JSON, since a decoder that reads hostile files must not be able to
make its parent unpickle anything.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import time
from multiprocessing.reduction import recv_handle
from typing import TYPE_CHECKING, Any, BinaryIO

from dam.media.shared_memory import PLACE_BYTES, PLACES

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from dam.contracts import Pixels, Samples
    from dam.media.shared_memory import SharedMedia

_PROGRESS_S = 0.5


class Link:
    def __init__(self, connection: Connection, media: SharedMedia, timeout_s: float) -> None:
        self._connection = connection
        self._media = media
        self._timeout_s = timeout_s
        self._reported_s = 0.0
        self._place = 0
        self._waiting = 0  # frames or pieces of sound sent and not yet taken

    def receive(self) -> dict[str, Any]:
        """The next request. Raises EOFError when the parent is gone."""
        request: dict[str, Any] = json.loads(self._connection.recv_bytes())
        return request

    def receive_file(self) -> BinaryIO:
        """The file that the parent opened for this request."""
        return os.fdopen(recv_handle(self._connection), "rb")

    def send(self, **message: Any) -> None:
        self._connection.send_bytes(json.dumps(message).encode())

    def progress(self) -> None:
        """Tells the parent that this is slow, not stuck. Cheap enough to call for every frame."""
        now_s = time.monotonic()
        if now_s - self._reported_s > _PROGRESS_S:
            self._reported_s = now_s
            self.allow_cpu()
            self.send(progress=True)

    def allow_cpu(self) -> None:
        """Lets the process compute on: without a parent to kill it, a decoder that never returns
        would burn a core for ever. Threads count together, hence the generous factor."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(used.ru_utime + used.ru_stime + 4 * self._timeout_s) + 10
        with contextlib.suppress(ValueError, OSError):  # an administrator's limit is lower
            resource.setrlimit(
                resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1])
            )

    def picture(self, pixels: Pixels) -> list[int]:
        return self._media.write(pixels).as_message()

    def frame(self, at_us: int, number: int | None, small: Pixels, image: Pixels | None) -> None:
        """Hands a frame over; blocks while the parent has not taken the earlier ones."""
        patch = self._media.write(small, self._free_place())
        message: dict[str, Any] = {"at_us": at_us, "number": number, "small": patch.as_message()}
        if image is not None:
            message["image"] = self._media.write(image, patch.end).as_message()
        self.send(frame=message)

    def sound(self, at_us: int, wide: Samples, voice: Samples) -> None:
        """Hands a piece of sound over as `frame` does a frame; both (channels, n)."""
        place = self._free_place()
        message = {
            "at_us": at_us,
            "wide": self._media.write_samples(wide, place),
            "voice": self._media.write_samples(voice, place + wide.nbytes),
        }
        self.send(sound=message)

    def _free_place(self) -> int:
        if self._waiting == PLACES:
            self._taken()
        self._waiting += 1
        self._place = (self._place + 1) % PLACES
        return self._place * PLACE_BYTES

    def drain(self) -> None:
        """Waits until everything was taken, so that the next thing read is a request."""
        while self._waiting:
            self._taken()

    def _taken(self) -> None:
        self._connection.recv_bytes()
        self._waiting -= 1
