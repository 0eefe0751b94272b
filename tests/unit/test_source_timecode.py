"""Samples since midnight as SMPTE time code."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from dam.media.fields import Fields
from dam.media.source_timecode import source_timecode, timecode

FILM, NTSC, NTSC_FAST = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
SPEED = "XML:BwfxmlSpeed"


@pytest.mark.parametrize(
    ("frame", "rate", "is_drop", "code"),
    [
        (90_000, Fraction(25), False, "01:00:00:00"),
        (86_400, FILM, False, "01:00:00:00"),
        (86_399, FILM, True, "00:59:59:23"),  # numbers are dropped at 30 and 60 alone
        # SMPTE ST 12-1: 0 and 1 are left out each minute, but not each tenth one.
        (1_799, NTSC, True, "00:00:59;29"),
        (1_800, NTSC, True, "00:01:00;02"),
        (17_981, NTSC, True, "00:09:59;29"),
        (17_982, NTSC, True, "00:10:00;00"),
        (107_892, NTSC, True, "01:00:00;00"),
        (3_600, NTSC_FAST, True, "00:01:00;04"),
        (1_800, NTSC, False, "00:01:00:00"),
    ],
)
def test_a_sample_has_the_code_of_its_frame(
    frame: int, rate: Fraction, is_drop: bool, code: str
) -> None:
    first = int(frame * 48_000 / rate)  # as recorders round it
    assert timecode(first, 48_000, rate, is_drop=is_drop) == code


def said(**fields: Any) -> dict[str, str]:
    names = {"reference": "RIFF:TimeReference", "rate_hz": "RIFF:SampleRate"}
    return source_timecode(Fields({names.get(key, SPEED + key): fields[key] for key in fields}))


@pytest.mark.parametrize("rate", ["24000/1001", "23.976", "23.976023976024", "23.98"])
def test_a_frame_rate_is_known_however_it_is_written(rate: str) -> None:
    found = said(reference="172972800", rate_hz="48000", TimecodeRate=rate, TimecodeFlag="NDF")
    assert found == {"source_timecode": "01:00:00:00", "timecode_rate": "24000/1001"}


def test_ixml_counts_where_the_wave_does_not() -> None:
    midnight = "TimestampSamplesSinceMidnight"
    high = {f"{midnight}Hi": "1", f"{midnight}Lo": "0", "TimestampSampleRate": "192000"}
    assert said(**high) == {"source_timecode": "06:12:49.621"}  # 2³² samples


@pytest.mark.parametrize(
    ("reference", "rate_hz"),
    [("0", "48000"), ("4147200000", "48000"), ("5", "0"), ("1e300", "48000"), ("5", "none")],
)
def test_what_is_no_time_of_day_is_not_told(reference: str, rate_hz: str) -> None:
    assert said(reference=reference, rate_hz=rate_hz) == {}


def test_an_unknown_frame_rate_is_not_guessed() -> None:
    found = said(reference="48000", rate_hz="48000", TimecodeRate="17")
    assert found == {"source_timecode": "00:00:01.000"}
