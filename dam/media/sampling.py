"""How much of a video is looked at."""

from __future__ import annotations

from dataclasses import dataclass

from dam.config import VideoTier


@dataclass(frozen=True, slots=True)
class Sampling:
    tier: VideoTier
    gap_s: float  # longest stretch without a decoded frame; longer ones are decoded whole
    sample_s: float  # shortest time between two frames that carry an image

    def as_message(self) -> dict[str, bool | int]:
        return {
            "every_frame": self.tier is VideoTier.QUALITY,
            "gap_us": round(self.gap_s * 1e6),
            "sample_us": round(self.sample_s * 1e6),
        }
