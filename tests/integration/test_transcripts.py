"""Lines that a person mended: over what is heard, in search and subtitles, for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pysubs2
import pytest

from dam import store
from dam.contracts import Kind, Span
from dam.findings import Finding, TranscriptLine, Word
from dam.search import Query, SearchService
from dam.store import Lease
from dam.subtitles import SubtitleFormat, subtitles
from dam.tables import Run, RunState, TextField
from dam.transcripts import SpokenLine
from tests.rows import add_producer
from tests.search_world import World

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.config import Settings
    from dam.db import Database


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path / "recordings")


@pytest.fixture
def asset_id(world: World) -> str:
    return world.add("a.wav", kind=Kind.AUDIO, duration_us=60_000_000)


def listen(world: World, asset_id: str, version: int, *lines: tuple[float, float, str]) -> None:
    """A run of the speech indexer with these lines."""
    found: list[Finding] = [
        TranscriptLine(
            Span(round(start * 1e6), round(end * 1e6)), text, "de", 0.5,
            (Word(Span(round(start * 1e6), round(end * 1e6)), text, 0.5),),
        )
        for start, end, text in lines
    ]  # fmt: skip
    with world.database.write() as session:
        producer = add_producer(session, "speech", version)
        run = Run(
            asset_id=asset_id, revision=1, producer_id=producer.id, state=RunState.LEASED, fence=1
        )
        session.add(run)
        session.flush()
        store.save(session, Lease(run.id, 1, asset_id, producer.id), found)


def edit(client: FlaskClient, asset_id: str, start: float, end: float, text: str | None) -> Any:
    body = {"start_s": start, "end_s": end, "text": text}
    answer = client.patch(f"/api/v1/assets/{asset_id}/transcript", json=body)
    assert answer.status_code == 200, answer.json
    return answer.json


def shown(transcript: Any) -> list[tuple[float, str, bool]]:
    return [(line["start_s"], line["text"], line["edited"]) for line in transcript["lines"]]


def read(client: FlaskClient, asset_id: str) -> Any:
    return client.get(f"/api/v1/assets/{asset_id}/transcript").json


def test_a_transcript_tells_lines_words_languages_and_how_far_it_is(
    world: World, client: FlaskClient, asset_id: str
) -> None:
    assert read(client, asset_id) == {"lines": [], "languages": [], "state": None}
    listen(world, asset_id, 1, (1.5, 3.25, "Guten Tag"))
    found = read(client, asset_id)
    assert (found["languages"], found["state"]) == (["de"], "done")
    [line] = found["lines"]
    assert (line["start_s"], line["end_s"], line["confidence"]) == (1.5, 3.25, 0.5)
    assert line["words"] == [
        {"start_s": 1.5, "end_s": 3.25, "text": "Guten Tag", "probability": 0.5}
    ]
    detail = client.get(f"/api/v1/assets/{asset_id}").json
    assert detail["transcript"] == {"lines": 1, "languages": ["de"]}
    assert client.get("/api/v1/assets/none/transcript").status_code == 404


def test_an_edited_line_outlives_listening_again(
    world: World, client: FlaskClient, asset_id: str
) -> None:
    listen(world, asset_id, 1, (1, 3, "Guten Tag"), (4, 6, "Herr Mayer"))
    assert shown(edit(client, asset_id, 4, 6, "Herr Meier")) == [
        (1, "Guten Tag", False), (4, "Herr Meier", True),
    ]  # fmt: skip
    listen(world, asset_id, 2, (1.1, 3, "Guten Tag!"), (4.3, 5.8, "Herr Maier"), (8, 9, "Ja"))
    expected = [(1.1, "Guten Tag!", False), (4, "Herr Meier", True), (8, "Ja", False)]
    assert shown(read(client, asset_id)) == expected


def test_an_edit_can_be_changed_and_taken_back(
    world: World, client: FlaskClient, asset_id: str
) -> None:
    listen(world, asset_id, 1, (4, 6, "Herr Mayer"))
    edit(client, asset_id, 4, 6, "Herr Meyer")
    assert shown(edit(client, asset_id, 4, 6, "  Herr \n Meier ")) == [(4, "Herr Meier", True)]
    assert shown(edit(client, asset_id, 4, 6, None)) == [(4, "Herr Mayer", False)]


def test_search_finds_what_a_person_wrote_and_not_what_it_replaced(
    world: World, client: FlaskClient, settings: Settings, asset_id: str
) -> None:
    def found(text: str) -> list[tuple[float | None, str]]:
        results = SearchService(world.database, settings, None).search(Query(text)).results
        return [(hit.moments[0].start_s, hit.why[0]) for hit in results]

    listen(world, asset_id, 1, (4, 6, "Herr Mayer"))
    edit(client, asset_id, 4, 6, "Herr Meier")
    listen(world, asset_id, 2, (4.3, 5.8, "Herr Mayer"), (8, 9, "Ja"))
    with world.database.write() as session:  # as reading the file again does
        store.replace_texts(session, asset_id, [(TextField.TITLE, "Gespräch")])
    assert found("Mayer") == []
    assert found("Meier") == [(4, "says “Herr Meier” at 0:04")]
    assert found('"ja"') == [(8, "says “Ja” at 0:08")]
    edit(client, asset_id, 4, 6, "")
    assert found("Meier") == []
    edit(client, asset_id, 4, 6, None)
    assert found("Mayer") == [(4.3, "says “Herr Mayer” at 0:04")]


@pytest.mark.parametrize(
    "body",
    [
        {"start_s": 5, "end_s": 5, "text": "x"},
        {"start_s": 61, "end_s": 62, "text": "x"},
        {"start_s": -1, "end_s": 2, "text": "x"},
        {"start_s": 1, "end_s": 2},
        {"start_s": 1, "end_s": 2, "text": "x" * 3000},
    ],
)
def test_what_is_no_line_is_refused(client: FlaskClient, asset_id: str, body: object) -> None:
    answer = client.patch(f"/api/v1/assets/{asset_id}/transcript", json=body)
    assert answer.status_code in (400, 422)
    assert read(client, asset_id)["lines"] == []


# Subtitles ----------------------------------------------------------------------------------


def test_players_get_webvtt_and_everything_else_subrip(
    world: World, client: FlaskClient, asset_id: str
) -> None:
    listen(world, asset_id, 1, (1, 3, "a < b & {c}"), (4, 6, "Lärm"), (8, 10, "Ende"))
    edit(client, asset_id, 4, 6, "")
    vtt = client.get(f"/api/v1/assets/{asset_id}/transcript.vtt")
    assert vtt.mimetype == "text/vtt"
    assert vtt.text.startswith("WEBVTT\n\n")
    assert "00:00:01.000 --> 00:00:03.000\na &lt; b &amp; (c)\n" in vtt.text
    assert "Lärm" not in vtt.text
    again = client.get(
        f"/api/v1/assets/{asset_id}/transcript.vtt", headers={"If-None-Match": vtt.headers["ETag"]}
    )
    assert again.status_code == 304
    srt = client.get(f"/api/v1/assets/{asset_id}/transcript.srt")
    assert srt.mimetype == "application/x-subrip"
    assert "00:00:08,000 --> 00:00:10,000\nEnde\n" in srt.text


def test_an_asset_without_speech_has_an_empty_track(client: FlaskClient, asset_id: str) -> None:
    assert client.get(f"/api/v1/assets/{asset_id}/transcript.vtt").text == "WEBVTT\n\n"


def line(start_s: float, end_s: float, text: str, english: str | None = None) -> SpokenLine:
    return SpokenLine(start_s, end_s, text, "de", english, 1.0, edited=False, words=[])


def cues(*lines: SpokenLine, in_english: bool = False) -> list[tuple[float, float, str]]:
    text = subtitles(lines, SubtitleFormat.SRT, in_english=in_english)
    file = pysubs2.SSAFile.from_string(text, format_="srt")
    return [(cue.start / 1000, cue.end / 1000, cue.plaintext) for cue in file]


def test_a_subtitle_stays_as_long_as_it_takes_to_read_where_there_is_room() -> None:
    hurried = "forty characters said within one second."
    found = cues(line(0, 1, hurried), line(1.5, 2, "ja"), line(9, 9.2, "nein"))
    assert found == [(0, 1.417, hurried), (1.5, 2.333, "ja"), (9, 9.833, "nein")]


def test_a_subtitle_has_two_rows_of_like_length() -> None:
    [(_, _, text)] = cues(line(0, 7, "She saw the lighthouse and said that it had been dark."))
    assert text.split("\n") == ["She saw the lighthouse and", "said that it had been dark."]
    longest = " ".join(["word"] * 16)  # 79 characters, as the longest lines are
    assert all(len(row) <= 42 for row in cues(line(0, 7, longest))[0][2].split("\n"))


def test_a_translation_is_shown_where_there_is_one() -> None:
    found = cues(line(0, 2, "Ja.", "Yes."), line(3, 5, "OK."), in_english=True)
    assert [text for _, _, text in found] == ["Yes.", "OK."]
