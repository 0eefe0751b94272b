"""Lines of speech and writing → the passages that get a vector each.

A line as it is written down is often no sentence: "Yes.", or half of one. Alone such a line is near
to everything or to nothing, so it takes the next ones with it until they say something. A line that
is a sentence stays alone, so that a passage begins where the sentence does.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from dam.contracts import Span
from dam.findings import TextBox, TranscriptLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dam.contracts import Finding

SHORT = 5  # words of a sentence that says little alone; larger: the second is less exact
UNFINISHED = 12  # words of a line without a full stop that is long enough alone
MOST_WORDS = 40  # of one passage; more are several thoughts in one vector
PAUSE_US = 2_000_000  # somebody may have gone on to another matter
LETTERS = 4  # of Japanese, Chinese or Thai that say about as much as a word
ENDS = (".", "?", "!", "…", "。", "？", "！", "।", "؟")


@dataclass(frozen=True, slots=True)
class Passage:
    text: str
    at_us: int | None  # None: of a photo
    span: Span | None


def spoken(found: Iterable[Finding], duration_us: int | None) -> list[Passage]:
    """In time order; what was translated has a second passage in English."""
    lines = [line for line in found if isinstance(line, TranscriptLine) and _plain(line.text)]
    lines.sort(key=lambda line: line.span)
    passages = []
    for joined in _joined(lines):
        span = _within(Span(joined[0].span.start_us, joined[-1].span.end_us), duration_us)
        if span is None:
            continue
        texts = [" ".join(_plain(line.text) for line in joined)]
        texts.append(" ".join(_plain(line.english or "") for line in joined).strip())
        passages += [Passage(text, span.start_us, span) for text in dict.fromkeys(texts) if text]
    return passages


def written(found: Iterable[Finding], duration_us: int | None) -> list[Passage]:
    """What can be read at one time, from the top down: signs are cut into boxes word by word."""
    boxes = [box for box in found if isinstance(box, TextBox) and _plain(box.text)]

    def time(box: TextBox) -> tuple[int, int]:
        return (box.span.start_us, box.span.end_us) if box.span else (-1, -1)

    passages = []
    for _, together in groupby(sorted(boxes, key=time), key=time):
        lines = sorted(together, key=lambda box: (box.box.top, box.box.left))
        span = lines[0].span and _within(lines[0].span, duration_us)
        if lines[0].span is not None and span is None:
            continue
        at_us = None if span is None else span.start_us
        passages += [Passage(text, at_us, span) for text in _cut([_plain(b.text) for b in lines])]
    return passages


def _joined(lines: Sequence[TranscriptLine]) -> list[list[TranscriptLine]]:
    passages: list[list[TranscriptLine]] = []
    for line in lines:
        if passages and _goes_on(passages[-1], line):
            passages[-1].append(line)
        else:
            passages.append([line])
    return passages


def _goes_on(passage: Sequence[TranscriptLine], line: TranscriptLine) -> bool:
    last = passage[-1]
    if line.span.start_us - last.span.end_us >= PAUSE_US or line.language != last.language:
        return False
    words = sum(_words(one.text) for one in passage)
    if words + _words(line.text) > MOST_WORDS:
        return False
    return words < (SHORT if _plain(last.text).endswith(ENDS) else UNFINISHED)


def _cut(texts: Iterable[str]) -> list[str]:
    """Joined to at most `MOST_WORDS` each; a longer one stays whole."""
    passages: list[str] = []
    for text in texts:
        if passages and _words(passages[-1]) + _words(text) <= MOST_WORDS:
            passages[-1] += f" {text}"
        else:
            passages.append(text)
    return passages


def _words(text: str) -> int:
    plain = _plain(text)
    return len(plain.split()) if " " in plain else max(1, len(plain) // LETTERS)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _within(span: Span, duration_us: int | None) -> Span | None:
    """A person's line may reach over the end."""
    end_us = span.end_us if duration_us is None else min(span.end_us, duration_us)
    return Span(span.start_us, end_us) if span.start_us < end_us else None
