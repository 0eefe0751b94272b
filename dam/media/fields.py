"""What a file says about itself, field by field, under the names that ExifTool gives the fields.

Whoever reads a file (ExifTool, Pillow, PyAV, a sidecar) fills a `Fields`; whoever asks what it all
means (`dam.media.capture`, `dam.media.meaning`) looks in here. All of it is foreign text: looked up
cleaned and bounded, so that nothing in a file can break a database row or a page.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_CHARACTERS = 20_000  # of one text; a whole essay as a caption stays whole
MAX_ITEMS = 1_000  # of one list; stock agencies allow 50 keywords

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]+")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:e[+-]?\d{1,3})?(?:/\d+)?", re.ASCII | re.IGNORECASE)
_EMPTY = frozenset(("", "undef", "unknown", "none", "n/a", "----"))


def clean(value: object) -> str:
    """Text without control characters, lone surrogates and outer blanks, cut to a bound."""
    text = str(value)[: 2 * MAX_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n")
    text = text.encode("utf-8", "replace").decode("utf-8")
    return _CONTROLS.sub(" ", text)[:MAX_CHARACTERS].strip()


class Fields:
    """`Group:Name` → text or list of texts, e.g. `ExifIFD:DateTimeOriginal`, `XMP-dc:Subject`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._groups: dict[str, list[str]] = {}
        for key in values:
            self._groups.setdefault(key.rpartition(":")[2], []).append(key)

    def __bool__(self) -> bool:
        return bool(self._values)

    def text(self, *names: str) -> str | None:
        """The first of `names` that says something; `*:Name` means that field of any group."""
        return next((text for values in self._found(names) for text in values), None)

    def texts(self, *names: str) -> list[str]:
        """All values of the first of `names` that has any."""
        return next(self._found(names), [])

    def number(self, *names: str) -> float | None:
        """The first of `names` that starts with a number, as `2.8`, `28/10` or `50.0 mm`."""
        for values in self._found(names):
            found = _NUMBER.match(values[0])
            if not found:
                continue
            try:
                return float(Fraction(found[0]))
            except (ValueError, ZeroDivisionError, OverflowError):
                continue
        return None

    def _found(self, names: tuple[str, ...]) -> Iterator[list[str]]:
        for name in names:
            group, _, plain = name.rpartition(":")
            for key in self._groups.get(plain, ()) if group == "*" else (name,):
                if values := self._cleaned(key):
                    yield values

    def _cleaned(self, key: str) -> list[str]:
        value = self._values.get(key)
        listed = value if isinstance(value, list) else [] if value is None else [value]
        texts = (clean(item) for item in listed[:MAX_ITEMS] if not isinstance(item, dict | list))
        return [text for text in texts if text.lower() not in _EMPTY and not _is_binary(text)]


def _is_binary(text: str) -> bool:
    return text.startswith("(Binary data ") and text.endswith("option to extract)")
