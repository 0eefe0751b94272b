"""Why an asset was found, in sentences that a person understands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam.contracts import Kind
from dam.search.query import Channel
from dam.search.words import fold
from dam.tables import TextField

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from dam.search.dates import Period
    from dam.search.matches import Match
    from dam.search.query import Moment

MOST = 4  # reasons; more is a wall of text
FAINT = 0.05  # below, a likeness is no reason when there is another one
FIELDS = {
    TextField.NAME: "file name",
    TextField.FOLDER: "folder",
    TextField.TITLE: "title",
    TextField.CAPTION: "caption",
    TextField.CAMERA: "camera",
    TextField.PLACE: "place",
}
SAID = {TextField.SPEECH: "says", TextField.WRITING: "shows the words"}
EXCERPT = 80  # characters of a line in a reason


def reasons(
    kind: Kind,
    *,
    shown: str,
    visual: float,
    text: float,
    moments: Sequence[Moment],
    matches: Sequence[Match],
    period: Period | None,
    words: Sequence[str],
) -> list[str]:
    """Best reason first. `shown` is what it looks like: “a dog”, or the given picture; `visual`
    and `text` are how sure the channels are."""
    written = [_match(match, words) for match in _strongest(matches)]
    if period is not None:
        written.append(_taken(period))
    if visual <= 0 or (visual < FAINT and written):
        return list(dict.fromkeys(written))[:MOST]
    seen = _likeness(kind, shown, visual, moments)
    said = [seen, *written] if visual >= text else [*written[: MOST - 1], seen]
    return list(dict.fromkeys(said))[:MOST]


def clock(seconds: float) -> str:
    """0:42, 1:02:03."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _likeness(kind: Kind, shown: str, visual: float, moments: Sequence[Moment]) -> str:
    strength = "strong" if visual >= 0.75 else "good" if visual >= 0.4 else "weak"
    at_s = moments[0].at_s if moments else None
    subject = f"frame at {clock(at_s)} " if kind is Kind.VIDEO and at_s is not None else ""
    return f"{subject}looks like {shown} ({strength} match)"


def _strongest(matches: Sequence[Match]) -> list[Match]:
    return sorted(
        matches,
        key=lambda match: (-match.is_exact, -len(match.words), -match.weight, match.body),
    )


def _match(match: Match, words: Sequence[str]) -> str:
    if match.channel is Channel.TAGS:
        surety = f" ({match.confidence:.0%})".replace("%", " %") if match.confidence else ""
        label = "keyword" if match.field == "keyword" else "tag"
        approved = " (approved)" if match.field == "approved" else ""
        return f"{label} “{match.body}”{surety}{approved}"
    if match.field in SAID:
        at = "" if match.at_us is None else f" at {clock(match.at_us / 1e6)}"
        return f"{SAID[TextField(match.field)]} “{_excerpt(match.body, match.words)}”{at}"
    name = FIELDS[TextField(match.field)]
    if match.is_exact:
        return f"{name} is “{match.body}”"
    held = ", ".join(f"“{word}”" for word in words if word in match.words)
    return f"{name} contains {held}"


def _excerpt(body: str, words: Set[str]) -> str:
    """A long line from a little before the first word that was asked for."""
    line = " ".join(body.split())
    if len(line) <= EXCERPT:
        return line
    first = min((at for word in words if (at := fold(line).find(word)) >= 0), default=0)
    start = max(0, min(first - EXCERPT // 4, len(line) - EXCERPT))
    start = line.rfind(" ", 0, start + 1) + 1
    part = line[start : start + EXCERPT].rstrip()
    return f"{'…' if start else ''}{part}{'…' if start + EXCERPT < len(line) else ''}"


def _taken(period: Period) -> str:
    is_day = period.label[0].isdigit() and " " in period.label
    return f"taken {'on' if is_day else 'in'} {period.label}"
