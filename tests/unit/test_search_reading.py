"""How a query is told back, part by part."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam.errors import DamError
from dam.search.reading import PartRole, Reading, read_query

TODAY = date(2025, 3, 10)


def reading(text: str) -> Reading:
    return read_query(text, today=TODAY)


@pytest.mark.parametrize(
    ("text", "role", "name", "shown", "without"),
    [
        ("woman in red -dog", PartRole.EXCLUDED, None, "dog", "woman in red"),
        ('cats -"two dogs" run', PartRole.EXCLUDED, None, "two dogs", "cats run"),
        ('woman "at the gate"', PartRole.PHRASE, None, "at the gate", "woman"),
        ("dog rating:>=3", PartRole.FILTER, "rating", ">=3", "dog"),
        ('dog folder:"Summer trip"', PartRole.FILTER, "in", "Summer trip", "dog"),
        ("dog -keyword:old", PartRole.FILTER, "-tag", "old", "dog"),
        ("dog in june 2024", PartRole.DATE, None, "June 2024", "dog"),
    ],
)
def test_part_is_named_and_can_be_taken_away(
    text: str, role: PartRole, name: str | None, shown: str, without: str
) -> None:
    (part,) = reading(text).parts
    assert (part.role, part.name, part.text, part.without) == (role, name, shown, without)


def test_plain_sentence_has_no_parts() -> None:
    assert reading("black-and-white t-shirt") == Reading("black-and-white t-shirt", [])


def test_taking_a_date_away_keeps_all_else() -> None:
    date_part = reading('"at the gate" dog june 2024 -cat kind:photo').parts[-1]
    assert date_part.without == '"at the gate" dog -cat kind:photo'


@given(st.lists(st.sampled_from(["dog", "-cat", '"at home"', "tag:x", "june 2024", "-", "a:"])))
def test_every_part_can_be_taken_away_until_none_is_left(words: list[str]) -> None:
    text = " ".join(words)
    try:
        parts = reading(text).parts
    except DamError:
        return  # a filter without a value, explained as by the search itself
    while parts:
        assert len(parts[0].without) < len(text)
        text = parts[0].without
        parts = reading(text).parts
