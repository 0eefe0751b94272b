"""Reads XMP packets, embedded or in a sidecar, into fields; without expanding a single entity.

RDF/XML as ISO 16684-1 writes it: properties as attributes or elements, lists as Bag, Seq and Alt.
Structures (regions, crop settings) are skipped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dam.errors import UnreadableMedia
from dam.media.foreign_xml import parse_foreign

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
# Namespace → the group that ExifTool calls it.
_GROUPS = {
    "http://purl.org/dc/elements/1.1/": "XMP-dc",
    "http://ns.adobe.com/xap/1.0/": "XMP-xmp",
    "http://ns.adobe.com/xap/1.0/rights/": "XMP-xmpRights",
    "http://ns.adobe.com/photoshop/1.0/": "XMP-photoshop",
    "http://ns.adobe.com/lightroom/1.0/": "XMP-lr",
    "http://www.digikam.org/ns/1.0/": "XMP-digiKam",
    "http://ns.iview-multimedia.com/mediapro/1.0/": "XMP-mediapro",
    "http://ns.microsoft.com/photo/1.0/": "XMP-microsoft",
    "http://ns.microsoft.com/photo/1.0": "XMP-microsoft",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "XMP-iptcCore",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "XMP-iptcExt",
    "http://ns.adobe.com/exif/1.0/": "XMP-exif",
    "http://ns.adobe.com/exif/1.0/aux/": "XMP-aux",
    "http://cipa.jp/exif/1.0/": "XMP-exifEX",
    "http://ns.adobe.com/tiff/1.0/": "XMP-tiff",
    "http://ns.google.com/photos/1.0/camera/": "XMP-GCamera",
}
_RENAMED = {"XMP-microsoft:Rating": "XMP-microsoft:RatingPercent"}
_COORDINATE = re.compile(r"(\d+),(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?\s*([NSEW])", re.ASCII)


def read_xmp(packet: bytes) -> dict[str, str | list[str]]:
    """Fields under ExifTool's names. Raises `UnreadableMedia` for what is no sane XMP."""
    try:
        root = parse_foreign(packet)
    except ValueError as error:
        raise UnreadableMedia(f"the XMP cannot be read: {error}") from error
    fields: dict[str, str | list[str]] = {}
    for description in (d for rdf in root.iter(f"{_RDF}RDF") for d in rdf):
        for name, value in _properties(description):
            fields.setdefault(name, value)
    return fields | _coordinates(fields)


def _properties(description: Element) -> Iterator[tuple[str, str | list[str]]]:
    for name, text in description.attrib.items():
        if field := _field(name):
            yield field, text
    for child in description:
        field, value = _field(child.tag), _value(child)
        if field and value:
            yield field, value


def _field(name: str) -> str | None:
    namespace, _, local = name.rpartition("}")
    group = _GROUPS.get(namespace[1:])
    if not group:
        return None
    field = f"{group}:{local[:1].upper()}{local[1:]}"
    return _RENAMED.get(field, field)


def _value(element: Element) -> str | list[str] | None:
    """Text, the texts of a list, or one text of the languages there are; None for structures."""
    if resource := element.get(f"{_RDF}resource"):
        return resource
    for kind in ("Bag", "Seq", "Alt"):
        listed = element.find(f"{_RDF}{kind}")
        if listed is None:
            continue
        items = [item for item in listed.iterfind(f"{_RDF}li") if item.text]
        if kind == "Alt":
            items.sort(key=lambda item: item.get(_XML_LANG) != "x-default")
            return items[0].text if items else None
        return [item.text for item in items if item.text]
    return element.text if not len(element) else None


def _coordinates(fields: dict[str, str | list[str]]) -> dict[str, str]:
    """`48,12.5N` → signed degrees, under the name of the checked pair."""
    found = {}
    for axis in ("Latitude", "Longitude"):
        match = _COORDINATE.fullmatch(str(fields.get(f"XMP-exif:GPS{axis}", "")).strip())
        if not match:
            return {}
        degrees = int(match[1]) + float(match[2]) / 60 + float(match[3] or 0) / 3600
        found[f"Composite:GPS{axis}"] = str(-degrees if match[4] in "SW" else degrees)
    return found
