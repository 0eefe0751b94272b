"""What is heard beside what is seen: two spaces and the names of sounds in one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dam.contracts import Kind
from dam.errors import NotFound, WeightsUnavailable
from dam.search import Channel, Filters, Query, SearchService
from dam.search.heard import answers
from tests.search_world import SOUND_SPACE, WordEncoder, World

if TYPE_CHECKING:
    from pathlib import Path

    from dam.config import Settings
    from dam.contracts import QueryEncoder
    from dam.db import Database

OTHERS = ("rain", "traffic", "wind", "piano", "crowd", "engine", "church bell", "river")


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


@pytest.fixture
def ear() -> WordEncoder:
    return WordEncoder(space=SOUND_SPACE.fingerprint)


@pytest.fixture
def service(database: Database, settings: Settings, ear: WordEncoder) -> SearchService:
    return SearchService(database, settings, WordEncoder, sound=lambda: ear)


def add_others(world: World) -> None:
    for seed, word in enumerate(OTHERS):
        sounds = [(0, 5, word), (5, 10, f"{word} far")]
        world.add(f"{word}.wav", kind=Kind.AUDIO, sounds=sounds, seed=100 * seed)
        world.add(f"{word}.jpg", f"{word} picture", seed=seed)


@pytest.mark.parametrize(
    ("label", "query", "least", "most"),
    [
        ("Dog", "dog", 1.0, 1.0),
        ("Dog", "dog barking", 0.7, 0.71),
        ("Waves, surf", "sea waves", 0.7, 0.71),
        ("Baby cry, infant cry", "crying baby", 1.0, 1.0),
        ("Sneeze", "sneezing", 1.0, 1.0),
        ("Chicken, rooster", "rooster crowing", 0.7, 0.71),
        ("Tick-tock", "clock ticking", 0.1, 0.2),
        ("Rain", "train", 0.0, 0.0),
        ("Sing", "rings", 0.0, 0.0),
    ],
)
def test_a_label_answers_the_words_that_name_it(
    label: str, query: str, least: float, most: float
) -> None:
    assert least <= answers(label, query.split()) <= most


def test_a_recording_is_found_by_its_sound_at_its_time(
    world: World, service: SearchService
) -> None:
    add_others(world)
    wanted = world.add(
        "field.wav",
        kind=Kind.AUDIO,
        sounds=[(0, 5, "wind"), (12, 17, "dog barking")],
        events=[(12, 14, "Dog", 0.8), (0, 5, "Wind", 0.9)],
    )
    hit = service.search(Query("dog barking")).results[0]
    assert hit.asset_id == wanted
    assert (hit.moments[0].start_s, hit.moments[0].end_s, hit.moments[0].at_s) == (12, 17, 12)
    assert hit.moments[0].channel is Channel.SOUND
    assert hit.why[0].startswith("sounds like “dog barking” at 0:12")
    assert "“Dog” is heard at 0:12" in hit.why


def test_what_is_seen_and_heard_comes_before_what_is_only_one_of_both(
    world: World, service: SearchService
) -> None:
    add_others(world)
    seen = world.add(
        "1.mp4", kind=Kind.VIDEO, frames=[(0, 4, "dog beach")], sounds=[(0, 4, "wind")]
    )
    heard = world.add("2.wav", kind=Kind.AUDIO, sounds=[(0, 4, "dog beach")])
    both = world.add(
        "3.mp4", kind=Kind.VIDEO, frames=[(0, 4, "dog beach")], sounds=[(6, 9, "dog beach")]
    )
    hits = service.search(Query("dog beach")).results
    assert hits[0].asset_id == both
    assert {hit.asset_id for hit in hits[1:3]} == {seen, heard}
    assert {moment.channel for moment in hits[0].moments} == {Channel.VISUAL, Channel.SOUND}


def test_one_recording_alone_is_no_answer_to_everything(
    world: World, service: SearchService
) -> None:
    world.add("rain.wav", kind=Kind.AUDIO, sounds=[(0, 5, "rain")])
    assert service.search(Query("rain")).results[0].score > 0.5
    other = service.search(Query("saxophone")).results
    assert all(hit.score < 0.1 for hit in other)


def test_photos_are_searched_without_asking_for_sounds(
    world: World, service: SearchService, ear: WordEncoder
) -> None:
    photo = world.add("1.jpg", "dog")
    assert service.search(Query("dog")).results[0].asset_id == photo  # nothing is listened to yet
    world.add("1.wav", kind=Kind.AUDIO, sounds=[(0, 5, "dog")])
    service.search(Query("dog", Filters(kinds=frozenset({Kind.PHOTO}))))
    assert ear.asked == []
    assert len(service.search(Query("dog")).results) == 2
    assert ear.asked == ["dog"]


def test_a_missing_sound_model_is_told_where_there_are_recordings_and_changes_nothing_else(
    world: World, database: Database, settings: Settings
) -> None:
    def no_model() -> QueryEncoder:
        raise WeightsUnavailable("There is none. Run: dam models pull clap")

    photo = world.add("1.jpg", "dog")
    service = SearchService(database, settings, WordEncoder, sound=no_model)
    assert service.search(Query("dog")).waiting == []
    named = world.add("2.wav", kind=Kind.AUDIO, events=[(3, 5, "Dog", 0.9)])
    results = service.search(Query("dog"))
    assert {hit.asset_id for hit in results.results} == {photo, named}
    assert [(one.channel, one.command) for one in results.waiting] == [
        (Channel.SOUND, "dam models pull clap")
    ]


def test_what_sounds_like_a_video_is_found_by_its_sound_or_by_a_second_of_it(
    world: World, service: SearchService
) -> None:
    add_others(world)
    clip = world.add(
        "1.mp4",
        kind=Kind.VIDEO,
        frames=[(0, 4, "beach")],
        sounds=[(0, 5, "dog"), (20, 25, "saxophone")],
    )
    dog = world.add("dog.wav", kind=Kind.AUDIO, sounds=[(0, 5, "dog")])
    jazz = world.add("jazz.mp4", kind=Kind.VIDEO, sounds=[(3, 8, "saxophone")])
    beach = world.add("beach.jpg", "beach")
    seen = service.search(Query(like_asset=clip)).results
    heard = service.search(Query(like_asset=clip, like_sound=True)).results
    then = service.search(Query(like_asset=clip, like_at_s=21, like_sound=True)).results
    assert seen[0].asset_id == beach
    assert {hit.asset_id for hit in heard[:2]} == {dog, jazz}
    assert then[0].asset_id == jazz
    assert then[0].why[0].startswith("sounds like the chosen sound at 0:21 at 0:03")
    with pytest.raises(NotFound, match="has not been listened to"):
        service.search(Query(like_asset=beach, like_sound=True))


def test_similar_to_a_recording_is_what_sounds_like_it(
    world: World, service: SearchService, ear: WordEncoder
) -> None:
    add_others(world)
    first = world.add("a.wav", kind=Kind.AUDIO, sounds=[(0, 5, "dog"), (8, 13, "church bell")])
    alike = world.add("b.wav", kind=Kind.AUDIO, sounds=[(20, 25, "dog")])
    world.add("c.jpg", "dog")
    hits = service.search(Query(like_asset=first, like_at_s=2)).results
    assert hits[0].asset_id == alike
    assert hits[0].moments[0].at_s == 20
    assert hits[0].why[0].startswith("sounds like the chosen sound at 0:02")
    assert first not in [hit.asset_id for hit in hits]
    assert ear.asked == []
    deaf = world.add("d.wav", kind=Kind.AUDIO)
    with pytest.raises(NotFound, match="not been listened to"):
        service.search(Query(like_asset=deaf))
