"""What is said is found at its second, and a long transcript does not match everything."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from dam import store
from dam.contracts import Kind, Span
from dam.findings import Finding, TranscriptLine
from dam.search import Query, SearchService
from dam.store import Lease
from dam.tables import Run, RunState
from tests.rows import add_producer
from tests.search_world import WordEncoder, World

if TYPE_CHECKING:
    from pathlib import Path

    from dam.config import Settings
    from dam.db import Database
    from dam.search.query import Hit


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path / "recordings")


@pytest.fixture
def service(database: Database, settings: Settings) -> SearchService:
    return SearchService(database, settings, lambda: WordEncoder(), today=lambda: date(2025, 3, 10))


def say(world: World, asset_id: str, lines: dict[float, str]) -> None:
    """Each line lasts two seconds."""
    found: list[Finding] = [
        TranscriptLine(Span(round(at * 1e6), round((at + 2) * 1e6)), text, "en", 0.9)
        for at, text in lines.items()
    ]
    with world.database.write() as session:
        producer = add_producer(session, f"speech of {asset_id}")
        run = Run(
            asset_id=asset_id, revision=1, producer_id=producer.id, state=RunState.LEASED, fence=1
        )
        session.add(run)
        session.flush()
        store.save(session, Lease(run.id, 1, asset_id, producer.id), found)


def recording(world: World, name: str, lines: dict[float, str]) -> str:
    asset_id = world.add(name, kind=Kind.AUDIO, duration_us=3_600_000_000)
    say(world, asset_id, lines)
    return asset_id


def hits(service: SearchService, text: str) -> list[Hit]:
    return service.search(Query(text)).results


def spans(hit: Hit) -> list[tuple[float | None, float | None, str]]:
    return [(moment.start_s, moment.end_s, moment.channel) for moment in hit.moments]


def test_what_is_said_is_found_at_its_second_and_the_reason_quotes_it(
    world: World, service: SearchService
) -> None:
    wanted = recording(
        world, "a.wav", {2: "Good morning.", 12.5: "The lighthouse was dark.", 60: "Good night."}
    )
    recording(world, "b.wav", {2: "Nothing of the kind."})
    [hit] = hits(service, "lighthouse")
    assert hit.asset_id == wanted
    assert spans(hit) == [(12.5, 14.5, "speech")]
    assert hit.moments[0].at_s == 12.5
    assert hit.why[0] == "says “The lighthouse was dark.” at 0:12"
    assert hit.score > 0.8


def test_a_quoted_phrase_must_be_said_in_these_words(world: World, service: SearchService) -> None:
    wanted = recording(world, "a.wav", {0: "six zero zero", 5: "zero zero six", 9: "six"})
    recording(world, "b.wav", {0: "zero six zero"})
    [hit] = hits(service, '"zero zero six"')
    assert hit.asset_id == wanted
    assert spans(hit)[0] == (5, 7, "speech")


def test_words_of_one_line_count_more_than_words_all_over_a_transcript(
    world: World, service: SearchService
) -> None:
    scattered = {float(at): text for at, text in enumerate(
        ["the storm", "x", "x", "a harbour", "x", "x", "of old", "x", "x", "the captain"] * 5
    )}  # fmt: skip
    everywhere = recording(world, "long.wav", {10 * at: text for at, text in scattered.items()})
    wanted = recording(world, "short.wav", {30: "The old captain left the harbour in the storm."})
    first, second = hits(service, "old captain harbour storm")
    assert (first.asset_id, second.asset_id) == (wanted, everywhere)
    assert second.score < first.score / 4


def test_lines_that_follow_each_other_are_one_moment_when_each_says_more(
    world: World, service: SearchService
) -> None:
    recording(world, "a.wav", {0: "captain", 2: "the harbour", 4: "harbour", 90: "captain"})
    [hit] = hits(service, "captain harbour")
    assert spans(hit)[0] == (0, 4, "speech")


def test_a_video_answers_with_what_it_shows_and_with_what_is_said(
    world: World, service: SearchService
) -> None:
    for number in range(30):
        world.add(f"filler/{number}.jpg", "chair river cup"[number % 3 * 5 :], seed=number)
    video = world.add(
        "a.mp4", kind=Kind.VIDEO, frames=[(0, 5, "train"), (5, 9, "lighthouse")],
        duration_us=100_000_000,
    )  # fmt: skip
    say(world, video, {40: "and there stood the lighthouse"})
    hit = hits(service, "lighthouse")[0]
    assert hit.asset_id == video
    assert {(5, 9, "visual"), (40, 42, "speech")} <= set(spans(hit))


def test_long_lines_are_quoted_around_the_words_that_were_asked_for(
    world: World, service: SearchService
) -> None:
    line = "and so it went on and on, " * 6 + "until the lighthouse appeared before our bow"
    recording(world, "a.wav", {0: line})
    [hit] = hits(service, "lighthouse")
    assert hit.why[0].startswith("says “…")
    assert "lighthouse appeared" in hit.why[0]
    assert len(hit.why[0]) < 110
