"""Byte ranges (RFC 9110 section 14): which part of a file a `Range` header asks for.

Werkzeug's own answers 416 to a suffix longer than the file, to several ranges and to units it does
not know; the RFC wants the whole file for the first and allows it for the others. One pass over
the header, digits only, no sorting: a hostile header costs no more than its length (compare
CVE-2025-62727).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes[ \t]*=[ \t]*([0-9]{0,19})-([0-9]{0,19})[ \t]*", re.ASCII | re.I)


class Unsatisfiable(Exception):
    """The range starts behind the end of the file."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Half-open, never empty, inside the file."""

    start: int
    end: int

    def content_range(self, size_bytes: int) -> str:
        return f"bytes {self.start}-{self.end - 1}/{size_bytes}"


def asked_range(header: str | None, size_bytes: int) -> tuple[ByteRange | None, bool]:
    """(the range, whether the client left its end open).

    None means the whole file: no header, several ranges, another unit, or nonsense, all of which a
    server may ignore. Raises `Unsatisfiable`.
    """
    match = _ONE_RANGE.fullmatch(header or "")
    if match is None or match[1] == match[2] == "":
        return None, False
    if not match[1]:  # the last n bytes
        wanted = int(match[2])
        if wanted == 0 or size_bytes == 0:
            raise Unsatisfiable
        return ByteRange(max(0, size_bytes - wanted), size_bytes), False
    start = int(match[1])
    last = int(match[2]) if match[2] else size_bytes - 1
    if match[2] and last < start:
        return None, False
    if start >= size_bytes:
        raise Unsatisfiable
    return ByteRange(start, min(last + 1, size_bytes)), not match[2]
