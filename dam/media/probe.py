"""What a file is before anything of it is decoded for looking at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dam.contracts import Kind

if TYPE_CHECKING:
    from typing import Self


@dataclass(frozen=True, slots=True)
class Probe:
    kind: Kind
    format: str  # short name of the container or picture format: jpeg, heif, mp4, matroska, wav
    codec: str | None = None
    width_px: int | None = None  # upright, in square pixels
    height_px: int | None = None
    duration_us: int | None = None
    frame_rate: str | None = None  # rational, e.g. "30000/1001"
    has_audio: bool = False
    orientation: int = 1  # EXIF 1 to 8; of a video the one its rotation flag amounts to
    details: dict[str, Any] = field(default_factory=dict)  # whatever else is worth showing

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Self:
        """From the message of a decoder process."""
        return cls(**{**facts, "kind": Kind(facts["kind"])})
