"""iXML: what a recorder on a set writes into its sound files, from scene and take to track names.

Specification: http://www.gallery.co.uk/ixml/. Read here because ExifTool tells one of several
tracks and rounds frame rates, and FFmpeg passes all of it over. Runs in the metadata process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam.errors import UnreadableMedia
from dam.media.foreign_xml import parse_foreign
from dam.media.source import open_media
from dam.media.walkers import Malformed, read_at, riff_chunks

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree.ElementTree import Element

MAX_IXML_BYTES = 4 << 20  # recorders write a few kilobytes; beyond this it is a bomb
_WAVES = (b"RIFF", b"RF64", b"BW64")
# Paths below the root → ExifTool's names.
_FIELDS = {
    "PROJECT": "Project",
    "SCENE": "Scene",
    "TAKE": "Take",
    "TAPE": "Tape",
    "NOTE": "Note",
    "CIRCLED": "Circled",
    "TRACK_LIST/TRACK/NAME": "TrackListTrackName",
    "SPEED/TIMECODE_RATE": "SpeedTimecodeRate",
    "SPEED/TIMECODE_FLAG": "SpeedTimecodeFlag",
    "SPEED/TIMESTAMP_SAMPLE_RATE": "SpeedTimestampSampleRate",
    "SPEED/TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI": "SpeedTimestampSamplesSinceMidnightHi",
    "SPEED/TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO": "SpeedTimestampSamplesSinceMidnightLo",
}


def read_ixml(path: Path) -> dict[str, list[str]]:
    """Fields under ExifTool's names; empty for a file without iXML.

    Raises `UnreadableMedia` for iXML that cannot be read, and what `open_media` raises.
    """
    try:
        packet = _packet(path)
        root = parse_foreign(packet) if packet else None
    except (ValueError, Malformed) as error:
        raise UnreadableMedia(f"the iXML cannot be read: {error}") from error
    if root is None:
        return {}
    found = {f"XML:Bwfxml{name}": _texts(root, below) for below, name in _FIELDS.items()}
    return {name: texts for name, texts in found.items() if texts}


def _packet(path: Path) -> bytes:
    with open_media(path) as file:
        head = file.read(12)
        if head[:4] not in _WAVES or head[8:] != b"WAVE":
            return b""
        for kind, start, end in riff_chunks(file):
            if kind == b"iXML":
                if end - start > MAX_IXML_BYTES:
                    raise ValueError(f"it is larger than {MAX_IXML_BYTES >> 20} MiB")
                return read_at(file, start, end - start)
    return b""


def _texts(root: Element, below: str) -> list[str]:
    texts = (element.text for element in root.iterfind(below))
    return [text for text in texts if text and text.strip()]
