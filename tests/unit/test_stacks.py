"""Which files of one name belong together, and which of them is shown."""

from __future__ import annotations

import pytest

from dam.contracts import Kind
from dam.library.stacks import Companion, Group, StackReason, group_companions

SECOND_US = 1_000_000


def photo(suffix: str, identifier: str | None = None) -> Companion:
    return Companion(suffix, Kind.PHOTO, suffix, None, identifier)


def clip(suffix: str = ".mov", seconds: float = 3, identifier: str | None = None) -> Companion:
    return Companion(suffix, Kind.VIDEO, suffix, int(seconds * SECOND_US), identifier)


@pytest.mark.parametrize(
    ("files", "reason", "cover"),
    [
        ([photo(".cr2"), photo(".jpg")], StackReason.RAW_JPEG, ".jpg"),
        ([photo(".heic"), photo(".dng")], StackReason.RAW_JPEG, ".heic"),
        ([photo(".heic"), photo(".jpg"), photo(".nef")], StackReason.RAW_JPEG, ".jpg"),
        ([photo(".heic"), clip()], StackReason.LIVE_PHOTO, ".heic"),
        ([clip(), photo(".jpg")], StackReason.LIVE_PHOTO, ".jpg"),
        ([photo(".heic", "X"), clip(identifier="X")], StackReason.LIVE_PHOTO, ".heic"),
        ([photo(".heic"), photo(".dng"), clip()], StackReason.RAW_JPEG, ".heic"),
    ],
)
def test_these_belong_together(files: list[Companion], reason: StackReason, cover: str) -> None:
    members = frozenset(file.asset_id for file in files)
    assert group_companions(files) == Group(reason, cover, members)


@pytest.mark.parametrize(
    "files",
    [
        [photo(".jpg")],
        [photo(".jpg"), photo(".heic")],
        [photo(".jpg"), photo(".png")],
        [photo(".cr2"), clip()],
        [photo(".jpg"), clip(seconds=4.5)],
        [photo(".jpg"), clip(".mp4")],
        [photo(".heic", "X"), clip(identifier="Y")],
        [photo(".png"), clip()],
        [],
    ],
)
def test_these_do_not(files: list[Companion]) -> None:
    assert group_companions(files) is None


def test_a_long_clip_stays_out_of_the_stack_of_its_name() -> None:
    group = group_companions([photo(".cr2"), photo(".jpg"), clip(seconds=60)])
    assert group is not None
    assert group.members == {".cr2", ".jpg"}
