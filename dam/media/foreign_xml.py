"""Parses XML that somebody else wrote: sidecars, XMP packets, iXML.

Hostile until shown otherwise, so a document type (where entities are declared), deep nesting or
absurd length ends the reading, and nothing is ever expanded or fetched.
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

MAX_ELEMENTS = 200_000  # a packet of thousands of develop settings has some ten thousand
MAX_DEPTH = 100


def parse_foreign(packet: bytes) -> Element:
    """The root; names with a namespace as ElementTree writes them. Raises `ValueError`."""
    try:
        return _parse(packet)
    except (expat.ExpatError, AssertionError) as error:
        raise ValueError(str(error)) from error


def _parse(packet: bytes) -> Element:
    builder, parser = TreeBuilder(), expat.ParserCreate(namespace_separator="}")
    elements = depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal elements, depth
        elements, depth = elements + 1, depth + 1
        if elements > MAX_ELEMENTS or depth > MAX_DEPTH:
            raise ValueError("too many or too deep elements")
        builder.start(_qualified(name), {_qualified(key): text for key, text in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_qualified(name))

    def refuse(*_: Any) -> None:
        raise ValueError("it has a document type")  # where entities are declared

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(packet.strip(b"\0 \t\r\n"), True)
    return builder.close()


def _qualified(name: str) -> str:
    return "{" + name if "}" in name else name
