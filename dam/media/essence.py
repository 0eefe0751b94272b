"""The hash of what a file shows, whatever its metadata say.

Two files of one essence look and sound the same: a rating written by another program changes the
content hash and leaves the essence alone, so findings and previews are kept. Orientation is part
of it, since it turns the picture. Where the structure is unknown or broken the content hash stands
in: then every change counts as a new picture, which costs work but is never wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from blake3 import blake3

from dam.media import isobmff, walkers
from dam.media.opening import open_for_reading
from dam.media.walkers import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dam.media.probe import Probe

_HEAD_BYTES = 16  # enough for every signature below


def essence_hash(path: Path, probe: Probe, content_hash: str) -> str:
    """BLAKE3 hex of the media in `path`, or `content_hash` where it cannot be told apart.

    Streams the file once in bounded memory. Raises OSError when it cannot be read; broken bytes
    raise nothing.
    """
    with open_for_reading(path) as file:
        walker = _walker(file.read(_HEAD_BYTES))
        if walker is None:
            return content_hash
        digest = blake3(f"{probe.kind} {walker.__name__} {probe.orientation}\0".encode())
        try:
            for piece in walker(file):
                digest.update(piece)
        except Malformed:
            return content_hash
        return digest.hexdigest()


def _walker(head: bytes) -> Callable[[BinaryIO], Iterator[bytes]] | None:
    """The reader of the structure that these first bytes announce; names are no evidence."""
    if head.startswith(b"\xff\xd8\xff"):
        return walkers.jpeg
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return walkers.png
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] in (b"WEBP", b"WAVE", b"AVI "):
        return walkers.riff
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return walkers.aiff
    if head[4:8] == b"ftyp":
        pictures = head[8:12] in isobmff.PICTURE_BRANDS
        return isobmff.pictures if pictures else isobmff.samples
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return isobmff.samples  # QuickTime files older than `ftyp`
    if head.startswith(b"fLaC"):
        return walkers.flac
    # An MPEG audio frame or the tag before one. Layer bits 00 are AAC in ADTS: the same to us.
    if head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] >= 0xE0):
        return walkers.mpeg_audio
    return None
