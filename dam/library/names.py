"""File names: how they are shown, what is searchable in them, and which of them are passed over.

A path is bytes, as the operating system has it, relative to its library's root and joined by "/".
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from dam.media.formats import kind_of_suffix
from dam.media.ucs import ucs_name

if TYPE_CHECKING:
    from dam.contracts import Kind

# Folders that hold other programs' databases, thumbnails and rubbish bins. What lies in them is
# either no original or an original that its program would not share.
SKIPPED_FOLDERS = frozenset(
    {
        "@eadir",  # Synology thumbnails
        "#recycle",
        "#snapshot",
        "@recycle",
        "$recycle.bin",
        "recycler",
        "system volume information",
        "lost+found",
        "__macosx",
    }
)
SKIPPED_FOLDER_SUFFIXES = (
    ".lrdata",  # Lightroom previews
    ".photoslibrary",  # packages of Apple programs: originals renamed, beside many derivatives
    ".photolibrary",
    ".aplibrary",
    ".migratedphotolibrary",
    ".imovielibrary",
    ".fcpbundle",
    ".cocatalogdb",
)
SIDECAR_SUFFIX = ".xmp"

_WORD = re.compile(r"[A-Z]+(?![a-z])|[^\W\d_][^\W\dA-Z_]*|\d+")
_JUNK_AT_END = " |\t\r\n"  # "photo.jpg|" is an odd name, but still a photo


def display_of(path: bytes) -> str:
    """For people: NFC, with U+FFFD for what is no UTF-8."""
    return unicodedata.normalize("NFC", path.decode("utf-8", "replace"))


def is_skipped_folder(name: str) -> bool:
    lowered = name.lower()
    return (
        name.startswith(".")
        or lowered in SKIPPED_FOLDERS
        or lowered.endswith(SKIPPED_FOLDER_SUFFIXES)
    )


def media_kind(name: str) -> Kind | None:
    """What a file may be, by its suffix alone; None for hidden files and everything that is no
    media, unfinished downloads (.part, .crdownload, .tmp, ~) among them."""
    if name.startswith("."):
        return None
    return _kind_of_suffix(name[name.rfind(".") :].rstrip(_JUNK_AT_END)) if "." in name else None


@lru_cache(maxsize=4096)
def _kind_of_suffix(suffix: str) -> Kind | None:
    return kind_of_suffix(f"x{suffix}")


def stem_of(path: bytes) -> bytes:
    """The path without its suffix: what RAW and JPEG of one picture share."""
    folder, slash, name = path.rpartition(b"/")
    return folder + slash + (name.rpartition(b".")[0] or name)


def words_of_name(display: str) -> str:
    """What is searchable of a file's name: "IMG_2041_beachSunset" → IMG 2041 beach Sunset.

    And the category of a sound that is named by the Universal Category System.
    """
    name = display.rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    words = " ".join(_WORD.findall(stem))
    ucs = ucs_name(name)
    category = f" {ucs.category}" if ucs else ""
    return (stem if words == stem else f"{stem} {words}") + category


def words_of_folder(display: str) -> str:
    return " ".join(display.split("/")[:-1])


def signed_64(number: int) -> int:
    """Some file systems make inodes of 64 bits, and clocks run past 2262; SQLite has 63 bits."""
    return (number + 2**63) % 2**64 - 2**63
