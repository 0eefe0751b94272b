"""What is asked and what is answered, and the JSON that the command line and the API print."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dam.contracts import Kind, Pixels
    from dam.search.measured import Trait


class Channel(StrEnum):
    VISUAL = "visual"  # what it shows
    SOUND = "sound"  # what is heard in it
    SPEECH = "speech"  # what is said in it
    WRITING = "writing"  # what can be read in it
    PEOPLE = "people"  # who is seen in it
    WORDS = "words"  # what is said and written, by what it means
    TEXT = "text"  # names, folders, titles, captions, camera, place, details
    TAGS = "tags"  # keywords and tags, by people and by models
    DATES = "dates"  # when it was taken


@dataclass(frozen=True, slots=True)
class Filters:
    """What a result must be. Within a field any value suffices, except that all tags and all of
    its quality must be there; fields are joined by "and". Dates are ISO 8601 prefixes of local
    time, half-open."""

    kinds: frozenset[Kind] = frozenset()
    libraries: tuple[str, ...] = ()  # names or ids
    folders: tuple[str, ...] = ()  # a folder's name, a path in a library, or an absolute path
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    people: tuple[str, ...] = ()  # parts of their names, or their ids
    without_people: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()  # parts of the name
    places: tuple[str, ...] = ()  # parts of the name
    taken_from: str | None = None
    taken_before: str | None = None
    min_rating: int | None = None
    max_rating: int | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    quality: tuple[Trait, ...] = ()
    min_loudness_lufs: float | None = None
    max_loudness_lufs: float | None = None
    min_tempo_bpm: float | None = None
    max_tempo_bpm: float | None = None
    keys: frozenset[str] = frozenset()  # of music: "A minor"


@dataclass(frozen=True, slots=True)
class Query:
    text: str = ""
    filters: Filters = field(default_factory=Filters)  # beside those written in the text
    limit: int = 50
    like: Pixels | None = None  # a picture that results should look like
    like_picture: str | None = None  # the same, by the id of a picture that `KeptPictures` keeps
    like_asset: str | None = None  # the same, by the id of an asset that is indexed
    like_at_s: float | None = None  # of that asset: only what is seen or heard at this time
    like_sound: bool = False  # of that asset: what is heard, also where it can be seen

    @property
    def is_like(self) -> bool:
        """It asks for what looks like a picture, not for words."""
        return any(one is not None for one in (self.like, self.like_picture, self.like_asset))


@dataclass(frozen=True, slots=True)
class Moment:
    start_s: float | None  # None: the whole asset
    end_s: float | None
    score: float
    channel: Channel
    at_s: float | None = None  # the frame that matched best; of a sound, where it begins


@dataclass(frozen=True, slots=True)
class Hit:
    asset_id: str
    path: str  # absolute, for people; undecodable bytes as U+FFFD
    kind: Kind
    score: float  # in [0, 1]
    moments: list[Moment]
    why: list[str]
    width_px: int | None = None
    height_px: int | None = None
    duration_s: float | None = None
    captured_local: str | None = None
    offline: bool = False  # its library's folder is not there at the moment
    thumbhash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A channel that cannot answer, or not for everything yet."""

    channel: Channel
    reason: str | None = None
    command: str | None = None  # what mends it
    pending: int | None = None  # assets it has not seen yet


@dataclass(frozen=True, slots=True)
class PictureModel:
    """The model whose vectors answered."""

    name: str  # of its preset, else of its network
    notice: str | None  # what has to be known wherever it is used


@dataclass(frozen=True, slots=True)
class Results:
    results: list[Hit]
    waiting: list[Waiting]
    model: PictureModel | None = None  # None: what pictures show was not asked for, or not known


def results_as_json(results: Results) -> dict[str, Any]:
    return {
        "results": [_hit_as_json(hit) for hit in results.results],
        "waiting": [_waiting_as_json(waiting) for waiting in results.waiting],
        "model": asdict(results.model) if results.model else None,
    }


def _hit_as_json(hit: Hit) -> dict[str, Any]:
    return {
        "asset_id": hit.asset_id,
        "path": hit.path,
        "kind": hit.kind.value,
        "score": round(hit.score, 4),
        "moments": [_moment_as_json(moment) for moment in hit.moments],
        "why": hit.why,
        "width_px": hit.width_px,
        "height_px": hit.height_px,
        "duration_s": hit.duration_s,
        "captured_local": hit.captured_local,
        "offline": hit.offline,
        "thumbhash": hit.thumbhash.hex() if hit.thumbhash else None,
    }


def _moment_as_json(moment: Moment) -> dict[str, Any]:
    return {
        "start_s": moment.start_s,
        "end_s": moment.end_s,
        "score": round(moment.score, 4),
        "channel": moment.channel.value,
        "at_s": moment.at_s,
    }


def _waiting_as_json(waiting: Waiting) -> dict[str, Any]:
    facts = {
        "channel": waiting.channel.value,
        "reason": waiting.reason,
        "command": waiting.command,
        "pending": waiting.pending,
    }
    return {name: value for name, value in facts.items() if value is not None}
