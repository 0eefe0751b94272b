"""The kinds of lines that have a time: what is said, what can be read, who is seen."""

from __future__ import annotations

from dataclasses import dataclass

from dam.search.query import Channel
from dam.tables import TextField


@dataclass(frozen=True, slots=True)
class LineKind:
    channel: Channel
    weight: float  # how much a line with the words of a query says about the moment it is at
    says: str  # before a line that holds words of the query
    means: str  # before one that holds none of them


LINE_KINDS = {
    TextField.SPEECH: LineKind(Channel.SPEECH, 0.9, "says", "says something like"),
    TextField.WRITING: LineKind(Channel.WRITING, 0.85, "shows the words", "shows words like"),
    TextField.PERSON: LineKind(Channel.PEOPLE, 0.95, "shows", "shows"),
}
