"""What indexers and the rest of dam promise each other.

Owns the words that cross that border: media items, producers, model files, and (from
`dam.decoded` and `dam.findings`) decoded media and findings. A plug-in depends on these, on
`dam.errors` and on `dam.media` alone. An indexer knows no database, no settings and no web;
whatever it needs to know comes in `Setup`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol, Self, runtime_checkable

from dam.decoded import VOICE_HZ, WIDE_HZ, Frame, Pixels, Samples, Sound
from dam.findings import Finding, Shot, Span, Tag, Unit, Vector

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dam.errors import DamError

__all__ = [
    "VOICE_HZ",
    "WIDE_HZ",
    "Finding",
    "Frame",
    "Indexer",
    "Item",
    "Kind",
    "ModelFiles",
    "ModelSource",
    "Outcome",
    "Pixels",
    "Producer",
    "QueryEncoder",
    "Queryable",
    "Reads",
    "Samples",
    "Setup",
    "Shot",
    "Sound",
    "Span",
    "Tag",
    "Unit",
    "Vector",
]


class Kind(StrEnum):
    PHOTO = "photo"
    VIDEO = "video"
    AUDIO = "audio"


class Reads(StrEnum):
    """The decoded media an indexer wants; one that wants none works on upstream findings."""

    IMAGE = "image"  # `Item.image` of photos
    FRAMES = "frames"  # `Item.frames` of videos
    SOUND = "sound"  # `Item.sound` of videos and recordings


# Producers and models -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Weights that are on this machine, as the manifest describes them."""

    name: str
    path: Path  # a directory
    digest: str  # sha256 over the weight files, hex
    licence: str
    size_bytes: int
    calibration: Mapping[str, float] = field(default_factory=dict)  # measured; none by default


class ModelSource(Protocol):
    def find(self, name: str, *, indexer: str = "visual") -> ModelFiles:
        """A model of that indexer. Raises `WeightsUnavailable` with the command that mends it.
        Never downloads."""


@dataclass(frozen=True, slots=True)
class Producer:
    """What made a finding. Two producers with one fingerprint give the same findings."""

    indexer: str
    version: int
    model: str | None = None
    weights: str | None = None
    parameters: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        facts = [self.indexer, self.version, self.model, self.weights, dict(self.parameters)]
        text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class QueryEncoder(Protocol):
    """Puts a person's query into the space of an indexer's vectors."""

    @property
    def space(self) -> str:
        """The fingerprint of the producer whose vectors share this space."""

    def encode_text(self, texts: Sequence[str]) -> Unit:
        """(n, dim) float32, unit rows."""

    def encode_image(self, images: Sequence[Pixels]) -> Unit:
        """(n, dim) float32, unit rows."""


@runtime_checkable
class Queryable(Protocol):
    """An indexer whose vectors can be searched by a person's query."""

    def query_encoder(self) -> QueryEncoder:
        """Usable while the indexer is entered."""


@runtime_checkable
class Incomplete(Protocol):
    """An indexer that works, and may lack something for a part of it."""

    def lacks(self, kinds: Collection[Kind]) -> str | None:
        """What is missing for these, what comes of it and the command that mends it; or None."""


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything an indexer may know about the machine and the person's wishes."""

    models: ModelSource
    cache: Path  # a folder of its own; may be emptied at any time
    options: Mapping[str, str] = field(default_factory=dict)  # e.g. {"model": "fast"}
    threads: int = 1
    producer_of: Callable[[str], Producer] | None = None  # of an indexer named in `needs`
    encoder_of: Callable[[str], QueryEncoder] | None = None  # likewise, weights loaded


# Work ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Item:
    """One asset for one indexer, with only what that indexer reads and needs."""

    asset_id: str
    kind: Kind
    duration_us: int | None = None
    image: Pixels | None = None  # photos: the preview, long side ≤ 1600 px
    frames: Iterable[Frame] = ()  # videos: one pass in time order, iterable once
    # One pass in time order, iterable once; nothing when a video is silent. Who reads both reads
    # the frames first: the sound is decoded after them.
    sound: Iterable[Sound] = ()
    # Findings of an indexer named in `needs`. Blocks until that indexer is through with this
    # asset (it may run beside this one on the same frames); raises `UpstreamFailed`, and of that
    # `UpstreamAbsent` where it does not work on this asset at all.
    upstream: Callable[[str], Sequence[Finding]] = lambda _name: ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an indexer says about one item: findings, or the reason why there are none."""

    findings: Sequence[Finding] = ()
    error: DamError | None = None


@runtime_checkable
class Indexer(Protocol):
    """Reads media, returns findings. Constructed with a `Setup`; construction is cheap."""

    name: ClassVar[str]
    version: ClassVar[int]  # bump when the output changes
    accepts: ClassVar[frozenset[Kind]]
    reads: ClassVar[frozenset[Reads]]
    needs: ClassVar[tuple[str, ...]]
    produces: ClassVar[frozenset[type]]
    batch_size: ClassVar[int]  # photos in one model call

    def __init__(self, setup: Setup) -> None: ...

    def producer(self) -> Producer:
        """Loads no weights. Raises `WeightsUnavailable` when they are absent."""

    def __enter__(self) -> Self:
        """Loads the weights."""

    def __exit__(self, *_error: object) -> None: ...

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        """One outcome per item, in order. Items may arrive lazily; batch across them."""
