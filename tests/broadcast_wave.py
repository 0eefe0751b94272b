"""Broadcast waves as recorders on a set write them."""

from __future__ import annotations

import wave
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

IXML = """<?xml version="1.0" encoding="UTF-8"?><BWFXML><IXML_VERSION>1.52</IXML_VERSION>
<PROJECT>Ebb</PROJECT><SCENE>12A</SCENE><TAKE>3</TAKE><TAPE>DAY7</TAPE><CIRCLED>TRUE</CIRCLED>
<NOTE>plane overhead &amp; wind</NOTE><SPEED><NOTE/><TIMECODE_RATE>24000/1001</TIMECODE_RATE>
<TIMECODE_FLAG>NDF</TIMECODE_FLAG></SPEED><TRACK_LIST><TRACK_COUNT>2</TRACK_COUNT>
<TRACK><CHANNEL_INDEX>1</CHANNEL_INDEX><NAME>Boom</NAME></TRACK>
<TRACK><CHANNEL_INDEX>2</CHANNEL_INDEX><NAME>Lav Möwe</NAME></TRACK></TRACK_LIST></BWFXML>"""


def bext(time_reference: int = 0) -> bytes:
    """A broadcast audio extension chunk (EBU Tech 3285); `time_reference` in samples."""
    texts = [b"Surf, wide".ljust(256, b"\0"), b"Recorder".ljust(32, b"\0"), b"R1".ljust(32, b"\0")]
    counted = time_reference.to_bytes(8, "little")
    return b"".join(texts) + b"2021-05-0607:08:09" + counted + b"\1\0" + bytes(254)


def broadcast_wave(path: Path, **chunks: bytes) -> Path:
    """A tenth of a second of silence at 48 kHz, then the chunks."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes(bytes(9600))
    data = path.read_bytes()
    for name, body in chunks.items():
        data += name.encode() + len(body).to_bytes(4, "little") + body + bytes(len(body) % 2)
    path.write_bytes(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])
    return path
