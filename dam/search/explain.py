"""Why an asset was found, in sentences that a person understands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam.contracts import Kind
from dam.search.line_kinds import LINE_KINDS
from dam.search.query import Channel
from dam.search.words import fold
from dam.tables import TextField

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from dam.search.dates import Period
    from dam.search.heard import EventHit
    from dam.search.matches import Match
    from dam.search.paraphrases import Meant
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
    TextField.DETAIL: "what the file says",
}
STRONG, GOOD = 0.75, 0.4  # from which confidence on a match is called so
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
    sound: float = 0.0,
    heard: Sequence[Moment] = (),
    events: Sequence[EventHit] = (),
    meant: Sequence[Meant] = (),
    is_in_other_words: bool = False,
) -> list[str]:
    """Best reason first. `shown` is what it looks or sounds like: “a dog”, or the given picture;
    `visual`, `sound` and `text` are how sure the channels are."""
    written = [_match(match, words) for match in _strongest(matches)]
    meanings = _meanings(meant, matches)
    written = [*meanings, *written] if is_in_other_words else [*written, *meanings]
    if period is not None:
        written.append(_taken(period))
    likenesses = [(visual, _likeness(kind, shown, visual, moments))] if visual > 0 else []
    if sound > 0:
        likenesses.append((sound, _sounding(shown, sound, heard)))
    likenesses.sort(key=lambda one: -one[0])
    others = written or any(sure >= FAINT for sure, _ in likenesses)
    perceived = [why for sure, why in likenesses if sure >= FAINT or not others]
    named = [_event(events[0])] if events else []
    sensed = [*perceived, *named]
    if max(visual, sound) >= text:
        said = [*sensed, *written]
    else:
        said = [*written[: MOST - len(sensed)], *sensed]
    return list(dict.fromkeys(said))[:MOST]


def _meanings(meant: Sequence[Meant], matches: Sequence[Match]) -> list[str]:
    """The best line that means it, unless it is quoted for its words already."""
    told = {(match.field, match.at_us) for match in matches if match.field in LINE_KINDS}

    def is_told(one: Meant) -> bool:
        if one.start_us is None or one.end_us is None:
            return (one.field, None) in told
        start_us, end_us = one.start_us, one.end_us
        return any(
            field == one.field and at_us is not None and start_us <= at_us < end_us
            for field, at_us in told
        )

    for one in meant[:1]:
        if not is_told(one):
            at = "" if one.start_us is None else f" at {clock(one.start_us / 1e6)}"
            return [f"{LINE_KINDS[one.field].means}: “{_excerpt(one.text, frozenset())}”{at}"]
    return []


def clock(seconds: float) -> str:
    """0:42, 1:02:03."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _likeness(kind: Kind, shown: str, visual: float, moments: Sequence[Moment]) -> str:
    at_s = moments[0].at_s if moments else None
    subject = f"frame at {clock(at_s)} " if kind is Kind.VIDEO and at_s is not None else ""
    return f"{subject}looks like {shown} ({_strength(visual)} match)"


def _sounding(shown: str, sound: float, heard: Sequence[Moment]) -> str:
    at_s = heard[0].at_s if heard else None
    when = "" if at_s is None else f" at {clock(at_s)}"
    return f"sounds like {shown}{when} ({_strength(sound)} match)"


def _event(event: EventHit) -> str:
    return f"“{event.label}” is heard at {clock(event.start_us / 1e6)}"


def _strength(sure: float) -> str:
    return "strong" if sure >= STRONG else "good" if sure >= GOOD else "weak"


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
    field = TextField(match.field)
    if field in LINE_KINDS:
        at = "" if match.at_us is None else f" at {clock(match.at_us / 1e6)}"
        return f"{LINE_KINDS[field].says} “{_excerpt(match.body, match.words)}”{at}"
    name = FIELDS[field]
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
