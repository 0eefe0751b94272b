"""From the many fields of a file to the few things that people ask for.

Follows the Metadata Working Group's reading order: XMP, then IPTC's older records, then EXIF, then
whatever the container has. Called by the metadata process; knows no file and no reader.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dam.media.capture import capture_of
from dam.media.dates import Precision
from dam.media.details import details_of
from dam.media.fields import MAX_ITEMS
from dam.media.places import checked, nearest_place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dam.contracts import Kind
    from dam.media.fields import Fields

_TITLE = (
    *("XMP-dc:Title", "IPTC:ObjectName", "IFD0:XPTitle", "ItemList:Title", "Keys:Title"),
    "*:Title",
)
_CAPTION = (
    *("XMP-dc:Description", "IPTC:Caption-Abstract", "XMP-tiff:ImageDescription"),
    *("IFD0:ImageDescription", "ExifIFD:UserComment", "XMP-exif:UserComment", "IFD0:XPComment"),
    *("Keys:Description", "ItemList:Description", "*:Description", "Keys:Comment"),
    # Not every comment: those of JPEG and GIF name the program that wrote the file.
    *("ItemList:Comment", "UserData:Comment", "RIFF:Comment", "Vorbis:Comment", "PNG:Comment"),
    *("ID3v2_4:Comment", "ID3v2_3:Comment", "ID3v2_2:Comment", "ID3v1:Comment"),
)
_MAKE = ("IFD0:Make", "XMP-tiff:Make", "Keys:Make", "*:Make", "XML:DeviceManufacturer")
_MODEL = ("IFD0:Model", "XMP-tiff:Model", "Keys:Model", "*:Model", "XML:DeviceModelName")
_LENS = (
    *("ExifIFD:LensModel", "XMP-exifEX:LensModel", "XMP-aux:Lens", "Composite:LensID"),
    *("*:LensModel", "*:Lens"),
)
_LABEL = "XMP-xmp:Label"
_STARS = ("XMP-xmp:Rating", "IFD0:Rating")
_PERCENT = ("XMP-microsoft:RatingPercent", "IFD0:RatingPercent")
_LATITUDE, _LONGITUDE = "Composite:GPSLatitude", "Composite:GPSLongitude"
# Programs that keep hierarchies write their leaves as plain keywords too.
_HIERARCHIES = (
    ("XMP-digiKam:TagsList", "/"),
    ("XMP-lr:HierarchicalSubject", "|"),
    ("XMP-mediapro:CatalogSets", "|"),
)
_KEYWORDS = ("XMP-dc:Subject", "IPTC:Keywords")
_JOINED_KEYWORDS = ("IFD0:XPKeywords", "Keys:Keywords", "ItemList:Keyword", "*:Keywords")
MAX_KEYWORD_CHARACTERS = 200

# What cameras and programs put where a caption belongs, in lower case.
_JUNK = frozenset(
    """olympus digital camera|sony dsc|samsung|samsung digital camera|samsung camera pictures|
    digital camera|konica minolta digital camera|minolta digital camera|kodak digital still camera|
    casio digital camera|dcim|dsc|dslr|exif_jpeg_picture|exif jpeg picture|jpeg image|default|
    image|picture|ascii|charset=ascii|binary comment|user comments|travelphoto|my beautiful picture|
    created with gimp|lead technologies inc. v1.01|file written by adobe photoshop|imported from|
    sdr|sdr_hdrb|cof|hdr|rhdr|hdrpl|edf|ptr|dav|oznor|nor|fbt|btf|mde|wow|lavf|ffmpeg""".replace(
        "\n    ", ""
    ).split("|")
)
_JUNK_SHAPE = re.compile(
    r"[\s\W_]*|<?digimax .*|dig[a-z]* ?camera|creator: gd-jpeg.*|lavc?f?\d.*|"
    r"\(?(ascii|unicode|jis)\)?|vid_\d{8}_\d{6}|dsc[nf_]?\d*|img_?\d*|image\d*|processed with .*",
    re.IGNORECASE,
)
# Parts of makers' names that their own models leave out.
_COMPANY = re.compile(
    r"[,\s]+(?:corporation|corp\.?|company|co\.?|ltd\.?|inc\.?|ag|gmbh|optical|imaging|"
    r"electric|camera|techwin|electronics|digital|technology|\.)+(?=[,\s]|$)",
    re.IGNORECASE,
)
_NO_LENS = re.compile(r"[\d\s.\-/?]*|unknown.*|no lens.*|n/a.*|\(.*\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file and its sidecar say. Everything is optional; nothing is guessed silently."""

    captured_local: str | None = None  # ISO 8601 without offset, as the clock showed it
    captured_offset_min: int | None = None  # minutes east of UTC
    captured_us: int | None = None  # UTC; local time as UTC where the offset is unknown
    camera: str | None = None
    lens: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    place: str | None = None  # nearest place: city, region, country
    country: str | None = None
    title: str | None = None
    caption: str | None = None
    keywords: tuple[str, ...] = ()
    rating: int | None = None  # -1 (reject), 0 to 5
    label: str | None = None
    details: dict[str, Any] = field(default_factory=dict)  # JSON-safe, a few kilobytes
    sidecar: str | None = None  # BLAKE3 of the sidecar that was read with it, hex


def metadata_of(kind: Kind, fields: Fields, sidecar: Fields, digest: str | None) -> Metadata:
    """Where a sidecar says something it wins over the file, value by value."""
    both = (sidecar, fields)
    taken = capture_of(kind, fields, sidecar)
    coordinates = _first(_coordinates(read) for read in both)
    place = nearest_place(*coordinates) if coordinates else None
    keywords, paths = _first((_keywords(read) for read in both), otherwise=((), []))
    told = details_of(fields) | details_of(sidecar)
    if paths:
        told["keyword_paths"] = paths
    if taken and taken.offset_source:
        told["offset_source"] = taken.offset_source
    if taken and taken.reading.precision is not Precision.TIME:
        told["captured_precision"] = str(taken.reading.precision)
    return Metadata(
        captured_local=taken.reading.iso if taken else None,
        captured_offset_min=taken.reading.offset_min if taken else None,
        captured_us=taken.reading.utc_us if taken else None,
        camera=_first(_camera(read) for read in both),
        lens=_first(_lens(read) for read in both),
        latitude=coordinates[0] if coordinates else None,
        longitude=coordinates[1] if coordinates else None,
        place=place.name if place else None,
        country=place.country if place else None,
        title=_first(_said(read, _TITLE) for read in both),
        caption=_first(_said(read, _CAPTION) for read in both),
        keywords=keywords,
        rating=_first(_rating(read) for read in both),
        label=_first(read.text(_LABEL) for read in both),
        details=told,
        sidecar=digest,
    )


def _first(values: Iterable[Any], otherwise: Any = None) -> Any:
    return next((value for value in values if value is not None), otherwise)


def _said(fields: Fields, names: tuple[str, ...]) -> str | None:
    texts = (fields.text(name) for name in names)
    return next((text for text in texts if text and not is_junk(text)), None)


def is_junk(text: str) -> bool:
    """Whether a camera or a program put this into every file it made."""
    return text.lower() in _JUNK or bool(_JUNK_SHAPE.fullmatch(text))


def _camera(fields: Fields) -> str | None:
    return camera_name(fields.text(*_MAKE), fields.text(*_MODEL))


def camera_name(make: str | None, model: str | None) -> str | None:
    """Maker and model as people say it: "Canon EOS R5", "NIKON D850", "Apple iPhone 12"."""
    maker = _COMPANY.sub("", make).strip(" ,.") if make else ""
    maker = maker or (make or "")
    if not model:
        return maker or None
    known = maker.lower().split()
    named = (
        model.lower().startswith(known[0]) or model.lower().split()[0] in known if known else True
    )
    return model if named else f"{maker} {model}"


def _lens(fields: Fields) -> str | None:
    found = (fields.text(name) for name in _LENS)
    return next((lens for lens in found if lens and not _NO_LENS.fullmatch(lens)), None)


def _coordinates(fields: Fields) -> tuple[float, float] | None:
    return checked(fields.number(_LATITUDE), fields.number(_LONGITUDE))


def _keywords(fields: Fields) -> tuple[tuple[str, ...], list[str]] | None:
    """Keywords, and the paths of those that have one (`Place/Beach`)."""
    paths: list[str] = []
    for name, separator in _HIERARCHIES:
        for path in fields.texts(name):
            steps = [step.strip() for step in path.split(separator) if step.strip()]
            paths += ["/".join(steps)] if steps else []
        if paths:
            break
    plain = [word for name in _KEYWORDS for word in fields.texts(name)]
    if not plain and not paths:
        joined = fields.texts(*_JOINED_KEYWORDS)
        plain = [word for text in joined for word in re.split(r"[;,]", text)]
    words = [path.rpartition("/")[2] for path in paths] + [word.strip() for word in plain]
    unique: dict[str, str] = {}
    for word in filter(None, words):
        unique.setdefault(word.casefold(), word[:MAX_KEYWORD_CHARACTERS])
    return (tuple(unique.values())[:MAX_ITEMS], paths) if unique else None


def _rating(fields: Fields) -> int | None:
    stars = fields.number(*_STARS)
    percent = fields.number(*_PERCENT)
    if stars is None or stars > 5:  # Windows and some editors write per cent as the rating
        percent = stars if stars is not None else percent
        if percent is None or not 0 <= percent <= 100:
            return None
        return next(n for n, most in enumerate((0, 12, 37, 62, 87, 100)) if percent <= most)
    return round(stars) if stars >= -1 else None
