"""Byte ranges, against RFC 9110 section 14 and against whatever a client may send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.ranges import ByteRange, Unsatisfiable, asked_range


@pytest.mark.parametrize(
    ("header", "size_bytes", "start", "end"),
    [
        ("bytes=0-0", 10, 0, 1),
        ("bytes=0-99", 10, 0, 10),
        ("bytes=3-5", 10, 3, 6),
        ("bytes=9-", 10, 9, 10),
        ("bytes=-3", 10, 7, 10),
        ("bytes=-99", 10, 0, 10),
        ("BYTES = 2-4 ", 10, 2, 5),
    ],
)
def test_single_range_selects_its_bytes(header: str, size_bytes: int, start: int, end: int) -> None:
    assert asked_range(header, size_bytes)[0] == ByteRange(start, end)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes=",
        "bytes=-",
        "bytes=5-4",
        "bytes=0-1,4-5",
        "bytes=" + ",".join(["0-"] * 1000),
        "bytes=a-b",
        "bytes=+1-2",
        "bytes=1_0-20",
        "bytes=١-٢",
        "bytes=0-1\n",
        "lines=0-1",
        "bytes=99999999999999999999-",
    ],
)
def test_what_is_no_single_byte_range_means_the_whole_file(header: str | None) -> None:
    assert asked_range(header, 10) == (None, False)


@pytest.mark.parametrize(
    ("header", "size_bytes"), [("bytes=10-", 10), ("bytes=10-12", 10), ("bytes=-0", 10)]
)
def test_range_behind_the_end_is_unsatisfiable(header: str, size_bytes: int) -> None:
    with pytest.raises(Unsatisfiable):
        asked_range(header, size_bytes)


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=-1"])
def test_no_range_of_an_empty_file_is_satisfiable(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        asked_range(header, 0)


@given(start=st.integers(0, 2**63), length=st.integers(1, 2**40), size_bytes=st.integers(0, 2**50))
def test_closed_range_is_the_part_that_exists(start: int, length: int, size_bytes: int) -> None:
    header = f"bytes={start}-{start + length - 1}"
    if start >= size_bytes:
        with pytest.raises(Unsatisfiable):
            asked_range(header, size_bytes)
    else:
        expected = ByteRange(start, min(start + length, size_bytes))
        assert asked_range(header, size_bytes) == (expected, False)


@given(
    header=st.one_of(
        st.text(),
        st.text("bytes=0123456789-, \t"),
        st.from_regex(r"bytes=[0-9]*-[0-9]*(,[0-9]*-[0-9]*)*"),
    ),
    size_bytes=st.integers(0, 10**12),
)
def test_whatever_is_asked_the_answer_lies_inside_the_file(header: str, size_bytes: int) -> None:
    try:
        part, _ = asked_range(header, size_bytes)
    except Unsatisfiable:
        return
    assert part is None or 0 <= part.start < part.end <= size_bytes
