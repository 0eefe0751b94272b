"""What is said or written is found by what it means, at its second, with the real model."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from dam import store
from dam.config import Settings
from dam.contracts import Item, Kind, Setup, Span
from dam.findings import Box, Finding, TextBox, TranscriptLine
from dam.indexing.encoder import LoadedEncoder
from dam.indexing.plan import open_registry
from dam.indexing.worker import Worker
from dam.library.libraries import add_library
from dam.library.update import update_libraries
from dam.models import ModelStore
from dam.search import Channel, Query, SearchService
from dam.store import Lease
from dam.tables import File, ProducerRow, Run, RunState, TextField
from dam.transcripts import edit_line, read_transcript
from indexers.words import Words
from tests.rows import add_producer
from tests.search_world import World
from tests.sentences import ANSWERED, OTHERS, UNANSWERED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dam.db import Database
    from dam.search import Hit

STEP_S = 4  # from one line to the next; each lasts three seconds


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Words]:
    """The indexer over the model that comes with dam."""
    home = tmp_path_factory.mktemp("words")
    settings = Settings(home=home, built_in_model=True)
    indexer = Words(Setup(models=ModelStore(settings), cache=home / "cache"))
    with indexer:
        yield indexer


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path / "recordings")


@pytest.fixture
def service(database: Database, settings: Settings, words: Words) -> SearchService:
    return SearchService(database, settings, None, words=words.query_encoder)


def lines_of(texts: Sequence[str]) -> list[TranscriptLine]:
    return [
        TranscriptLine(_span(STEP_S * at, STEP_S * at + 3), text, "en", 0.9)
        for at, text in enumerate(texts)
    ]


def _span(start_s: float, end_s: float) -> Span:
    return Span(round(start_s * 1e6), round(end_s * 1e6))


def add(world: World, words: Words, name: str, found: Sequence[Finding]) -> str:
    """An asset with these lines, and what `words` makes of them."""
    kind = Kind.AUDIO if any(isinstance(one, TranscriptLine) for one in found) else Kind.PHOTO
    asset_id = world.add(name, kind=kind)
    source = "text" if kind is Kind.PHOTO else "speech"
    item = Item(asset_id, kind, upstream=lambda need: found if need == source else ())
    (outcome,) = words.index([item])
    assert outcome.error is None
    made = words.producer()
    with world.database.write() as session:
        lines = add_producer(session, f"lines of {name}")
        reader = session.scalar(
            select(ProducerRow).where(ProducerRow.fingerprint == made.fingerprint)
        )
        if reader is None:
            reader = ProducerRow(
                fingerprint=made.fingerprint, indexer="words", version=1, model=made.model
            )
            session.add(reader)
            session.flush()
        for producer, findings in ((lines, found), (reader, outcome.findings)):
            run = Run(
                asset_id=asset_id, revision=1, producer_id=producer.id, state=RunState.LEASED,
                fence=1,
            )  # fmt: skip
            session.add(run)
            session.flush()
            store.save(session, Lease(run.id, 1, asset_id, producer.id), findings)
    return asset_id


def hits(service: SearchService, text: str) -> list[Hit]:
    return service.search(Query(text)).results


def test_paraphrases_are_found_in_a_pool_of_sentences(
    world: World, service: SearchService, words: Words
) -> None:
    """The figures in docs/indexers/words.md: of each query, where its line comes among all."""
    lines = [*ANSWERED.values(), *OTHERS]
    assert len(ANSWERED) >= 30
    for number, text in enumerate(lines):
        add(world, words, f"{number:02}.wav", lines_of([text]))
    places = []
    for number, query in enumerate(ANSWERED):
        names = [hit.path.rsplit("/", 1)[-1] for hit in hits(service, query)]
        wanted = f"{number:02}.wav"
        places.append(names.index(wanted) if wanted in names else len(lines))
    first, few = (sum(place < top for place in places) / len(places) for top in (1, 5))
    answered = sum(bool(hits(service, query)) for query in UNANSWERED)
    assert first >= 0.6
    assert few >= 0.8
    assert answered <= 13  # of twenty, in eighty lines


def test_a_sentence_lands_on_the_second_of_the_line_that_means_it(
    world: World, service: SearchService, words: Words
) -> None:
    lines = ["The shop opens at nine on weekdays.", "How much does it cost, then?", *OTHERS[4:20]]
    wanted = add(world, words, "market.wav", lines_of(lines))
    add(world, words, "other.wav", lines_of(OTHERS[20:39]))
    hit = hits(service, "they talk about prices")[0]
    assert hit.asset_id == wanted
    best = hit.moments[0]
    assert (best.start_s, best.end_s, best.at_s) == (4, 7, 4)
    assert best.channel is Channel.SPEECH
    assert hit.why[0] == "says something like: “How much does it cost, then?” at 0:04"


def test_a_line_that_holds_the_words_and_means_them_is_one_moment(
    world: World, service: SearchService, words: Words
) -> None:
    add(world, words, "a.wav", lines_of(["The price of bread went up again.", *OTHERS[4:14]]))
    hit = hits(service, "price of bread")[0]
    assert [(one.start_s, one.end_s) for one in hit.moments] == [(0, 3)]
    assert hit.why == ["says “The price of bread went up again.” at 0:00"]
    assert hit.score == pytest.approx(hit.moments[0].score)


def test_what_can_be_read_in_a_photo_is_found_by_what_it_means(
    world: World, service: SearchService, words: Words
) -> None:
    sign = [TextBox(text, 0.9, Box(0.1, top, 0.5, 0.1)) for text, top in (
        ("Dogs must be kept", 0.1), ("on a lead", 0.3),
    )]  # fmt: skip
    wanted = add(world, words, "sign.jpg", sign)
    add(world, words, "other.wav", lines_of(OTHERS))
    hit = hits(service, "rules for pets")[0]
    assert hit.asset_id == wanted
    assert hit.moments[0].start_s is None
    assert hit.why == ["shows words like: “Dogs must be kept on a lead”"]


def test_a_missing_model_is_missed_only_where_there_are_lines(
    world: World, service: SearchService
) -> None:
    def waiting() -> list[tuple[Channel, str | None]]:
        return [(one.channel, one.command) for one in service.search(Query("prices")).waiting]

    photo = world.add("a.jpg")
    assert Channel.WORDS not in [channel for channel, _ in waiting()]
    with world.database.write() as session:
        store.replace_texts(session, photo, [(TextField.WRITING, "How much does it cost?")])
    assert (Channel.WORDS, "dam models pull e5-small") in waiting()


# From files ---------------------------------------------------------------------------------------


def index(database: Database, settings: Settings) -> None:
    Worker(database, settings, threading.Event()).run(until_idle=True)


def states(database: Database) -> dict[str, RunState]:
    with database.read() as session:
        rows = select(ProducerRow.indexer, Run.state).join(Run).where(ProducerRow.active)
        return {indexer: RunState(state) for indexer, state in session.execute(rows)}


def test_lines_that_come_later_or_that_a_person_mends_are_found_by_their_meaning(
    database: Database, settings: Settings, shared: Path, tmp_path: Path
) -> None:
    settings = settings.model_copy(update={"indexers": "speech,words", "built_in_model": True})
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / "digits.wav").write_bytes((shared / "media/speech/digits-05.wav").read_bytes())
    add_library(database, folder)
    update_libraries(database, settings)
    index(database, settings)
    assert states(database)["words"] is RunState.DONE  # nothing is there yet, and nothing failed

    settings = settings.model_copy(update={"models": shared / "models"})
    index(database, settings)
    assert set(states(database).values()) == {RunState.DONE}
    encoder = LoadedEncoder(open_registry(database, settings), "words")
    service = SearchService(database, settings, None, words=lambda: encoder)
    with database.read() as session:
        asset_id = session.scalars(select(File.asset_id)).one()
        assert asset_id is not None
        heard = read_transcript(session, asset_id).lines[0]
    (hit,) = hits(service, "somebody counts numbers aloud")
    assert f"says something like: “{heard.text}" in hit.why[0]

    start_us, end_us = round(heard.start_s * 1e6), round(heard.end_s * 1e6)
    with database.write() as session:
        edit_line(session, asset_id, start_us, end_us, "The ferry to the island was cancelled.")
    assert states(database)["words"] is RunState.PENDING
    index(database, settings)
    (hit,) = hits(service, "no boats are going across")
    assert hit.why[0].startswith("says something like: “The ferry to the island was cancelled.”")
    assert hit.moments[0].start_s == pytest.approx(heard.start_s)
    encoder.close()
