"""What originals are served as."""

from __future__ import annotations

import pytest

from web.media_types import media_type


@pytest.mark.parametrize(
    ("found", "name", "kind", "expected"),
    [
        ("jpeg", "a.jpg", "photo", "image/jpeg"),
        ("jpeg", "a.html", "photo", "image/jpeg"),
        ("mp4", "a.mp4", "video", "video/mp4"),
        ("mp4", "a.mov", "video", "video/quicktime"),
        ("mp4", "a.m4a", "audio", "audio/mp4"),
        ("mp4", "voice.mp4", "audio", "audio/mp4"),
        ("matroska", "a.webm", "video", "video/webm"),
        ("ogg", "a.opus", "audio", "audio/ogg"),
        ("svg", "a.svg", "photo", "application/octet-stream"),
        ("", "page.html", "photo", "application/octet-stream"),
    ],
)
def test_type_follows_what_was_found_in_the_file(
    found: str, name: str, kind: str, expected: str
) -> None:
    assert media_type(found, name, kind) == expected
