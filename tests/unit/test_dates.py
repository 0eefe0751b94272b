"""Dates as they are written, and what must become of them (RELIABILITY R14)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam.contracts import Kind
from dam.media.capture import capture_of
from dam.media.dates import offset_between, parse_date, parse_offset
from dam.media.fields import Fields

# written, subsecond, offset → local time, minutes east of UTC; None: no date
READ: list[tuple[str, str, str, tuple[str, int | None] | None]] = [
    # EXIF
    ("2020:01:02 03:04:05", "", "", ("2020-01-02T03:04:05", None)),
    ("2020:01:02 03:04:05", "", "+05:30", ("2020-01-02T03:04:05", 330)),
    ("2020:01:02 03:04:05", "12", "-03:30", ("2020-01-02T03:04:05.120000", -210)),
    ("2020:01:02 03:04:05", "5", "", ("2020-01-02T03:04:05.500000", None)),
    ("2020:01:02 03:04:05", "007", "", ("2020-01-02T03:04:05.007000", None)),
    ("2020:01:02 03:04:05", "1234567", "", ("2020-01-02T03:04:05.123456", None)),
    ("2020:01:02 03:04:05", "   ", "   ", ("2020-01-02T03:04:05", None)),
    ("2020:01:02 03:04:05\0", "", "Z", ("2020-01-02T03:04:05", 0)),
    ("2020:01:02 03:04:05.25", "99", "", ("2020-01-02T03:04:05.250000", None)),
    ("2020:01:02 03:04:05+02:00", "", "-07:00", ("2020-01-02T03:04:05", 120)),
    ("2020:01:02 03:04:05", "", "+25:00", ("2020-01-02T03:04:05", None)),
    ("2020:01:02 03:04:05", "", "CEST", ("2020-01-02T03:04:05", None)),
    ("2020:01:02 03:04", "", "", ("2020-01-02T03:04:00", None)),
    ("2020:02:29 23:59:59", "", "", ("2020-02-29T23:59:59", None)),
    ("2016:12:31 23:59:60", "", "Z", ("2017-01-01T00:00:00", 0)),
    ("2020/01/02 03:04:05", "", "", ("2020-01-02T03:04:05", None)),
    ("2020-01-02 03.04.05", "", "", ("2020-01-02T03:04:05", None)),
    # ISO 8601 and XMP
    ("2020-01-02T03:04:05Z", "", "", ("2020-01-02T03:04:05", 0)),
    ("2020-01-02T03:04:05+00:00", "", "", ("2020-01-02T03:04:05", 0)),
    ("2020-01-02T03:04:05-00:00", "", "", ("2020-01-02T03:04:05", 0)),
    ("2020-01-02T03:04:05.678+0545", "", "", ("2020-01-02T03:04:05.678000", 345)),
    ("2020-01-02T03:04:05,5-09:30", "", "", ("2020-01-02T03:04:05.500000", -570)),
    ("2020-01-02T03:04+14", "", "", ("2020-01-02T03:04:00", 840)),
    ("2020-01-02T03:04:05 UTC", "", "", ("2020-01-02T03:04:05", 0)),
    ("20200102T030405", "", "", ("2020-01-02T03:04:05", None)),
    ("20200102", "", "", ("2020-01-02T00:00:00", None)),
    ("20200102T030405+0530", "", "", ("2020-01-02T03:04:05", 330)),
    ("2020-01-02", "", "", ("2020-01-02T00:00:00", None)),
    ("2020-05", "", "", ("2020-05-01T00:00:00", None)),
    ("1975", "", "", ("1975-01-01T00:00:00", None)),
    ("1970", "", "", ("1970-01-01T00:00:00", None)),
    # Daylight saving: an hour that does not exist, and one that happens twice
    ("2021:03:28 02:30:00", "", "+01:00", ("2021-03-28T02:30:00", 60)),
    ("2021:03:28 02:30:00", "", "+02:00", ("2021-03-28T02:30:00", 120)),
    ("2021:03:28 02:30:00", "", "", ("2021-03-28T02:30:00", None)),
    ("2021:10:31 02:30:00", "", "+02:00", ("2021-10-31T02:30:00", 120)),
    ("2021:10:31 02:30:00", "", "+01:00", ("2021-10-31T02:30:00", 60)),
    ("2021:11:07 01:30:00", "", "-04:00", ("2021-11-07T01:30:00", -240)),
    ("2021:11:07 01:30:00", "", "-05:00", ("2021-11-07T01:30:00", -300)),
    # Far ends of the clocks of containers
    ("2038:01:19 03:14:08", "", "", ("2038-01-19T03:14:08", None)),
    ("2040:02:06 06:28:16", "", "", ("2040-02-06T06:28:16", None)),
    ("1904:01:01 00:00:01", "", "", ("1904-01-01T00:00:01", None)),
    ("1969:12:31 23:59:59", "", "Z", ("1969-12-31T23:59:59", 0)),
    ("1839:08:19 12:00:00", "", "", ("1839-08-19T12:00:00", None)),
    ("9999:12:31 23:59:59", "", "-05:00", ("9999-12-31T23:59:59", -300)),
    ("0001:01:01 00:00:00", "", "+05:00", ("0001-01-01T00:00:00", 300)),
    # No date at all
    ("0000:00:00 00:00:00", "", "", None),
    ("    :  :     :  :  ", "", "", None),
    ("", "", "", None),
    ("\0" * 19, "", "", None),
    ("1904:01:01 00:00:00", "", "", None),
    ("1904-01-01T00:00:00Z", "", "", None),
    ("1970:01:01 00:00:00", "", "", None),
    ("1970-01-01T01:00:00+01:00", "", "", None),
    ("2021:02:29 12:00:00", "", "", None),
    ("2020:13:01 12:00:00", "", "", None),
    ("2020:00:10 12:00:00", "", "", None),
    ("2020:01:02 24:00:00", "", "", None),
    ("2020:01:02 12:61:00", "", "", None),
    ("2020:01:02 12:00:61", "", "", None),
    ("yesterday", "", "", None),
    ("2020:01:02 03:04:05 and more", "", "", None),
    ("02.01.2020", "", "", None),
    ("-2020:01:02 03:04:05", "", "", None),
    ("9999:12:31 23:59:60", "", "", None),
]


@pytest.mark.parametrize(("text", "subsecond", "offset", "expected"), READ)
def test_a_date_is_read_as_written(
    text: str, subsecond: str, offset: str, expected: tuple[str, int | None] | None
) -> None:
    read = parse_date(text, subsecond=subsecond, offset=offset)
    assert (read and (read.iso, read.offset_min)) == expected


def test_the_table_of_dates_is_as_long_as_promised() -> None:
    assert len(READ) >= 60


zones = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(1905, 1, 2), datetime(2200, 1, 1), timezones=zones)


@given(instants)
def test_an_instant_with_an_offset_is_never_shifted(instant: datetime) -> None:
    read = parse_date(instant.isoformat())
    assert read is not None
    assert read.local == instant.replace(tzinfo=None)
    assert timedelta(minutes=read.offset_min or 0) == instant.utcoffset()
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017
    assert read.utc_us == (instant - epoch) // timedelta(microseconds=1)


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_none(text: str) -> None:
    parse_date(text, subsecond=text, offset=text)
    parse_offset(text)


def test_dates_at_the_ends_of_the_calendar_have_an_instant() -> None:
    for text in ("0001:01:01 00:00:00+14:00", "9999:12:31 23:59:59-12:00"):
        read = parse_date(text)
        assert read
        assert isinstance(read.utc_us, int)


@pytest.mark.parametrize(
    ("local", "utc", "minutes"),
    [
        ("2020-01-02T13:04:05", "2020-01-02T12:04:05", 60),
        ("2020-01-02T13:04:05", "2020-01-02T12:03:40", 60),
        ("2020-01-02T17:34:05", "2020-01-02T12:04:05", 330),
        ("2020-01-01T23:04:05", "2020-01-02T09:04:05", -600),
        ("2020-01-02T13:04:05", "2020-01-02T12:01:05", None),  # a stale fix
        ("2020-01-02T12:19:05", "2020-01-02T12:04:05", None),  # no place is 15 minutes off
        ("2020-01-03T13:04:05", "2020-01-02T12:04:05", None),
    ],
)
def test_satellite_time_tells_an_offset_that_exists(
    local: str, utc: str, minutes: int | None
) -> None:
    assert offset_between(datetime.fromisoformat(local), datetime.fromisoformat(utc)) == minutes


TAKEN = "ExifIFD:DateTimeOriginal"

# fields of the file, of the sidecar, kind → local time, offset, where the offset was found
BELIEVED: dict[str, tuple[dict[str, str], dict[str, str], Kind, tuple[str, int | None]]] = {
    "exposure before digitisation": (
        {TAKEN: "2020:01:02 03:04:05", "ExifIFD:CreateDate": "2021:01:01 00:00:00"},
        {},
        Kind.PHOTO,
        ("2020-01-02T03:04:05", None),
    ),
    "digitisation where the exposure is blank": (
        {TAKEN: "0000:00:00 00:00:00", "ExifIFD:CreateDate": "2021:01:01 00:00:01"},
        {},
        Kind.PHOTO,
        ("2021-01-01T00:00:01", None),
    ),
    "the offset of a change is not that of the exposure": (
        {
            TAKEN: "2020:01:02 03:04:05",
            "IFD0:ModifyDate": "2020:05:05 05:05:05",
            "ExifIFD:OffsetTime": "+09:00",
        },
        {},
        Kind.PHOTO,
        ("2020-01-02T03:04:05", None),
    ),
    "unless nothing was changed since": (
        {
            TAKEN: "2020:01:02 03:04:05",
            "IFD0:ModifyDate": "2020:01:02 03:04:05",
            "ExifIFD:OffsetTime": "+09:00",
        },
        {},
        Kind.PHOTO,
        ("2020-01-02T03:04:05", 540),
    ),
    "XMP of the same reading adds its zone": (
        {TAKEN: "2020:01:02 03:04:05", "XMP-photoshop:DateCreated": "2020-01-02T03:04:05+02:00"},
        {},
        Kind.PHOTO,
        ("2020-01-02T03:04:05", 120),
    ),
    "XMP of another reading does not": (
        {TAKEN: "2020:01:02 03:04:05", "XMP-photoshop:DateCreated": "2020-01-02T09:04:05+02:00"},
        {},
        Kind.PHOTO,
        ("2020-01-02T03:04:05", None),
    ),
    "satellites tell the zone": (
        {TAKEN: "2020:01:02 03:04:05", "Composite:GPSDateTime": "2020:01:01 21:34:07Z"},
        {},
        Kind.PHOTO,
        ("2020-01-02T03:04:05", 330),
    ),
    "a sidecar corrects the date": (
        {TAKEN: "2020:01:02 03:04:05", "ExifIFD:OffsetTimeOriginal": "+01:00"},
        {"XMP-exif:DateTimeOriginal": "2019-06-07T08:09:10"},
        Kind.PHOTO,
        ("2019-06-07T08:09:10", None),
    ),
    "a sidecar without zone loses no offset": (
        {TAKEN: "2020:01:02 03:04:05", "ExifIFD:OffsetTimeOriginal": "+01:00"},
        {"XMP-exif:DateTimeOriginal": "2020-01-02T03:04:05"},
        Kind.PHOTO,
        ("2020-01-02T03:04:05", 60),
    ),
    "when a sidecar was made says nothing about the photo": (
        {TAKEN: "2020:01:02 03:04:05"},
        {"XMP-xmp:CreateDate": "2023-01-01T00:00:00"},
        Kind.PHOTO,
        ("2020-01-02T03:04:05", None),
    ),
    "an old print's year": (
        {},
        {"XMP-photoshop:DateCreated": "1931"},
        Kind.PHOTO,
        ("1931-01-01T00:00:00", None),
    ),
    "Apple's date with a zone before the header's UTC": (
        {
            "QuickTime:CreateDate": "2020:01:01 21:34:05",
            "Keys:CreationDate": "2020:01:02 03:04:05+05:30",
        },
        {},
        Kind.VIDEO,
        ("2020-01-02T03:04:05", 330),
    ),
    "the header's date is UTC": (
        {"QuickTime:CreateDate": "2020:01:01 21:34:05"},
        {},
        Kind.VIDEO,
        ("2020-01-01T21:34:05", 0),
    ),
    "a camera's local date beside the header's UTC": (
        {
            "QuickTime:CreateDate": "2020:01:01 21:34:05",
            "UserData:DateTimeOriginal": "2020:01:02 03:04:05",
        },
        {},
        Kind.VIDEO,
        ("2020-01-02T03:04:05", 330),
    ),
    "a film's header at zero, its track dated": (
        {
            "QuickTime:CreateDate": "0000:00:00 00:00:00",
            "Track1:MediaCreateDate": "2020:01:01 21:34:05",
        },
        {},
        Kind.VIDEO,
        ("2020-01-01T21:34:05", 0),
    ),
    "Matroska's date is UTC": (
        {"Matroska:DateTimeOriginal": "2020:01:01 21:34:05Z"},
        {},
        Kind.VIDEO,
        ("2020-01-01T21:34:05", 0),
    ),
    "a broadcast wave's origination": (
        {"RIFF:DateTimeOriginal": "2021:05:06 07:08:09", "RIFF:DateCreated": "2024:01:01"},
        {},
        Kind.AUDIO,
        ("2021-05-06T07:08:09", None),
    ),
    "ID3's recording time": (
        {"ID3v2_4:RecordingTime": "2011-03-04T05:06"},
        {},
        Kind.AUDIO,
        ("2011-03-04T05:06:00", None),
    ),
}


@pytest.mark.parametrize("case", BELIEVED)
def test_the_date_that_is_believed(case: str) -> None:
    fields, sidecar, kind, expected = BELIEVED[case]
    capture = capture_of(kind, Fields(fields), Fields(sidecar))
    assert capture
    assert (capture.reading.iso, capture.reading.offset_min) == expected


def test_the_year_of_an_album_is_no_recording_date() -> None:
    assert capture_of(Kind.AUDIO, Fields({"Vorbis:Date": "1973"}), Fields({})) is None
