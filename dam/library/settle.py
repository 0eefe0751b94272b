"""Decides when a file stands still: no event for a while, then twice the same size and time.

A plain class without threads, files or database: the clock and the look at a path are passed in.
A copy in progress, a paused download or an editor that saves in steps is let through only at its
end; what pauses for longer is taken as it is and taken again when it goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Key = TypeVar("Key", bound="Hashable")
Look = tuple[int, int]  # mtime_ns, size_bytes


@dataclass(slots=True)
class _Waiting:
    quiet_since_s: float
    look: Look | None = None  # at the end of the last quiet time


class SettleTracker(Generic[Key]):
    """`settle_s` 0 lets everything through at the second look."""

    def __init__(self, settle_s: float, clock: Callable[[], float]) -> None:
        self._settle_s = settle_s
        self._clock = clock
        self._waiting: dict[Key, _Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def touch(self, key: Key) -> None:
        """Something happened to it: the wait begins anew."""
        self._waiting[key] = _Waiting(self._clock())

    def forget(self, drop: Callable[[Key], bool]) -> None:
        self._waiting = {key: wait for key, wait in self._waiting.items() if not drop(key)}

    def settled(self, look_at: Callable[[Key], Look | None]) -> list[Key]:
        """What stands still now, in order of arrival; it is not waited for any more.

        `look_at` returns None for what is gone: that is not waited for either.
        """
        now_s = self._clock()
        settled = []
        for key, wait in list(self._waiting.items()):
            if now_s - wait.quiet_since_s < self._settle_s:
                continue
            look = look_at(key)
            if look is None:
                del self._waiting[key]
            elif look == wait.look:
                del self._waiting[key]
                settled.append(key)
            else:
                self._waiting[key] = _Waiting(now_s, look)
        return settled
