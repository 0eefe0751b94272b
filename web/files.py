"""Answering with the bytes of a file: entity tags, ranges, safe names.

Endpoints hand over an open file; it is closed with the answer, whatever becomes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Response, request

from web.problems import problem
from web.ranges import ByteRange, Unsatisfiable, asked_range
from web.security import MEDIA_POLICY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

CHUNK_BYTES = 256 << 10
# Browsers ask a video for "everything from here" and then stop reading while it is paused, which
# would hold a thread. They take a shorter answer as well (RFC 9110 section 15.3.7) and ask again.
PIECE_BYTES = 8 << 20
IMMUTABLE = "private, max-age=31536000, immutable"
REVALIDATE = "private, no-cache"


def answer_file(
    stream: BinaryIO,
    *,
    size_bytes: int,
    mimetype: str,
    etag: str,
    immutable: bool = False,
    on_close: Callable[[], None] | None = None,
) -> Response:
    """200, 206, 304, 412 or 416, as the request's conditions and range want it."""
    response = Response(mimetype=mimetype)
    response.call_on_close(stream.close)
    if on_close is not None:
        response.call_on_close(on_close)
    response.content_length = size_bytes
    response.set_etag(etag)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = IMMUTABLE if immutable else REVALIDATE
    response.headers["Content-Security-Policy"] = MEDIA_POLICY
    response.make_conditional(request)
    if response.status_code != 200:
        return response
    try:
        part = _wanted_part(size_bytes, response.headers["ETag"])
    except Unsatisfiable:
        response.close()
        refusal = problem(416, f"The file has {size_bytes} bytes; the range starts behind them.")
        refusal.headers["Content-Range"] = f"bytes */{size_bytes}"
        return refusal
    if part is not None:
        response.status_code = 206
        response.headers["Content-Range"] = part.content_range(size_bytes)
        response.content_length = part.end - part.start
    whole = part or ByteRange(0, size_bytes)
    response.response = _read(stream, whole.start, whole.end - whole.start)
    return response


def disposition(name: str, *, download: bool) -> str:
    """A Content-Disposition that no file name can break out of (RFC 6266, RFC 8187)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    encoded = quote(name, safe="", errors="replace")
    kind = "attachment" if download else "inline"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def _wanted_part(size_bytes: int, etag: str) -> ByteRange | None:
    if request.method != "GET" or request.headers.get("If-Range", etag) != etag:
        return None
    part, open_ended = asked_range(request.headers.get("Range"), size_bytes)
    if part is not None and open_ended:
        part = ByteRange(part.start, min(part.end, part.start + PIECE_BYTES))
    return part


def _read(stream: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    stream.seek(start)
    while length > 0:
        chunk = stream.read(min(CHUNK_BYTES, length))
        if not chunk:
            return  # the file was cut off meanwhile; the connection ends short
        length -= len(chunk)
        yield chunk
