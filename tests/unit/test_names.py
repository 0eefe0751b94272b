"""What is searchable of a file's name, and which files are media by it."""

from __future__ import annotations

import pytest

from dam.contracts import Kind
from dam.library.names import media_kind, stem_of, words_of_folder, words_of_name


@pytest.mark.parametrize(
    ("display", "words"),
    [
        ("trip/IMG_2041_beach-sunset.jpg", {"IMG", "2041", "beach", "sunset"}),
        ("BeachSunset2019.jpg", {"Beach", "Sunset", "2019", "BeachSunset2019"}),
        ("élan vital.tar.jpg", {"élan", "vital", "tar"}),
        ("海边日落.jpg", {"海边日落"}),
        ("DJI_0001.MP4", {"DJI", "0001"}),
        (".jpg", set()),
        ("AMBUrbn_City Square_JD_WALK.wav", {"ambience", "City", "AMB", "Urbn"}),
    ],
)
def test_names_are_searchable_by_their_words(display: str, words: set[str]) -> None:
    assert words <= set(words_of_name(display).split())


def test_folders_are_searchable_by_their_names() -> None:
    assert words_of_folder("2023/Summer trip/a.jpg") == "2023 Summer trip"
    assert words_of_folder("a.jpg") == ""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.JPG", Kind.PHOTO), ("a.b.cr3", Kind.PHOTO),
        ("a.mov", Kind.VIDEO), ("a.wav", Kind.AUDIO),
        ("a.jpg|", Kind.PHOTO), ("a.jpg\n", Kind.PHOTO), ("-a.jpg", Kind.PHOTO),
        (".a.jpg", None), ("a.jpg.part", None), ("a.jpg~", None), ("a.mp4.crdownload", None),
        ("jpg", None), ("a.", None), ("a.txt", None),
    ],
)  # fmt: skip
def test_a_name_tells_whether_a_file_may_be_media(name: str, kind: Kind | None) -> None:
    assert media_kind(name) is kind


def test_the_stem_is_what_a_raw_file_and_its_jpeg_share() -> None:
    assert stem_of(b"trip/IMG_1.CR2") == stem_of(b"trip/IMG_1.JPG") == b"trip/IMG_1"
    assert stem_of(b"a.b/c") == b"a.b/c"
