"""Reads fields with Pillow and PyAV where ExifTool is not installed or fails on a file.

Gives them ExifTool's names. Makers' notes, and with them some lenses and identifiers, stay unread.
Runs in the metadata process; decodes no pixel.
"""

from __future__ import annotations

import math
import re
import struct
from typing import TYPE_CHECKING, Any, cast

from PIL import ExifTags, Image, IptcImagePlugin
from PIL.JpegImagePlugin import JpegImageFile

from dam.contracts import Kind
from dam.errors import UnreadableMedia
from dam.media.container import opened
from dam.media.image import open_picture
from dam.media.source import open_media
from dam.media.xmp import read_xmp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from PIL.ImageFile import ImageFile

MAX_XMP_BYTES = 16 << 20
_IFD0 = ("Make", "Model", "Software", "Artist", "Copyright", "ImageDescription", "Rating")
_IFD0_UTF16 = ("XPTitle", "XPComment", "XPAuthor", "XPKeywords")
_EXIF = {
    **{name: name for name in ("DateTimeOriginal", "OffsetTimeOriginal", "OffsetTimeDigitized")},
    **{name: name for name in ("OffsetTime", "LensModel", "ExposureTime", "FNumber")},
    **{name: name for name in ("FocalLength", "FocalLengthIn35mmFilm", "UserComment", "Flash")},
    "DateTimeDigitized": "CreateDate",
    "SubsecTimeOriginal": "SubSecTimeOriginal",
    "SubsecTimeDigitized": "SubSecTimeDigitized",
    "ISOSpeedRatings": "ISO",
    "ExposureBiasValue": "ExposureCompensation",
    "FocalLengthIn35mmFilm": "FocalLengthIn35mmFormat",
    "BodySerialNumber": "SerialNumber",
}
# IIM application records 2:n (IPTC Information Interchange Model 4.2).
_IIM = {
    (2, 5): "ObjectName",
    (2, 25): "Keywords",
    (2, 55): "DateCreated",
    (2, 60): "TimeCreated",
    (2, 80): "By-line",
    (2, 90): "City",
    (2, 92): "Sub-location",
    (2, 95): "Province-State",
    (2, 101): "Country-PrimaryLocationName",
    (2, 105): "Headline",
    (2, 110): "Credit",
    (2, 115): "Source",
    (2, 116): "CopyrightNotice",
    (2, 120): "Caption-Abstract",
}
_UTF8_MARK = b"\x1b%G"  # 1:90, coded character set
_PHOTOSHOP_XMP = 0x0424
# FFmpeg's names (in lower case) → ExifTool's.
_CONTAINER = {
    "com.apple.quicktime.creationdate": "Keys:CreationDate",
    "com.apple.quicktime.make": "Keys:Make",
    "com.apple.quicktime.model": "Keys:Model",
    "com.apple.quicktime.software": "Keys:Software",
    "com.apple.quicktime.content.identifier": "Keys:ContentIdentifier",
    "com.apple.quicktime.title": "Keys:Title",
    "com.apple.quicktime.description": "Keys:Description",
    "com.apple.quicktime.keywords": "Keys:Keywords",
    "make": "UserData:Make",
    "model": "UserData:Model",
    "title": "ItemList:Title",
    "description": "ItemList:Description",
    "comment": "ItemList:Comment",
    "keywords": "ItemList:Keyword",
    "artist": "ItemList:Artist",
    "album": "ItemList:Album",
    "genre": "ItemList:Genre",
    "copyright": "ItemList:Copyright",
    "encoded_by": "RIFF:Originator",
    "originator_reference": "RIFF:OriginatorReference",
    "time_reference": "RIFF:TimeReference",
    "coding_history": "RIFF:CodingHistory",
    "date": "Vorbis:Date",
    "tdrc": "ID3v2_4:RecordingTime",
}
_LOCATIONS = ("com.apple.quicktime.location.iso6709", "location", "location-eng")
_ISO6709 = re.compile(r"([+-]\d{2}(?:\.\d+)?)([+-]\d{3}(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?", re.ASCII)


def read_plainly(kind: Kind, path: Path, max_pixels: int) -> dict[str, Any]:
    """Fields of one file. Raises `UnreadableMedia`, or whatever a parser raises on broken bytes."""
    with open_media(path) as file:
        if kind is not Kind.PHOTO:
            with opened(file, path) as container:
                streams = [stream.metadata for stream in container.streams]
                fields = container_fields(container.format.name, container.metadata, streams)
                for stream in container.streams.audio[:1]:
                    fields["RIFF:SampleRate"] = str(stream.sample_rate)
                return fields
        with open_picture(file, path, max_pixels) as image:
            return picture_fields(image)


# Pictures -----------------------------------------------------------------------------------


def picture_fields(image: Image.Image) -> dict[str, Any]:
    """EXIF, IPTC and XMP, as far as they are sound; one that is broken hides none of the others."""
    fields: dict[str, Any] = {}
    parts: tuple[Callable[[Image.Image], dict[str, Any]], ...] = (_exif, _iptc, _xmp)
    for part in parts:
        try:
            fields |= part(image)
        except (UnreadableMedia, ValueError, SyntaxError, TypeError, OSError, KeyError):
            continue
        except (struct.error, ZeroDivisionError, IndexError, AttributeError):
            continue
    return fields


def _exif(image: Image.Image) -> dict[str, Any]:
    exif = Image.Exif()
    if image.format == "TIFF":
        exif = image.getexif()
    else:  # `getexif` of a PNG would decode it to look for a chunk behind the pixels
        exif.load(image.info.get("exif") or b"")
    fields = {f"IFD0:{name}": _text(exif.get(ExifTags.Base[name])) for name in _IFD0}
    fields["IFD0:ModifyDate"] = _text(exif.get(ExifTags.Base.DateTime))
    fields["IFD0:RatingPercent"] = _text(exif.get(ExifTags.Base.RatingPercent))
    for name in _IFD0_UTF16:
        raw = exif.get(ExifTags.Base[name])
        fields[f"IFD0:{name}"] = raw.decode("utf-16-le", "replace") if raw else None
    detailed = exif.get_ifd(ExifTags.IFD.Exif)
    for theirs, ours in _EXIF.items():
        fields[f"ExifIFD:{ours}"] = _text(detailed.get(ExifTags.Base[theirs]))
    fields |= _satellite(exif.get_ifd(ExifTags.IFD.GPSInfo))
    return {name: value for name, value in fields.items() if value}


def _text(value: object) -> str | None:
    if isinstance(value, bytes):  # UserComment: eight bytes name its characters
        if value.startswith(b"UNICODE\0"):
            return value[8:].decode("utf-16-be" if value[8:9] == b"\0" else "utf-16-le", "replace")
        value = value.removeprefix(b"ASCII\0\0\0").removeprefix(b"\0" * 8).rstrip(b"\0")
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        try:  # Pillow reads Latin-1; what people write is UTF-8
            return value.encode("latin-1").decode("utf-8")
        except UnicodeError:
            return value
    if isinstance(value, tuple):
        value = value[0] if value else None
    return None if value is None else str(value)


def _satellite(gps: Mapping[int, Any]) -> dict[str, str]:
    fields: dict[str, str] = {}
    latitude = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef))
    longitude = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef))
    if latitude is not None and longitude is not None:
        fields |= {"Composite:GPSLatitude": str(latitude), "Composite:GPSLongitude": str(longitude)}
    altitude = gps.get(ExifTags.GPS.GPSAltitude)
    if altitude is not None:
        below = gps.get(ExifTags.GPS.GPSAltitudeRef) in (1, b"\1")
        fields["Composite:GPSAltitude"] = str(-float(altitude) if below else float(altitude))
    day, time = gps.get(ExifTags.GPS.GPSDateStamp), gps.get(ExifTags.GPS.GPSTimeStamp)
    if day and time and len(time) == 3:
        hour, minute, second = (int(part) for part in time)
        fields["Composite:GPSDateTime"] = f"{day} {hour:02}:{minute:02}:{second:02}Z"
    return fields


def _degrees(value: Any, reference: Any) -> float | None:
    """Signed; None without a hemisphere, since its sign is anybody's guess."""
    side = _text(reference)
    if not value or not side or side[:1] not in "NSEWnsew":
        return None
    parts = [float(part) for part in value]
    degrees = math.fsum(part / 60.0**power for power, part in enumerate(parts[:3]))
    return -degrees if side[:1] in "SWsw" else degrees


def _iptc(image: Image.Image) -> dict[str, Any]:
    records = IptcImagePlugin.getiptcinfo(cast("ImageFile", image)) or {}
    encoding = "utf-8" if records.get((1, 90)) == _UTF8_MARK else "cp1252"
    fields: dict[str, Any] = {}
    for record, name in _IIM.items():
        value = records.get(record)
        if value:
            listed = value if isinstance(value, list) else [value]
            fields[f"IPTC:{name}"] = [text.decode(encoding, "replace") for text in listed]
    day, time = fields.get("IPTC:DateCreated"), fields.pop("IPTC:TimeCreated", None)
    if day and time:  # 20200102 and 030405+0530
        digits = time[0]
        fields["Composite:DateTimeCreated"] = f"{day[0]}T{digits[:6]}{digits[6:]}"
    return fields


def _xmp(image: Image.Image) -> dict[str, Any]:
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    if not packet and isinstance(image, JpegImageFile):
        packet = _stray_xmp(image)
    if isinstance(packet, str):
        packet = packet.encode()
    return dict(read_xmp(packet)) if 0 < len(packet) <= MAX_XMP_BYTES else {}


def _stray_xmp(image: JpegImageFile) -> bytes:
    """XMP under a damaged header, or where old programs keep it: among Photoshop's resources."""
    for marker, segment in image.applist:
        head, found, packet = segment[:64].partition(b"ns.adobe.com/xap/1.0/\0")
        if marker == "APP1" and found and head:
            return packet + segment[64:]
    resource = image.info.get("photoshop", {}).get(_PHOTOSHOP_XMP)
    return resource if isinstance(resource, bytes) else b""


# Films and sound ----------------------------------------------------------------------------


def container_fields(
    name: str, container: Mapping[str, str], streams: Iterable[Mapping[str, str]]
) -> dict[str, Any]:
    """`name` is FFmpeg's of the format. Tags of Ogg and Opus belong to the stream."""
    told: dict[str, str] = {}
    for tags in (container, *streams):
        for key, text in tags.items():
            told.setdefault(key.lower(), text)
    fields = {ours: told[theirs] for theirs, ours in _CONTAINER.items() if theirs in told}
    created = told.get("creation_time", "")
    if name == "wav":  # BWF: the date and the time of day in two fields
        day = fields.pop("Vorbis:Date", "")
        fields["RIFF:DateTimeOriginal"] = f"{day} {created}".strip()
    elif "matroska" in name:
        fields["Matroska:DateTimeOriginal"] = created
    else:
        fields["QuickTime:CreateDate"] = created.removesuffix("Z")
    for key in _LOCATIONS:
        if found := _ISO6709.match(told.get(key, "")):
            fields["Composite:GPSLatitude"], fields["Composite:GPSLongitude"] = found[1], found[2]
            if found[3]:
                fields["Composite:GPSAltitude"] = found[3]
            break
    return fields
