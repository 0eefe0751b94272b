"""Tags of music: of what is music alone, for what holds in most of it, and nothing for nothing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dam.config import Settings
from dam.contracts import Item, Kind, Producer, Setup, Span, Tag, Vector
from dam.errors import UpstreamFailed
from dam.findings import Music
from dam.models import ModelStore
from indexers.music_tags import MusicTags
from indexers.vocabulary import load_vocabularies, music_vocabularies

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dam.contracts import Finding, Pixels, Unit

DIM = 256
HEARD = Music(120.0, "A minor", 0.9)


def place(text: str) -> Unit:
    """(DIM,) where a text lies: apart from all others."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")
    vector = np.random.default_rng(seed).normal(size=DIM)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class Space:
    """A space of sound in which every text has a place of its own."""

    space = "a space"

    def __init__(self) -> None:
        self.asked = 0

    def encode_text(self, texts: Sequence[str]) -> Unit:
        self.asked += len(texts)
        return np.stack([place(text) for text in texts])

    def encode_image(self, images: Sequence[Pixels]) -> Unit:
        raise NotImplementedError


def producers(version: int = 1) -> dict[str, Producer]:
    return {
        "music": Producer("music", 1),
        "sound_space": Producer("sound_space", version, model="clap", weights="w"),
    }


@pytest.fixture
def space() -> Space:
    return Space()


@pytest.fixture
def setup(tmp_path: Path, space: Space) -> Setup:
    return Setup(
        models=ModelStore(Settings(home=tmp_path)),
        cache=tmp_path / "cache",
        producer_of=producers().__getitem__,
        encoder_of=lambda _name: space,
    )


def window(n: int, *texts: str) -> Vector:
    """Five seconds that sound like all of these."""
    mixed = np.sum([place(text) for text in texts], axis=0)
    values = (mixed / np.linalg.norm(mixed)).astype(np.float32)
    return Vector(values, n * 5_000_000, Span(n * 5_000_000, (n + 1) * 5_000_000))


def tags(setup: Setup, heard: Sequence[Finding], windows: Sequence[Finding]) -> list[Tag]:
    found = {"music": heard, "sound_space": windows}
    item = Item("piece", Kind.AUDIO, 60_000_000, upstream=found.__getitem__)
    with MusicTags(setup) as indexer:
        (outcome,) = indexer.index([item])
    assert outcome.error is None
    return [each for each in outcome.findings if isinstance(each, Tag)]


JAZZ = ("jazz music", "a jazz trio with double bass")  # all that is asked for it
PIANO, BANJO = "the sound of a piano", "the sound of a banjo"


def test_genre_and_instrument_are_told_with_their_vocabulary(setup: Setup) -> None:
    told = tags(setup, [HEARD], [window(n, *JAZZ, PIANO) for n in range(4)])
    assert {(tag.vocabulary, tag.word) for tag in told} == {
        ("genre", "jazz"),
        ("instrument", "piano"),
    }
    assert all(0.4 <= tag.score <= 1 for tag in told)


def test_what_is_heard_in_one_window_of_many_is_not_told(setup: Setup) -> None:
    windows = [window(n, *JAZZ, PIANO if n else BANJO) for n in range(6)]
    assert {tag.word for tag in tags(setup, [HEARD], windows)} == {"jazz", "piano"}


def test_a_tag_leads_to_the_window_that_has_most_of_it(setup: Setup) -> None:
    windows = [window(0, *JAZZ, PIANO), window(1, PIANO), window(2, *JAZZ, PIANO)]
    (piano,) = (tag for tag in tags(setup, [HEARD], windows) if tag.word == "piano")
    assert piano.span == Span(5_000_000, 10_000_000)


def test_what_is_no_music_or_like_nothing_has_no_tags(setup: Setup, space: Space) -> None:
    assert tags(setup, [], [window(0, *JAZZ, PIANO)]) == []
    assert space.asked == 0  # a library without music never loads the network for words
    assert tags(setup, [HEARD], []) == []
    assert tags(setup, [HEARD], [window(0, "a text that no vocabulary has")]) == []


def test_words_are_asked_once_for_all_files(setup: Setup, space: Space) -> None:
    tags(setup, [HEARD], [window(0, *JAZZ)])
    asked = space.asked
    assert asked > 60
    tags(setup, [HEARD], [window(0, PIANO)])
    assert space.asked == asked


def test_another_network_of_sound_is_another_producer(setup: Setup, tmp_path: Path) -> None:
    first = MusicTags(setup).producer()
    assert (first.model, first.weights) == ("clap", "w")
    other = Setup(models=setup.models, cache=tmp_path, producer_of=producers(version=2).__getitem__)
    assert MusicTags(other).producer().fingerprint != first.fingerprint
    with pytest.raises(UpstreamFailed):
        MusicTags(Setup(models=setup.models, cache=tmp_path)).producer()


def test_the_words_are_no_words_for_pictures() -> None:
    words = {each.name for each in music_vocabularies()}
    assert words == {"genre", "mood of music", "instrument"}
    assert not words & {each.name for each in load_vocabularies("")}
