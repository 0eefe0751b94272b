"""From fields to what people ask for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dam.contracts import Kind
from dam.errors import UnreadableMedia
from dam.media.fields import MAX_CHARACTERS, MAX_ITEMS, Fields
from dam.media.meaning import Metadata, camera_name, is_junk, metadata_of
from dam.media.places import nearest_place
from dam.media.sidecars import read_sidecar, sidecar_of
from dam.media.xmp import read_xmp

if TYPE_CHECKING:
    from pathlib import Path


def meant(fields: dict[str, Any], sidecar: dict[str, Any] | None = None) -> Metadata:
    return metadata_of(Kind.PHOTO, Fields(fields), Fields(sidecar or {}), None)


@pytest.mark.parametrize(
    ("make", "model", "expected"),
    [
        ("Canon", "Canon EOS R5", "Canon EOS R5"),
        ("NIKON CORPORATION", "NIKON D850", "NIKON D850"),
        ("Apple", "iPhone 12", "Apple iPhone 12"),
        ("OLYMPUS IMAGING CORP.", "E-M1", "OLYMPUS E-M1"),
        ("SONY", "ILCE-7M3", "SONY ILCE-7M3"),
        ("EASTMAN KODAK COMPANY", "KODAK Z612", "KODAK Z612"),
        ("FUJIFILM", "X-T4", "FUJIFILM X-T4"),
        ("LEICA CAMERA AG", "LEICA Q2", "LEICA Q2"),
        ("samsung", "SM-G991B", "samsung SM-G991B"),
        (None, "Pixel 7", "Pixel 7"),
        ("DJI", None, "DJI"),
        (None, None, None),
    ],
)
def test_a_camera_is_called_what_people_call_it(
    make: str | None, model: str | None, expected: str | None
) -> None:
    assert camera_name(make, model) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("OLYMPUS DIGITAL CAMERA", "SONY DSC", "Exif_JPEG_PICTURE", "DCIM", "dav", "---", "..."),
        *("<Digimax S500 / Kenox S500>", "DSC00012", "IMG_1234", "Lavf58.12.100"),
    ],
)
def test_captions_that_cameras_write_into_every_photo_are_dropped(text: str) -> None:
    assert is_junk(text)
    caption = "Really the sea"
    assert meant({"XMP-dc:Description": text, "ExifIFD:UserComment": caption}).caption == caption


@pytest.mark.parametrize("text", ["Samsung factory", "A digital camera", "Imagine", "浜辺", "1984"])
def test_captions_that_people_write_are_kept(text: str) -> None:
    assert meant({"IFD0:ImageDescription": text}).caption == text


def test_xmp_is_believed_before_iptc_and_iptc_before_exif() -> None:
    fields = {"IFD0:XPTitle": "c", "IPTC:ObjectName": "b", "XMP-dc:Title": "a"}
    for expected in ("a", "b", "c"):
        assert meant(fields).title == expected
        fields.popitem()


def test_leaves_of_the_first_hierarchy_and_plain_keywords_are_the_keywords() -> None:
    said = meant(
        {
            "XMP-digiKam:TagsList": ["Place/Beach", "People/Ada"],
            "XMP-lr:HierarchicalSubject": ["Other|Thing"],
            "XMP-dc:Subject": ["beach", "Ada", "mud"],
            "IPTC:Keywords": "mud",
        }
    )
    assert said.keywords == ("Beach", "Ada", "mud")
    assert said.details["keyword_paths"] == ["Place/Beach", "People/Ada"]
    assert meant({"XMP-lr:HierarchicalSubject": "A|B|C"}).keywords == ("C",)
    assert meant({"IFD0:XPKeywords": "a; b;;a"}).keywords == ("a", "b")


@pytest.mark.parametrize(
    ("fields", "rating"),
    [
        *((({"XMP-xmp:Rating": str(stars)}), stars) for stars in range(-1, 6)),
        ({"XMP-xmp:Rating": "-2"}, None),
        ({"XMP-xmp:Rating": "3.0"}, 3),
        ({"XMP-xmp:Rating": "80"}, 4),
        ({"XMP-xmp:Rating": "-1", "IFD0:Rating": "5"}, -1),
        ({"IFD0:Rating": "3"}, 3),
        ({"XMP-xmp:Rating": "101"}, None),
        ({"XMP-xmp:Rating": "many"}, None),
        *(
            ({"IFD0:RatingPercent": percent}, stars)
            for percent, stars in (("0", 0), ("1", 1), ("25", 2), ("50", 3), ("75", 4), ("99", 5))
        ),
    ],
)
def test_stars_and_per_cent_are_told_apart(fields: dict[str, str], rating: int | None) -> None:
    assert meant(fields).rating == rating


def test_lenses_without_a_name_are_none() -> None:
    for text in ("----", "0", "Unknown (137)", "18 55 3.5 5.6"):
        assert meant({"ExifIFD:LensModel": text}).lens is None
    assert meant({"ExifIFD:LensModel": "----", "Composite:LensID": "A 35mm"}).lens == "A 35mm"


def test_foreign_text_is_bounded_and_fit_for_json_and_sqlite() -> None:
    said = meant(
        {
            "XMP-dc:Title": "a\0b\ud800c\u2028d ",
            "XMP-dc:Description": "x" * 10**6,
            "XMP-dc:Subject": [f"word {number}" for number in range(5000)],
            "XMP-dc:Creator": ["y" * 10**5] * 5000,
            "IFD0:Software": "(Binary data 12 bytes, use -b option to extract)",
            "ExifIFD:FNumber": "1/0",
            "ExifIFD:ISO": "1e999",
            "GPS:GPSImgDirection": {"nested": "thing"},
        }
    )
    assert said.title == "a b?c d"
    assert said.caption and len(said.caption) == MAX_CHARACTERS
    assert len(said.keywords) == MAX_ITEMS
    assert len(json.dumps(said.details).encode()) < 300_000
    assert not {"software", "aperture", "iso", "direction_deg"} & said.details.keys()


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        (48.2, 16.37, "Vienna, Austria"),
        (-33.8688, 151.2093, "Sydney, New South Wales, Australia"),
        (35.6762, 139.6503, "Tokyo"),
        (40.7128, -74.006, "New York"),
        (-18.14, -179.999, "Fiji"),  # the nearest town lies across the date line
        (90.0, 0.0, None),
        (-48.9, -123.4, None),  # Point Nemo
    ],
)
def test_the_nearest_place_is_named(
    latitude: float, longitude: float, expected: str | None
) -> None:
    place = nearest_place(latitude, longitude)
    assert (place is None) if expected is None else (place and expected in place.name)


def test_the_sidecar_with_the_whole_name_is_preferred(tmp_path: Path) -> None:
    path = tmp_path / "DSC1.JPG"
    names = ["DSC1.XMP", "DSC1.xmp", "DSC1.jpg.xmp", "DSC1.JPG.XMP", "DSC1.JPG.xmp"]
    there: set[str] = {"DSC1.JPG", "DSC12.xmp", "dsc1.txt"}
    assert sidecar_of(path, there) is None
    for name in names:
        there.add(name)
        assert sidecar_of(path, there) == tmp_path / name
        assert sidecar_of(path, there.__contains__) == tmp_path / name
        assert sidecar_of(path) is None
    (tmp_path / "DSC1.xmp").touch()
    assert sidecar_of(path) == tmp_path / "DSC1.xmp"


SHARED_STEM = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:SidecarForExtension="CR3"/>
</rdf:RDF>"""


def test_a_sidecar_for_the_raw_says_nothing_about_the_jpeg(tmp_path: Path) -> None:
    sidecar = tmp_path / "a.xmp"
    sidecar.write_bytes(SHARED_STEM)
    raw, digest = read_sidecar(sidecar, tmp_path / "a.cr3")
    jpeg, same = read_sidecar(sidecar, tmp_path / "a.jpg")
    assert raw.text("XMP-xmp:Rating") == "5"
    assert jpeg.text("XMP-xmp:Rating") is None
    assert digest == same


def test_xmp_coordinates_and_structures(tmp_path: Path) -> None:
    fields = read_xmp(
        b"""<x xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
        xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
        xmlns:dc="http://purl.org/dc/elements/1.1/"><r:RDF><r:Description
        exif:GPSLatitude="33,51.5S" exif:GPSLongitude="151,12,36E"/><r:Description>
        <xmp:Thing r:parseType="Resource"><dc:title>inner</dc:title></xmp:Thing>
        <dc:title><r:Alt><r:li xml:lang="de">Ebbe</r:li>
        <r:li xml:lang="x-default">Ebb</r:li></r:Alt></dc:title></r:Description></r:RDF></x>"""
    )
    assert fields["Composite:GPSLatitude"] == str(-(33 + 51.5 / 60))
    assert float(str(fields["Composite:GPSLongitude"])) == pytest.approx(151.21)
    assert fields["XMP-dc:Title"] == "Ebb"


@pytest.mark.parametrize("broken", [b"", b"\xff\xfe", b"<a", b"<a></b>", b"<!DOCTYPE a><a/>"])
def test_broken_xmp_is_refused_with_a_reason(broken: bytes) -> None:
    with pytest.raises(UnreadableMedia, match="XMP cannot be read"):
        read_xmp(broken)
