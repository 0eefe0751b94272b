"""XMP files beside photos and videos: which one belongs to a file, and what it says.

`photo.jpg.xmp` (digiKam, darktable) is preferred to `photo.xmp` (Lightroom, Capture One), which
cannot say which of `photo.jpg` and `photo.cr3` it means. Read only; writing is another module's.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from blake3 import blake3

from dam.errors import UnreadableMedia
from dam.media.fields import Fields
from dam.media.opening import open_for_reading
from dam.media.xmp import read_xmp

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from pathlib import Path

SIDECAR_SUFFIXES = frozenset((".xmp",))  # in lower case
# Sidecars with masks painted by hand reach some megabytes; beyond this one it is a bomb.
MAX_SIDECAR_BYTES = 16 << 20


def sidecar_of(
    path: Path, siblings: Container[str] | Callable[[str], bool] | None = None
) -> Path | None:
    """The sidecar of the media file `path`, or None.

    `siblings` are the names in its folder, or a function that knows whether a name is there;
    without it the folder is asked. Names differ in case between programs and cameras (`DSC1.JPG`,
    `DSC1.jpg.xmp`).
    """
    for name in sidecar_names(path):
        if siblings is None:
            # Unlike Path.is_file, this says no when the suffix makes a name too long.
            there = os.path.isfile(path.with_name(name))  # noqa: PTH113
        else:
            there = siblings(name) if callable(siblings) else name in siblings
        if there:
            return path.with_name(name)
    return None


def sidecar_names(path: Path) -> list[str]:
    """Names that a sidecar of `path` may have, best first."""
    stem, suffix = path.stem, path.suffix
    whole = [stem + form for form in (suffix, suffix.lower(), suffix.upper())]
    return list(dict.fromkeys(base + end for base in (*whole, stem) for end in (".xmp", ".XMP")))


def read_sidecar(sidecar: Path, path: Path) -> tuple[Fields, str]:
    """What it says about `path`, and the BLAKE3 of its bytes (hex).

    Raises `UnreadableMedia` when it cannot be used; the file is then read without it.
    """
    try:
        with open_for_reading(sidecar) as file:
            packet = file.read(MAX_SIDECAR_BYTES + 1)
    except OSError as error:
        raise UnreadableMedia(
            f"{sidecar.name} cannot be read: {error.strerror or error}"
        ) from error
    if len(packet) > MAX_SIDECAR_BYTES:
        raise UnreadableMedia(f"{sidecar.name} is larger than {MAX_SIDECAR_BYTES >> 20} MiB")
    try:
        fields = Fields(read_xmp(packet))
    except UnreadableMedia as error:
        raise UnreadableMedia(f"{sidecar.name}: {error}") from error
    # Lightroom names the suffix that a sidecar is for, where a RAW and a JPEG share their stem.
    meant = fields.text("XMP-photoshop:SidecarForExtension")
    shared = sidecar.stem == path.stem
    if shared and meant and meant.lower() != path.suffix[1:].lower():
        fields = Fields({})
    return fields, blake3(packet).hexdigest()
