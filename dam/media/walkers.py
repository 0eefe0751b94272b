"""Walks over container formats that yield the media and leave the metadata out.

Each walker takes a file opened for reading and yields the bytes that make the picture or the
sound, in pieces of bounded size. Broken structure raises `Malformed`. Nothing is
decoded here, so these run in the process of the caller; `dam.media.essence` is that caller.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE_BYTES = 1 << 17  # a fresh megabyte for every piece would be zeroed by the system first
# A file of nothing but empty chunks would keep Python busy for minutes. A PNG of 1 GB in libpng's
# 8 KiB chunks has 131 thousand.
MAX_PARTS = 1_000_000


class Malformed(Exception):
    """The bytes do not follow the format they announce."""


def size_of(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def read_at(file: BinaryIO, offset: int, length: int) -> bytes:
    """Exactly `length` bytes from `offset`; raises `Malformed` where the file ends before."""
    file.seek(offset)
    data = file.read(length)
    if len(data) != length:
        raise Malformed(f"ends inside the {length} bytes at {offset}")
    return data


def pieces(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """The bytes of `[start, end)`; raises `Malformed` where the file ends before."""
    for offset in range(start, end, PIECE_BYTES):
        yield read_at(file, offset, min(PIECE_BYTES, end - offset))


# JPEG ---------------------------------------------------------------------------------------

_SOI, _EOI, _SOS, _APP2, _APP14, _COM, _TEM = 0xD8, 0xD9, 0xDA, 0xE2, 0xEE, 0xFE, 0x01
# Inside a scan 0xFF is stuffed with a zero, restarts it (D0–D7) or fills (FF); else it is a marker.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_MAX_SCANS = 2_000  # segments between scans; encoders write about ten, each costs a read


def jpeg(file: BinaryIO) -> Iterator[bytes]:
    """Tables, frame, scans, colour profile and Adobe's colour transform; nothing after the end."""
    offset = 2
    for _ in range(MAX_PARTS):
        fill, marker = read_at(file, offset, 2)
        if fill != 0xFF or marker == _EOI:
            raise Malformed("no picture before the end")
        if marker == _SOS:
            yield from _scans(file, offset)
            return
        if marker == 0xFF:  # fill byte
            offset += 1
            continue
        if marker in (_SOI, _TEM) or 0xD0 <= marker <= 0xD7:  # markers without a body
            offset += 2
            continue
        end = offset + 2 + _jpeg_length(file, offset)
        if _shows(file, marker, offset + 4):
            yield from pieces(file, offset, end)
        offset = end
    raise Malformed("too many segments")


def _jpeg_length(file: BinaryIO, offset: int) -> int:
    length = int.from_bytes(read_at(file, offset + 2, 2), "big")
    if length < 2:
        raise Malformed("a segment shorter than its own length")
    return length


def _shows(file: BinaryIO, marker: int, body: int) -> bool:
    if marker == _APP2:
        return read_at(file, body, 12) == b"ICC_PROFILE\0"
    return marker == _APP14 or not (0xE0 <= marker <= 0xEF or marker == _COM)


def _scans(file: BinaryIO, offset: int) -> Iterator[bytes]:
    """From the first SOS to EOI. A file cut short inside a scan still shows its upper part."""
    for _ in range(_MAX_SCANS):
        end = offset + 2 + _jpeg_length(file, offset)
        yield from pieces(file, offset, end)
        offset = end
        while True:
            file.seek(offset)
            piece = file.read(PIECE_BYTES)
            found = _MARKER.search(piece)
            if found:
                break
            if len(piece) < PIECE_BYTES:
                yield piece
                return
            kept = len(piece) - (piece[-1] == 0xFF)  # a marker may lie across two pieces
            yield piece[:kept]
            offset += kept
        yield piece[: found.start()]
        if piece[found.start() + 1] == _EOI:
            return
        offset += found.start()
    raise Malformed("more scans than any encoder writes")


# PNG ----------------------------------------------------------------------------------------

# What a decoder needs to paint; texts, times, EXIF, resolution and everything unknown stay out.
_PNG_SHOWS = frozenset(b"IHDR PLTE IDAT tRNS gAMA cHRM sRGB iCCP sBIT cICP acTL fcTL fdAT".split())


def png(file: BinaryIO) -> Iterator[bytes]:
    """Chunks that paint, also those of an animation (APNG)."""
    offset = 8
    for _ in range(MAX_PARTS):
        head = read_at(file, offset, 8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind == b"IEND":
            return
        if kind in _PNG_SHOWS:
            yield from pieces(file, offset + 4, offset + 8 + length)
        offset += 12 + length
    raise Malformed("too many chunks")


# RIFF and AIFF ------------------------------------------------------------------------------

# WebP: VP8X is left out because adding EXIF or XMP adds it. AVI: the lists `hdrl` and `movi`.
_RIFF_SHOWS = frozenset((b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"fmt ", b"data"))
_LISTS_SHOW = frozenset((b"hdrl", b"movi"))
_UNKNOWN_SIZE = 0xFFFFFFFF  # RF64 and BW64 keep the size of `data` in the chunk `ds64`


def riff_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Name and `[start, end)` of the body of each chunk of WebP, WAV (also RF64 and BW64) and AVI
    (also OpenDML's further RIFF lists)."""
    size, offset, data_bytes = size_of(file), 12, _UNKNOWN_SIZE
    for _ in range(MAX_PARTS):
        if offset + 8 > size:
            return
        head = read_at(file, offset, 8)
        kind, length = head[:4], int.from_bytes(head[4:], "little")
        if kind == b"RIFF":  # OpenDML: the next gigabytes of an AVI
            offset += 12
            continue
        if kind == b"ds64":
            data_bytes = int.from_bytes(read_at(file, offset + 16, 8), "little")
        if kind == b"data" and length == _UNKNOWN_SIZE:
            length = data_bytes
        end = min(offset + 8 + length, size)  # recorders that lost power leave a wrong size
        yield kind, offset + 8, end
        offset = end + (length & 1)


def riff(file: BinaryIO) -> Iterator[bytes]:
    """What shows and sounds in a RIFF file."""
    seen = False
    for kind, start, end in riff_chunks(file):
        listed = read_at(file, start, min(4, end - start)) if kind == b"LIST" else b""
        if kind in _RIFF_SHOWS or listed in _LISTS_SHOW:
            seen = True
            yield kind
            yield from pieces(file, start, end)
    if not seen:
        raise Malformed("no media in it")


def aiff(file: BinaryIO) -> Iterator[bytes]:
    """Format (COMM) and sound (SSND)."""
    size, offset, seen = size_of(file), 12, False
    for _ in range(MAX_PARTS):
        if offset + 8 > size:
            break
        head = read_at(file, offset, 8)
        kind, length = head[:4], int.from_bytes(head[4:], "big")
        end = min(offset + 8 + length, size)
        if kind in (b"COMM", b"SSND"):
            seen = seen or kind == b"SSND"
            yield kind
            yield from pieces(file, offset + 8, end)
        offset = end + (length & 1)
    if not seen:
        raise Malformed("no sound in it")


# FLAC and MPEG audio ------------------------------------------------------------------------


def flac(file: BinaryIO, start: int = 0) -> Iterator[bytes]:
    """STREAMINFO and the frames, without comments, pictures, padding and the seek table."""
    offset = start + 4
    for _ in range(MAX_PARTS):
        head = read_at(file, offset, 4)
        end = offset + 4 + int.from_bytes(head[1:], "big")
        if head[0] & 0x7F == 0:
            yield from pieces(file, offset + 4, end)
        offset = end
        if head[0] & 0x80:  # the last block before the frames
            yield from pieces(file, offset, _end_of_sound(file))
            return
    raise Malformed("too many blocks")


def mpeg_audio(file: BinaryIO) -> Iterator[bytes]:
    """MP3 and ADTS frames between the tags before them and those after them."""
    start, end = _end_of_first_tags(file), _end_of_sound(file)
    if start >= end:
        raise Malformed("tags and no sound")
    if read_at(file, start, 4) == b"fLaC":
        yield from flac(file, start)
        return
    yield from pieces(file, start, end)


def _end_of_first_tags(file: BinaryIO) -> int:
    """Behind the ID3v2 tags; some programs put a new one before the old one."""
    offset = 0
    for _ in range(16):
        tag = _at_most(file, offset, 10)
        if tag[:3] != b"ID3" or len(tag) < 10:
            break
        length = 0
        for byte in tag[6:]:
            length = length << 7 | byte & 0x7F
        offset += 10 + length + (10 if tag[5] & 0x10 else 0)  # with a footer
    return offset


def _at_most(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(max(offset, 0))
    return file.read(length)


def _end_of_sound(file: BinaryIO) -> int:
    """Where the tags at the end begin: APEv2, then ID3v1 as the last 128 bytes."""
    end = size_of(file)
    if _at_most(file, end - 128, 3) == b"TAG":
        end -= 128
    footer = _at_most(file, end - 32, 32)
    if footer[:8] == b"APETAGEX":
        has_header = footer[23] & 0x80
        end -= int.from_bytes(footer[12:16], "little") + (32 if has_header else 0)
    return max(end, 0)
