"""The media types under which originals are served.

Only pictures, sound and video are ever named: whatever else a file may turn out to be is bytes to
download, so that nothing in a library can become a page or a script of this site.
"""

from __future__ import annotations

from pathlib import PurePath

BYTES = "application/octet-stream"

BY_FORMAT = {
    "jpeg": "image/jpeg",
    "mpo": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "heif": "image/heic",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "jpeg2000": "image/jp2",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "matroska": "video/x-matroska",
    "avi": "video/x-msvideo",
    "mxf": "application/mxf",
    "mpegts": "video/mp2t",
    "mpeg": "video/mpeg",
    "ogg": "video/ogg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "aac": "audio/aac",
    "aiff": "audio/aiff",
}
BY_SUFFIX = {  # where one container has several names that players care about
    ".m4a": "audio/mp4",
    ".m4b": "audio/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".weba": "audio/webm",
    ".mka": "audio/x-matroska",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
}


def media_type(format_: str, name: str, kind: str) -> str:
    """By the format that was found in the file; its suffix only tells siblings apart."""
    found = BY_FORMAT.get(format_.lower(), BYTES)
    sibling = BY_SUFFIX.get(PurePath(name).suffix.lower())
    if found.startswith("video/"):
        if sibling is not None:
            found = sibling
        if kind == "audio" and found.startswith("video/"):
            found = "audio/" + found.removeprefix("video/")
    return found
