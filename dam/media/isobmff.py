"""Walks over ISO base media files: MP4, MOV, M4A, CR3 by their samples, HEIC and AVIF by items.

The same promises as `dam.media.walkers`. Box names and layouts are those of ISO/IEC 14496-12 and,
for pictures, ISO/IEC 23008-12.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from dam.media.walkers import MAX_PARTS, Malformed, pieces, read_at, size_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PICTURE_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2", b"avif"))

_CONTAINERS = frozenset((b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl"))
# What turns `mdat` into a film: how samples are cut, timed and decoded. Their places in the file
# (stco, co64) are left out, since a longer title before `mdat` moves them.
_TABLES = frozenset(
    (b"elst", b"stsd", b"stts", b"ctts", b"stss", b"stsc", b"stsz", b"stz2", b"moof")
)
_META_BYTES = 16 << 20  # the table of items of one picture; a big one has some kilobytes
_NOT_SHOWN = frozenset((b"Exif", b"mime", b"uri "))  # items that hold EXIF, XMP and the like


@dataclass(frozen=True, slots=True)
class Box:
    kind: bytes
    start: int  # of the payload
    end: int


def samples(file: BinaryIO) -> Iterator[bytes]:
    """The tables that cut media data into samples, then these data; no dates, texts or pictures.

    In this order, because editors put `moov` before or behind `mdat` as it suits them.
    """
    size, seen = size_of(file), False
    for box in _tree(file, 0, size):
        if box.kind in _TABLES:
            yield box.kind
            yield from pieces(file, box.start, box.end)
    for box in _boxes(file, 0, size):
        if box.kind == b"mdat":
            seen = True
            yield from pieces(file, box.start, box.end)
    if not seen:
        raise Malformed("no media data")


def _tree(file: BinaryIO, start: int, end: int, depth: int = 0) -> Iterator[Box]:
    for box in _boxes(file, start, end):
        if box.kind in _CONTAINERS and depth < len(_CONTAINERS):
            yield from _tree(file, box.start, box.end, depth + 1)
        else:
            yield box


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    for _ in range(MAX_PARTS):
        if start + 8 > end:  # QuickTime ends user data with four zeros
            return
        head = read_at(file, start, 8)
        length, body = int.from_bytes(head[:4], "big"), start + 8
        if length == 1:
            length, body = int.from_bytes(read_at(file, body, 8), "big"), body + 8
        box_end = start + length if length else end
        if not body <= box_end <= end:
            raise Malformed(f"a box of {length} bytes at {start}")
        yield Box(head[4:], body, box_end)
        start = box_end
    raise Malformed("too many boxes")


# HEIC and AVIF ------------------------------------------------------------------------------


def pictures(file: BinaryIO) -> Iterator[bytes]:
    """Every coded item in order of its number, and the properties that say how to show it.

    Sequences (a track beside the items) are refused as `Malformed`: they are not taken apart yet
    in a way that would notice every change.
    """
    size = size_of(file)
    top = {box.kind: box for box in _boxes(file, 0, size)}
    if b"meta" not in top or b"moov" in top:
        raise Malformed("no table of items, or a sequence")
    table = top[b"meta"]
    if table.end - table.start > _META_BYTES:
        raise Malformed("the table of items is too large")
    boxes = {box.kind: box for box in _boxes(file, table.start + 4, table.end)}
    for kind in (b"pitm", b"iprp"):
        yield from pieces(file, boxes[kind].start, boxes[kind].end) if kind in boxes else ()
    if b"iref" in boxes:
        yield from _references(file, boxes[b"iref"])
    if b"iinf" not in boxes or b"iloc" not in boxes:
        raise Malformed("no list of items")
    kinds = _item_kinds(file, boxes[b"iinf"])
    left = 2 * size  # items may share bytes; a hostile table could name the file a million times
    for item, extents in sorted(_item_extents(file, boxes[b"iloc"], boxes.get(b"idat")).items()):
        if kinds.get(item, b"Exif") in _NOT_SHOWN:
            continue
        yield item.to_bytes(4, "big") + kinds[item]
        for start, end in extents:
            left -= end - start
            if left < 0:
                raise Malformed("items overlap")
            yield from pieces(file, start, end)


def _references(file: BinaryIO, iref: Box) -> Iterator[bytes]:
    """How items are put together (grids, alpha, depth), without "this text describes that"."""
    for box in _boxes(file, iref.start + 4, iref.end):
        if box.kind != b"cdsc":
            yield box.kind
            yield from pieces(file, box.start, box.end)


def _item_kinds(file: BinaryIO, iinf: Box) -> dict[int, bytes]:
    version = read_at(file, iinf.start, 1)[0]
    kinds = {}
    for box in _boxes(file, iinf.start + (8 if version else 6), iinf.end):
        entry = read_at(file, box.start, min(16, box.end - box.start))
        if box.kind != b"infe" or entry[0] < 2:
            raise Malformed("an item without a type")
        width = 2 if entry[0] == 2 else 4
        kinds[int.from_bytes(entry[4 : 4 + width], "big")] = entry[6 + width : 10 + width]
    return kinds


def _item_extents(file: BinaryIO, iloc: Box, idat: Box | None) -> dict[int, list[tuple[int, int]]]:
    """Item number → byte ranges in the file."""
    numbers = _Numbers(read_at(file, iloc.start, iloc.end - iloc.start))
    version = numbers.take(1)
    numbers.take(3)
    sizes, more = numbers.take(1), numbers.take(1)
    if not sizes & 0xF:
        raise Malformed("an item without a length")
    wide = 4 if version == 2 else 2
    extents: dict[int, list[tuple[int, int]]] = {}
    for _ in range(numbers.take(wide)):
        item = numbers.take(wide)
        method = numbers.take(2) & 0xF if version else 0
        numbers.take(2)  # data reference: 0 is this file, and nothing else is followed
        base = numbers.take(more >> 4)
        if method == 1 and idat:
            base += idat.start
        elif method:
            raise Malformed("an item made of other items")
        ranges = extents.setdefault(item, [])
        for _ in range(numbers.take(2)):
            numbers.take(more & 0xF if version else 0)
            start = base + numbers.take(sizes >> 4)
            ranges.append((start, start + numbers.take(sizes & 0xF)))
    return extents


class _Numbers:
    """Big-endian numbers of varying width, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, width: int) -> int:
        self._at += width
        if self._at > len(self._data):
            raise Malformed("a table ends inside an entry")
        return int.from_bytes(self._data[self._at - width : self._at], "big")
