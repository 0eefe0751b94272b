"""Transcript lines as subtitles: WebVTT for players, SubRip for everything else.

Rows of at most 42 characters, two of them, and time enough to read them (20 characters a second
for adults: Netflix Timed Text Style Guide). The lines come from `dam.transcripts`.
"""

from __future__ import annotations

import textwrap
from enum import StrEnum
from itertools import zip_longest
from typing import TYPE_CHECKING

from pysubs2 import SSAEvent, SSAFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.transcripts import SpokenLine

ROW = 42  # characters
READ_CPS = 20  # characters a second
SHORTEST_S = 5 / 6  # 20 frames of film; shorter ones flash
GAP_S = 1 / 12  # two frames, without which the eye does not see that the text changed
# pysubs2 takes braces and backslashes for commands of another format and drops them.
PLAIN = str.maketrans({"{": "(", "}": ")", "\\": "/"})


class SubtitleFormat(StrEnum):
    VTT = "vtt"
    SRT = "srt"


MARKUP = {
    SubtitleFormat.VTT: str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"}),
    SubtitleFormat.SRT: str.maketrans({"<": "‹", ">": "›"}),  # it knows tags, but no escapes
}


def subtitles(
    lines: Sequence[SpokenLine], form: SubtitleFormat, *, in_english: bool = False
) -> str:
    """`in_english`: the translation, where there is one. Lines must be in time order."""
    shown = [line for line in lines if line.text]
    file = SSAFile()
    for line, following in zip_longest(shown, shown[1:]):
        text = line.english or line.text if in_english else line.text
        event = SSAEvent(
            start=round(line.start_s * 1000),
            end=round(_until_s(line, text, following) * 1000),
        )
        event.plaintext = _rows(text).translate(PLAIN).translate(MARKUP[form])
        file.append(event)
    return file.to_string(form)


def _until_s(line: SpokenLine, text: str, following: SpokenLine | None) -> float:
    """The end of a line, later where there is room and reading it takes longer."""
    wanted_s = line.start_s + max(SHORTEST_S, len(text) / READ_CPS)
    if following is None:
        return max(line.end_s, wanted_s)
    latest_s = following.start_s - GAP_S
    return max(min(line.end_s, following.start_s), min(wanted_s, latest_s))


def _rows(text: str) -> str:
    """Two rows of like length rather than a full one and a word; more only when they must be."""
    if len(text) <= ROW:
        return text
    width = max(-(-len(text) // 2), 1)
    for wider in range(width, ROW + 1):
        rows = textwrap.wrap(text, wider)
        if len(rows) <= 2:
            return "\n".join(rows)
    return "\n".join(textwrap.wrap(text, ROW))
