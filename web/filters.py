"""The filters that lists and searches share, as query parameters."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dam.search.dates import period_of
from dam.search.measured import traits_of
from dam.search.parse import filters_of
from dam.search.query import Filters
from web.shapes import Request

Word = Annotated[str, Field(min_length=1, max_length=200)]
Folder = Annotated[str, Field(min_length=1, max_length=4096)]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Loudness = Annotated[float, Field(ge=-100, le=20, allow_inf_nan=False)]
Stars = Annotated[int, Field(ge=-1, le=5)]


class FilterQuery(Request):
    kind: Word | None = Field(None, description="photo, video or audio; several with commas.")
    library: Word | None = Field(None, description="A library's id or name.")
    folder: Folder | None = Field(None, description="A folder, with everything below it.")
    since: Word | None = Field(None, description="Captured in this year, month or day, or later.")
    until: Word | None = Field(None, description="Captured in this year, month or day, or before.")
    rating: Stars | None = Field(None, description="At least so many stars.")
    tag: Word | None = None
    place: Word | None = Field(None, description="Part of the name of a place.")
    camera: Word | None = Field(None, description="Part of its make and model.")
    min_duration_s: Seconds | None = None
    max_duration_s: Seconds | None = None
    quality: Word | None = Field(
        None,
        description="sharp, blurred, overexposed, underexposed, clipping, dropouts, silence, "
        "black, frozen, flash or faults; all of several with commas.",
    )
    min_loudness_lufs: Loudness | None = None
    max_loudness_lufs: Loudness | None = None

    @property
    def filters(self) -> Filters:
        """Raises `BadRequest` for a kind, a date or a quality that is none."""
        return Filters(
            kinds=filters_of([("kind", self.kind)]).kinds if self.kind else frozenset(),
            libraries=(self.library,) if self.library else (),
            folders=(self.folder,) if self.folder else (),
            tags=(self.tag,) if self.tag else (),
            places=(self.place,) if self.place else (),
            cameras=(self.camera,) if self.camera else (),
            taken_from=period_of(self.since).start if self.since else None,
            taken_before=period_of(self.until).end if self.until else None,
            min_rating=self.rating,
            min_duration_s=self.min_duration_s,
            max_duration_s=self.max_duration_s,
            quality=traits_of(self.quality) if self.quality else (),
            min_loudness_lufs=self.min_loudness_lufs,
            max_loudness_lufs=self.max_loudness_lufs,
        )
