"""Which lines of a transcript a person's edits stand in the place of.

Only the rule. `dam.transcripts` reads and writes edits, `dam.store` keeps what is searchable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

MADE_OF_LINES = ("words",)  # indexers that read the lines as people mended them


class Timed(Protocol):
    @property
    def start_us(self) -> int: ...

    @property
    def end_us(self) -> int: ...


_T = TypeVar("_T", bound=Timed)


def is_replaced(line: Timed, edit: Timed) -> bool:
    """Whether a line is what the edit was made of, wherever another run puts it: they share more
    than half of the shorter one."""
    shared_us = min(line.end_us, edit.end_us) - max(line.start_us, edit.start_us)
    shorter_us = min(line.end_us - line.start_us, edit.end_us - edit.start_us)
    return 2 * shared_us > shorter_us


def untouched(lines: Iterable[_T], edits: Iterable[Timed]) -> list[_T]:
    """The lines that no edit replaces."""
    known = list(edits)
    return [line for line in lines if not any(is_replaced(line, edit) for edit in known)]
