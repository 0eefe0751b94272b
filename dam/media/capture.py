"""When a photo was taken or a recording made: which of the many dates in a file to believe."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from dam.contracts import Kind
from dam.media.dates import Precision, Reading, offset_between, parse_date

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dam.media.fields import Fields


@dataclass(frozen=True, slots=True)
class _Source:
    """A date field and the fields beside it that complete it."""

    date: str
    offset: str = ""
    subsecond: str = ""
    utc: bool = False  # an instant without a zone: the container's standard says UTC
    partial: bool = False  # a bare year or month counts


# The exposure itself. MWG guidelines 2.0, 5.5: EXIF, then IPTC, then XMP.
_TAKEN = (
    _Source("ExifIFD:DateTimeOriginal", "ExifIFD:OffsetTimeOriginal", "ExifIFD:SubSecTimeOriginal"),
    _Source("Composite:DateTimeCreated", partial=True),
    _Source("XMP-photoshop:DateCreated", partial=True),
    _Source("XMP-exif:DateTimeOriginal", "XMP-exif:OffsetTimeOriginal", partial=True),
    _Source("IPTC:DateCreated"),
)
# Recordings. Apple's Keys:CreationDate alone knows the offset; the header's dates are UTC.
_RECORDED = (
    _Source("Keys:CreationDate"),
    _Source("XML:CreationDateValue"),  # Sony's NonRealTimeMeta
    _Source("UserData:DateTimeOriginal"),
    _Source("RIFF:DateTimeOriginal"),  # BWF OriginationDate and OriginationTime; AVI
    _Source("ItemList:ContentCreateDate"),
    _Source("UserData:ContentCreateDate"),
    _Source("Matroska:DateTimeOriginal", utc=True),
    _Source("ASF:CreationDate", utc=True),
    _Source("QuickTime:CreateDate", utc=True),
    _Source("Track1:MediaCreateDate", utc=True),
    _Source("*:RecordingTime"),  # ID3 TDRC
    _Source("Vorbis:Date"),
    _Source("RIFF:DateCreated"),
)
# When the file was made of it: the same for cameras, later for scans.
_DIGITISED = (
    _Source("ExifIFD:CreateDate", "ExifIFD:OffsetTimeDigitized", "ExifIFD:SubSecTimeDigitized"),
    _Source("XMP-exif:DateTimeDigitized"),
    _Source("XMP-xmp:CreateDate"),
    _Source("PNG:CreationTime"),
)
# `ExifIFD:OffsetTime` belongs to the last change: it says where the camera's clock stood only when
# that change is the exposure, which `_offset` checks by comparing the readings.
_CHANGED = (_Source("IFD0:ModifyDate", "ExifIFD:OffsetTime"), _Source("XMP-xmp:ModifyDate"))
# Instants in UTC that tell the offset of a clock read at the same time.
_UTC = ("Composite:GPSDateTime", "QuickTime:CreateDate")


@dataclass(frozen=True, slots=True)
class Capture:
    reading: Reading
    offset_source: str | None  # where an offset came from that was not written beside the date


def capture_of(kind: Kind, fields: Fields, sidecar: Fields) -> Capture | None:
    """The best date of a file: what its sidecar corrects, then what was written into it."""
    ranks = [_TAKEN, _RECORDED] if kind is Kind.PHOTO else [_RECORDED, _TAKEN]
    candidates = chain(
        _readings(sidecar, _TAKEN),
        *(_readings(fields, rank) for rank in (*ranks, _DIGITISED)),
        _readings(sidecar, _DIGITISED),
    )
    for source, reading in candidates:
        if source.utc and not reading.offset_min:
            return Capture(reading.at(0), "container time is UTC")
        return _with_offset(reading, fields, sidecar)
    return None


def _readings(fields: Fields, sources: tuple[_Source, ...]) -> Iterator[tuple[_Source, Reading]]:
    for source in sources:
        for text in fields.texts(source.date)[:1]:
            reading = parse_date(
                text,
                subsecond=(source.subsecond and fields.text(source.subsecond)) or "",
                offset=(source.offset and fields.text(source.offset)) or "",
            )
            precise = (Precision.TIME, Precision.DAY)
            if reading and (source.partial or reading.precision in precise):
                yield source, reading


def _with_offset(reading: Reading, fields: Fields, sidecar: Fields) -> Capture:
    """Looks for a missing offset where the same reading of the clock is written a second time."""
    if reading.offset_min is not None or reading.precision is not Precision.TIME:
        return Capture(reading, None)
    second = reading.local.replace(microsecond=0)
    for source, other in _others(fields, sidecar):
        if other.offset_min is not None and other.local.replace(microsecond=0) == second:
            return Capture(reading.at(other.offset_min), source.date)
    for name in _UTC:
        utc = parse_date(fields.text(name) or "")
        if utc and utc.precision is Precision.TIME and not utc.offset_min:
            offset_min = offset_between(second, utc.local.replace(microsecond=0))
            if offset_min is not None:
                return Capture(reading.at(offset_min), name)
    return Capture(reading, None)


def _others(fields: Fields, sidecar: Fields) -> Iterator[tuple[_Source, Reading]]:
    for read in (fields, sidecar):
        for rank in (_TAKEN, _RECORDED, _DIGITISED, _CHANGED):
            yield from _readings(read, rank)
