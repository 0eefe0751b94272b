"""The program of a decoder process: `python -m dam.media.decoder`, started by the sandbox alone.

Reads requests, decodes, answers. It may crash, hang or run out of memory at any time; that is what
it is for. Imports no torch, no database and no OpenCV, so that it starts quickly and stays small.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
import traceback
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dam.contracts import Kind
from dam.disk import is_full
from dam.errors import DamError, DiskFull, LibraryOffline, OverLimit, UnreadableMedia
from dam.media import container, image, renditions, sound, video
from dam.media.formats import RAW_SUFFIXES, SIGNED_DEMUXERS, kind_of_suffix
from dam.media.link import Link
from dam.media.shared_memory import SharedMedia
from dam.media.source import is_away, open_media, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from PIL.Image import Image

    from dam.media.probe import Probe


class Decoder:
    def __init__(self, link: Link, *, memory_mb: int, max_pixels: int) -> None:
        self._link = link
        self._memory_mb = memory_mb
        self._max_pixels = max_pixels
        self._operations: dict[str, Callable[..., dict[str, Any]]] = {
            "probe": self._probe,
            "photo": self._photo,
            "preview": self._preview,
            "whole": self._whole,
            "video": self._video,
            "sound": self._sound,
        }

    def serve(self) -> None:
        while True:
            try:
                request = self._link.receive()
            except EOFError:
                return
            path = Path(request.pop("path"))
            try:
                self._link.allow_cpu()
                handed_over = request.pop("handed_over", False)
                with self._link.receive_file() if handed_over else open_media(path) as file:
                    result = self._operations[request.pop("do")](file, path, **request)
                self._link.drain()
                self._link.send(done=result)
            except Exception as error:  # parsers raise anything on hostile input
                self._link.drain()
                self._link.send(**self._failure(path, error))

    def _failure(self, path: Path, error: Exception) -> dict[str, Any]:
        if isinstance(error, MemoryError):
            error = OverLimit(
                f"{shown(path)} needs more than {self._memory_mb} MiB to be decoded "
                "(DAM_DECODE_MEMORY_MB)"
            )
        elif isinstance(error, OSError) and is_full(error):
            error = DiskFull(f"There is no room for what is made of {shown(path)} (DAM_HOME)")
        elif isinstance(error, OSError) and is_away(error):
            error = LibraryOffline(f"{shown(path)} cannot be read now: {error.strerror}")
        trace = None
        if not isinstance(error, DamError):
            trace = "".join(traceback.format_exception(error))
            error = UnreadableMedia(f"{shown(path)} is damaged or cut short: {_why(error)}")
        return {"error": type(error).__name__, "message": str(error), "trace": trace}

    def _probe(self, file: BinaryIO, path: Path) -> dict[str, Any]:
        return asdict(self._probed(file, path))

    def _probed(self, file: BinaryIO, path: Path) -> Probe:
        """By the decoder that the name suggests; when the name lies, by the other one."""
        if kind_of_suffix(path.name) in (Kind.PHOTO, None):
            try:
                return self._probe_photo(file, path)
            except UnreadableMedia as reason:
                return self._second_try(file, path, reason)
        try:
            return container.probe_container(file, path, self._max_pixels, self._link.progress)
        except UnreadableMedia as reason:
            try:
                file.seek(0)
                return self._probe_photo(file, path)
            except UnreadableMedia:
                raise reason from None

    def _second_try(self, file: BinaryIO, path: Path, reason: UnreadableMedia) -> Probe:
        if isinstance(reason, OverLimit):
            raise reason
        file.seek(0)
        try:
            return container.probe_container(
                file, path, self._max_pixels, self._link.progress, SIGNED_DEMUXERS
            )
        except OverLimit:
            raise
        except UnreadableMedia:
            raise reason from None

    def _probe_photo(self, file: BinaryIO, path: Path) -> Probe:
        if path.suffix.lower() in RAW_SUFFIXES:
            from dam.media import raw

            return raw.probe_raw(file, path, self._max_pixels)
        return image.probe_picture(file, path, self._max_pixels)

    def _photo(self, file: BinaryIO, path: Path, folder: str | None) -> dict[str, Any]:
        picture = self._decoded(file, path)
        thumb = renditions.thumbnail(picture)
        if folder is not None:
            renditions.write_photo(picture, thumb, Path(folder))
        return {
            "image": self._link.picture(image.pixels_of(picture)),
            "thumbhash": renditions.thumbhash_of(thumb).hex(),
        }

    def _whole(self, file: BinaryIO, path: Path, target: str) -> dict[str, Any]:
        renditions.write_whole(self._decoded(file, path, image.WHOLE_PX), Path(target))
        return {}

    def _decoded(self, file: BinaryIO, path: Path, long_side_px: int = image.PREVIEW_PX) -> Image:
        if path.suffix.lower() in RAW_SUFFIXES:
            from dam.media import raw

            return raw.decode_raw(file, path, self._max_pixels, long_side_px)
        return image.decode_picture(file, path, self._max_pixels, long_side_px)

    def _preview(self, file: BinaryIO, path: Path) -> dict[str, Any]:
        picture = image.decode_picture(file, path, self._max_pixels)
        return {"image": self._link.picture(image.pixels_of(picture))}

    def _video(self, file: BinaryIO, path: Path, **wishes: Any) -> dict[str, Any]:
        return video.decode_video(file, path, self._link, self._max_pixels, **wishes)

    def _sound(self, file: BinaryIO, path: Path, **wishes: Any) -> dict[str, Any]:
        return sound.decode_sound(file, path, self._link, **wishes)


def _why(error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    return " ".join(str(reason).split()) or type(error).__name__


def _die_with_parent() -> None:
    """Standard input is a pipe that the parent never writes: its end is the parent's end."""
    while os.read(0, 1):
        pass
    os._exit(0)


def main() -> None:
    setup = json.loads(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to decide on
    threading.Thread(target=_die_with_parent, daemon=True).start()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Writable private memory, which is what a decoder can hoard: RLIMIT_AS would count the
    # address space that thread stacks and libraries reserve and never touch.
    limit_bytes = setup["memory_mb"] << 20
    resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))
    link = Link(Connection(setup["connection"]), SharedMedia(setup["media"]), setup["timeout_s"])
    link.send(ready=True)
    Decoder(link, memory_mb=setup["memory_mb"], max_pixels=setup["max_pixels"]).serve()


if __name__ == "__main__":
    main()
