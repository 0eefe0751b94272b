"""What a query asks of each space, and what is waiting where a space cannot be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from dam.contracts import Kind
from dam.errors import DamError, NotFound
from dam.search.pictures import decoded
from dam.search.unanswered import missing_model, model_of, not_looked_at, unanswered
from dam.tables import Asset

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from dam.contracts import Unit
    from dam.search.parse import Parsed
    from dam.search.pictures import KeptPictures
    from dam.search.query import PictureModel, Query, Waiting
    from dam.search.spaces import SpaceChannel

Vectors = tuple["Unit", str]  # (n, dim) and the fingerprint of their space


class Spaces(NamedTuple):
    """All that a search can look into."""

    visual: SpaceChannel  # what is shown
    sound: SpaceChannel  # what is heard
    words: SpaceChannel  # what is said and written, by what it means


@dataclass(slots=True)
class Asking:
    """One query in one snapshot of the database."""

    session: Session
    spaces: Spaces
    pictures: KeptPictures
    query: Query
    parsed: Parsed
    is_like_sound: bool = field(init=False)  # it asks for what sounds like an asset
    waiting: list[Waiting] = field(default_factory=list)
    model: PictureModel | None = None  # of what is shown

    def __post_init__(self) -> None:
        asset_id, by_sound = self.query.like_asset, self.query.like_sound
        self.is_like_sound = asset_id is not None and (by_sound or self._is_recording(asset_id))

    @property
    def is_by_words(self) -> bool:
        return not self.query.is_like and not self.parsed.is_only_period

    @property
    def may_be_heard(self) -> bool:
        wanted = [one.kinds for one in (self.parsed.filters, self.query.filters) if one.kinds]
        return all(kinds & {Kind.AUDIO, Kind.VIDEO} for kinds in wanted)

    def queries(self) -> dict[SpaceChannel, Vectors]:
        """What is asked of each space that can be asked; the others are in `waiting` by then.

        Raises `NotFound` for an unknown `like_asset` or `like_picture`.
        """
        asked = {channel: vectors for channel in self.spaces if (vectors := self._of(channel))}
        for channel, (_, fingerprint) in asked.items():
            self.waiting += not_looked_at(self.session, fingerprint, channel.sense)
        if self.spaces.visual in asked:
            self.model = model_of(self.session, asked[self.spaces.visual][1])
        return asked

    def _of(self, channel: SpaceChannel) -> Vectors | None:
        try:
            if channel is self.spaces.visual:
                return self._shown()
            if channel is self.spaces.sound:
                return self._heard()
            return self._worded(channel)
        except NotFound:
            raise
        except DamError as error:
            self.waiting.append(unanswered(error, channel.sense))
            return None

    def _shown(self) -> Vectors | None:
        query, visual = self.query, self.spaces.visual.queries
        if self.is_like_sound:
            return None
        if query.like_asset is not None:
            return visual.of_asset(self.session, query.like_asset, query.like_at_s)
        if query.like_picture is not None:
            load = partial(decoded, self.pictures.read(query.like_picture))
            return visual.of_kept(self.session, query.like_picture, load)
        if query.like is not None:
            return visual.of_image(self.session, query.like)
        return visual.of_text(self.session, self.parsed.sentence) if self.is_by_words else None

    def _heard(self) -> Vectors | None:
        query, sound = self.query, self.spaces.sound
        if self.is_like_sound and query.like_asset is not None:
            return sound.queries.of_asset(self.session, query.like_asset, query.like_at_s)
        return self._worded(sound) if self.may_be_heard else None

    def _worded(self, channel: SpaceChannel) -> Vectors | None:
        """No encoder is asked for as long as there is nothing to compare its answer with: loading
        it takes longer than everything else in a library of photos."""
        if not self.is_by_words or not channel.queries.has_encoder:
            return None
        if not channel.has_vectors(self.session):
            self.waiting += missing_model(self.session, channel.settings, channel.sense)
            return None
        return channel.queries.of_text(self.session, self.parsed.sentence)

    def _is_recording(self, asset_id: str) -> bool:
        return self.session.scalar(select(Asset.kind).where(Asset.id == asset_id)) == Kind.AUDIO
