"""The spaces that a search can look into: what pictures show, what recordings sound like, and what
is said and written means.

Only descriptions. `dam.search.spaces` asks the encoder and the index of a space.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from dam.contracts import Kind
from dam.search.fuse import Background
from dam.search.neutral_sentences import NEUTRAL_SENTENCES
from dam.search.query import Channel
from dam.tables import Asset, TextField, TextRow

if TYPE_CHECKING:
    from sqlalchemy import Select


@dataclass(frozen=True, slots=True)
class Sense:
    """A space with what is said while it cannot answer."""

    indexer: str  # whose vectors these are
    channel: Channel
    command: str  # that brings a model
    not_set_up: str
    not_yet: str  # no asset has a vector
    by_another: str  # they have, of a model that is not the one set up now
    without: str  # one asset has none, from which a search should start; `{}` is its id
    # Finds something where there is something that the indexer could work on. A library without it
    # misses no model; None: every library has something.
    wanted_for: Select[Any] | None = None
    # What is expected of cosines that have nothing to do with a query, and after how many vectors
    # that is worth no more than what is found. None: pictures are many, and soon.
    expected: Background | None = None
    expected_worth: int = 0
    # Or, where that depends on the model: texts that nobody asks for, whose cosines are expected.
    neutral: tuple[str, ...] = ()
    least: float = 0.0  # confidence of what counts as found


VISUAL = Sense(
    indexer="visual",
    channel=Channel.VISUAL,
    command="dam models pull fast",
    not_set_up="No visual model is set up; run: dam models pull fast",
    not_yet="Nothing has been looked at by this model yet.",
    by_another="The pictures were looked at by another model than the one that is set up now.",
    without="The asset {} has not been looked at by a visual model yet.",
)
SOUND = Sense(
    indexer="sound_space",
    channel=Channel.SOUND,
    command="dam models pull clap",
    not_set_up="No model of sounds and words is set up; run: dam models pull clap",
    not_yet="Nothing has been listened to by this model yet.",
    by_another="The sound was listened to by another model than the one that is set up now.",
    without="The asset {} has not been listened to by a model of sounds and words yet.",
    wanted_for=select(Asset.id).where(Asset.kind == Kind.AUDIO),  # not every video has sound
    # Recordings are few, and one that is all alike would be no match for anything: it would be its
    # own background. On ESC-10, CLAP's sentences and other sounds are at .06 ± .12.
    expected=Background(mean=0.08, deviation=0.12),
    expected_worth=8,
)
WORDS = Sense(
    indexer="words",
    channel=Channel.WORDS,
    command="dam models pull e5-small",
    not_set_up="No model of sentences is set up; run: dam models pull e5-small",
    not_yet="Nothing that is said or written has been read by this model yet.",
    by_another="What is said and written was read by another model than the one set up now.",
    without="Nothing that is said or written in the asset {} has been read by a model yet.",
    wanted_for=select(TextRow.id).where(TextRow.field.in_([TextField.SPEECH, TextField.WRITING])),
    neutral=NEUTRAL_SENTENCES,
    expected_worth=len(NEUTRAL_SENTENCES),
    # One line in a hundred that has nothing to do with a query is above it, six of seven that
    # answer it in other words are (docs/indexers/words.md).
    least=0.5,
)
