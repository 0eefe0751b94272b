"""Names that are media, and decoders that are safe to choose."""

from __future__ import annotations

import av
import pytest
from PIL import Image

from dam.contracts import Kind
from dam.media.formats import (
    AUDIO_SUFFIXES,
    DEMUXERS,
    PHOTO_SUFFIXES,
    PICTURE_FORMATS,
    RAW_SUFFIXES,
    SIGNED_DEMUXERS,
    SIGNED_FORMATS,
    VIDEO_SUFFIXES,
    kind_of_suffix,
)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.jpg", Kind.PHOTO),
        ("b/DSC_0001.NEF", Kind.PHOTO),
        ("c.tar.heic", Kind.PHOTO),
        ("loop.gif", Kind.PHOTO),
        ("clip.MP4", Kind.VIDEO),
        ("tape.mxf", Kind.VIDEO),
        ("talk.wav", Kind.AUDIO),
        ("song.opus", Kind.AUDIO),
        ("notes.txt", None),
        ("drawing.eps", None),
        ("paper.pdf", None),
        ("list.m3u8", None),
        (".jpg", None),
        ("jpg", None),
    ],
)
def test_a_suffix_says_what_a_file_should_be(name: str, kind: Kind | None) -> None:
    assert kind_of_suffix(name) is kind


def test_no_suffix_has_two_meanings() -> None:
    assert not PHOTO_SUFFIXES & VIDEO_SUFFIXES
    assert not PHOTO_SUFFIXES & AUDIO_SUFFIXES
    assert not VIDEO_SUFFIXES & AUDIO_SUFFIXES
    assert RAW_SUFFIXES < PHOTO_SUFFIXES


def test_pillow_knows_every_format_and_none_of_them_runs_a_program() -> None:
    Image.init()
    assert set(PICTURE_FORMATS) <= set(Image.OPEN)
    assert not set(PICTURE_FORMATS) & {"EPS", "WMF", "MPEG", "IPTC", "HDF5", "GRIB", "BUFR"}


def test_formats_tried_on_any_file_have_a_signature() -> None:
    Image.init()
    assert all(Image.OPEN[name][1] is not None for name in SIGNED_FORMATS)


def test_demuxers_exist_and_none_of_them_opens_other_files() -> None:
    known = {name for entry in av.formats_available for name in entry.split(",")}
    assert set(SIGNED_DEMUXERS) <= set(DEMUXERS) <= known
    assert not set(DEMUXERS) & {
        "hls",
        "dash",
        "concat",
        "sdp",
        "rtsp",
        "image2",
        "webm_dash_manifest",
    }
