"""Which names a file or folder that comes from outside may get in a library.

Refused is what leads elsewhere, what a scan would pass over, what another system could not read
(libraries lie on shares and external disks) and what shows people another name than it has.
"""

from __future__ import annotations

import re
import unicodedata

from dam.errors import BadRequest
from dam.library.names import is_skipped_folder, media_kind

# File systems end a name at 255 bytes; " (2)" and a suffix must still fit behind a long one.
LONGEST_NAME_BYTES = 240
LONGEST_FOLDER_BYTES = 2_000
DEEPEST_FOLDER = 32

# Windows takes these for devices, whatever their suffix.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)", re.IGNORECASE)
# Control characters, halves of characters, line ends of Unicode.
_NO_TEXT = frozenset(("Cc", "Cs", "Zl", "Zp"))
# They turn the direction of what follows: "photo\u202egpj.exe" shows as "photoexe.jpg".
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def checked_file_name(name: str) -> str:
    """The name to use, in NFC. Raises `BadRequest`, saying what is wrong with it."""
    name = _checked_part(name)
    if media_kind(name) is None:
        raise BadRequest(
            f"{name!r} cannot be uploaded: by its name it is no photo, video or sound file."
        )
    return name


def checked_folder(folder: str) -> str:
    """A path below a library's root, in NFC and without slashes at its ends; empty: the root."""
    parts = [part for part in folder.strip("/").split("/") if part] if folder.strip("/") else []
    if len(parts) > DEEPEST_FOLDER or len(folder.encode("utf-8", "replace")) > LONGEST_FOLDER_BYTES:
        raise BadRequest(
            f"The folder's path is too long: {DEEPEST_FOLDER} folders and "
            f"{LONGEST_FOLDER_BYTES} bytes are the most."
        )
    checked = [_checked_part(part) for part in parts]
    for part in checked:
        if is_skipped_folder(part):
            raise BadRequest(f"Nothing can be uploaded to {part!r}: such folders are not indexed.")
    return "/".join(checked)


def numbered(name: str, number: int) -> str:
    """ "beach.jpg" → "beach (2).jpg"."""
    stem, dot, suffix = name.rpartition(".")
    return f"{stem} ({number}){dot}{suffix}"


def _checked_part(part: str) -> str:
    name = unicodedata.normalize("NFC", part)
    wrong = _what_is_wrong(name)
    if wrong:
        raise BadRequest(f"The name {name!r} cannot be used: {wrong}.")
    return name


def _what_is_wrong(name: str) -> str | None:
    if not name or name in (".", ".."):
        return "it is no name"
    if any(unicodedata.category(character) in _NO_TEXT for character in name):
        return "it holds control characters"
    if not _TURNING.isdisjoint(name):
        return "it holds characters that turn the direction of the text"
    if "/" in name or "\\" in name:
        return "it holds a slash or a backslash"
    if name.startswith("."):
        return "names that begin with a dot are hidden and not indexed"
    if name != name.strip() or name.endswith("."):
        return "it begins or ends with a space, or ends with a dot"
    if _DEVICE.fullmatch(name.partition(".")[0].rstrip()):
        return "Windows takes it for a device"
    if len(name.encode()) > LONGEST_NAME_BYTES:
        return f"it is longer than {LONGEST_NAME_BYTES} bytes"
    return None
