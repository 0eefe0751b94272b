"""What a person types, and how it is understood."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam.contracts import Kind
from dam.errors import BadRequest, DamError
from dam.search.dates import find_period, period_of
from dam.search.measured import Trait
from dam.search.parse import Parsed, parse
from dam.search.query import Filters

TODAY = date(2025, 3, 10)  # a Monday


def parsed(text: str) -> Parsed:
    return parse(text, today=TODAY)


def filters(text: str) -> Filters:
    return parsed(text).filters


def test_sentence_stays_as_it_is_and_its_words_lose_what_says_nothing() -> None:
    found = parsed("A woman is walking on the Beach, at sunset")
    assert found.sentence == "A woman is walking on the Beach, at sunset"
    assert found.words == ("woman", "walking", "beach", "sunset")


def test_words_that_say_nothing_are_kept_when_there_are_no_others() -> None:
    assert parsed("over and over").words == ("over", "and")


def test_accents_and_case_do_not_matter() -> None:
    assert parsed("CAFÉ").words == parsed("café").words == ("cafe",)


@pytest.mark.parametrize("quoted", ['"at the gate"', "“at the gate”", "«at the gate»"])
def test_quoted_words_are_a_phrase_and_part_of_the_sentence(quoted: str) -> None:
    found = parsed(f"woman {quoted} smiling")
    assert found.phrases == ("at the gate",)
    assert found.sentence == "woman at the gate smiling"


def test_words_after_a_minus_are_to_be_avoided_but_hyphens_are_not() -> None:
    found = parsed('black-and-white t-shirt -dog -"two cats" - --')
    assert found.sentence == "black-and-white t-shirt"
    assert found.excluded == ("dog", "two cats")


def test_filters_leave_the_sentence() -> None:
    found = parsed('dog kind:video,photo in:"Summer trip" tag:beach -tag:old camera:nikon running')
    assert found.sentence == "dog running"
    assert found.filters == Filters(
        kinds=frozenset({Kind.VIDEO, Kind.PHOTO}),
        folders=("Summer trip",),
        tags=("beach",),
        without_tags=("old",),
        cameras=("nikon",),
    )


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("rating:4", 4, 4),
        ("rating:>=3", 3, None),
        ("rating:3+", 3, None),
        ("rating:>3", 4, None),
        ("rating:<=2", None, 2),
        ("rating:<2", None, 1),
        ("rating:2..4", 2, 4),
        ("stars:-1", -1, -1),
    ],
)
def test_ratings_are_compared(text: str, low: int | None, high: int | None) -> None:
    assert (filters(text).min_rating, filters(text).max_rating) == (low, high)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("duration:>=10s", 10, None),
        ("duration:<=2m", None, 120),
        ("duration:1.5h..2h", 5400, 7200),
        ("duration:10", 9.5, 10.5),
        ("length:>=1:02:03", 3723, None),
        ("length:<=1:30", None, 90),
    ],
)
def test_durations_take_units_and_clocks(text: str, low: float | None, high: float | None) -> None:
    assert (filters(text).min_duration_s, filters(text).max_duration_s) == (low, high)


@pytest.mark.parametrize(
    ("text", "traits"),
    [
        ("quality:sharp", (Trait.SHARP,)),
        ("is:blurry has:dropout", (Trait.BLURRED, Trait.DROPOUTS)),
        ("has:clipping,silence", (Trait.CLIPPING, Trait.SILENCE)),
        ('has:"black frames" has:frozen-frames', (Trait.BLACK, Trait.FROZEN)),
        ("quality:over-exposed has:faults", (Trait.OVEREXPOSED, Trait.FAULTS)),
    ],
)
def test_quality_is_asked_for_by_its_words(text: str, traits: tuple[Trait, ...]) -> None:
    assert filters(f"sea {text}").quality == traits


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("loudness:-24..-14", -24, -14),
        ("loudness:>=−18", -18, None),
        ("loudness:<=-30", None, -30),
        ("lufs:-23", -23.5, -22.5),
    ],
)
def test_loudness_is_a_range_in_lufs(text: str, low: float | None, high: float | None) -> None:
    found = filters(text)
    assert (found.min_loudness_lufs, found.max_loudness_lufs) == (low, high)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("bpm:120", 118, 122),
        ("bpm:118..124", 118, 124),
        ("bpm:>=140", 140, None),
        ("tempo:<90", None, 89.9),
    ],
)
def test_tempo_is_a_range_in_beats_a_minute(
    text: str, low: float | None, high: float | None
) -> None:
    found = filters(text)
    assert (found.min_tempo_bpm, found.max_tempo_bpm) == (low, high)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("key:Am", {"A minor"}),
        ("key:f#min", {"F# minor"}),
        ('key:"Bb major"', {"A# major"}),
        ("key:CM", {"C major"}),
        ("key:Cb", {"B major", "B minor"}),
        ("key:G-Major key:em", {"G major", "E minor"}),
    ],
)
def test_a_key_is_known_however_it_is_written(text: str, keys: set[str]) -> None:
    assert filters(text).keys == keys


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("date:2024", "2024", "2025"),
        ("date:2024-12", "2024-12", "2025-01"),
        ("date:2024-02-29", "2024-02-29", "2024-03-01"),
        ("date:2024-06..2024-08", "2024-06", "2024-09"),
        ("after:2024-06", "2024-06", None),
        ("before:2024-06-02", None, "2024-06-02"),
        ("since:2024 until:2025", "2024", "2025"),
    ],
)
def test_dates_are_half_open(text: str, start: str | None, end: str | None) -> None:
    assert (filters(text).taken_from, filters(text).taken_before) == (start, end)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("dog foo:bar", "There is no filter “foo:”. Known are after, before, bpm"),
        ("rating:9", "-1 to 5"),
        ("rating:many", "rating:>=3"),
        ("date:2024-13", "2024-06"),
        ("date:0000", "2024-06"),
        ("after:tomorrow", "2024-06"),
        ("duration:long", "duration:>10s"),
        ("quality:nice", "known are sharp, blurred"),
        ("loudness:loud", "loudness:-24..-14"),
        ("bpm:fast", "bpm:118..124"),
        ("key:H", "key:Am"),
        ("key:dorian", "key:Am"),
        ("kind:book", "photo, video, audio"),
        ("-kind:photo", "cannot be negated"),
        ('in:""', "lacks a value"),
        ("x" * 2001, "2000 characters"),
    ],
)
def test_what_is_not_understood_is_said_with_how_to_write_it(text: str, complaint: str) -> None:
    with pytest.raises(BadRequest, match=re.escape(complaint)):
        parsed(text)


@pytest.mark.parametrize("text", ["at 12:30", "http://example.org/a", "note: a dog", ":-)"])
def test_colons_of_ordinary_text_are_no_filters(text: str) -> None:
    assert parsed(text).sentence == text


@pytest.mark.parametrize(
    ("text", "start", "end", "rest"),
    [
        ("dog june 2024", "2024-06", "2024-07", "dog"),
        ("a dog in June, 2024", "2024-06", "2024-07", "a dog"),
        ("Dec 2023 snow", "2023-12", "2024-01", "snow"),
        ("on 5 May 2021 in town", "2021-05-05", "2021-05-06", "in town"),
        ("the 3rd of may 2020", "2020-05-03", "2020-05-04", "the"),
        ("May 5th, 2021", "2021-05-05", "2021-05-06", ""),
        ("2023-05-01", "2023-05-01", "2023-05-02", ""),
        ("beach summer 2023", "2023-06", "2023-09", "beach"),
        ("winter of 2023", "2023-12", "2024-03", ""),
        ("boats in 2019", "2019", "2020", "boats"),
        ("2019", "2019", "2020", ""),
        ("1984 poster", None, None, "1984 poster"),
        ("IMG_2024-06-01.jpg", None, None, "IMG_2024-06-01.jpg"),
        ("31 june 2024", None, None, "31 june 2024"),
        ("yesterday", "2025-03-09", "2025-03-10", ""),
        ("last week", "2025-03-03", "2025-03-10", ""),
        ("last month", "2025-02", "2025-03", ""),
        ("last year", "2024", "2025", ""),
        ("last summer", "2024-06", "2024-09", ""),
        ("last winter", "2024-12", "2025-03", ""),
    ],
)
def test_dates_in_words(text: str, start: str | None, end: str | None, rest: str) -> None:
    period, left = find_period(text, TODAY)
    assert (period.start if period else None, period.end if period else None) == (start, end)
    assert left == rest


def test_only_a_date_is_known_as_such() -> None:
    assert parsed("photos from last summer").is_only_period
    assert not parsed("dogs last summer").is_only_period


def test_period_is_compared_by_local_time() -> None:
    period = period_of("2024-06")
    assert period.contains("2024-06-30T23:59:59.999")
    assert not period.contains("2024-07-01T00:00:00")
    assert not period.contains(None)


@given(st.text(max_size=60))
def test_any_text_is_understood_or_refused_with_a_reason(text: str) -> None:
    try:
        found = parsed(text)
    except DamError as error:
        assert str(error)
        return
    assert "\x00" not in found.whole
    found.whole.encode()


@given(st.text(alphabet='ab "-:>.<=0129tagind', max_size=40))
def test_any_mixture_of_signs_is_understood_or_refused_with_a_reason(text: str) -> None:
    try:
        parsed(text)
    except BadRequest as error:
        assert str(error)
