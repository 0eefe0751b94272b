"""Searching a database as ingest and indexers leave it, through the service that all use."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from dam.contracts import Kind
from dam.errors import BadRequest, DamError, NotFound, RetryLater, WeightsUnavailable
from dam.search import Filters, Query, SearchService, pictures, results_as_json
from dam.tables import (
    Asset,
    File,
    FileState,
    Library,
    LibraryState,
    ProducerRow,
    Run,
    TagDecision,
    Verdict,
)
from tests.search_world import DIM, VISUAL, WORDS, WordEncoder, World

if TYPE_CHECKING:
    from dam.config import Settings
    from dam.contracts import QueryEncoder
    from dam.db import Database
    from dam.search import Results

TODAY = date(2025, 3, 10)
FILLER = ("chair", "river", "cup", "train", "tower", "bread", "horse", "lamp", "boat", "piano")


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path / "photos")


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture
def service(database: Database, settings: Settings, encoder: WordEncoder) -> SearchService:
    return SearchService(database, settings, lambda: encoder, today=lambda: TODAY)


def fill(world: World) -> None:
    """Pictures that nobody asks for, so that a likeness can stand out."""
    for number, word in enumerate(FILLER * 3):
        world.add(f"filler/{number:03}.jpg", word, seed=number)


def found(service: SearchService, text: str = "", **given: Any) -> list[str]:
    return [hit.asset_id for hit in service.search(Query(text, **given)).results]


def first(service: SearchService, text: str) -> Any:
    return service.search(Query(text)).results[0]


# What it shows ------------------------------------------------------------------------------


def test_sentence_finds_the_picture_that_shows_it(world: World, service: SearchService) -> None:
    fill(world)
    wanted = world.add("a.jpg", "woman beach sunset")
    hit = first(service, "a woman on the beach at sunset")
    assert hit.asset_id == wanted
    assert 0.8 < hit.score <= 0.95
    assert hit.why == ["looks like “a woman on the beach at sunset” (strong match)"]
    assert hit.path == str(world.root / "a.jpg")


def test_query_that_nothing_shows_gets_low_scores(world: World, service: SearchService) -> None:
    fill(world)
    assert all(hit.score < 0.5 for hit in service.search(Query("quantum submarine")).results)


def test_video_answers_with_its_moments(world: World, service: SearchService) -> None:
    fill(world)
    wanted = world.add(
        "clip.mp4",
        kind=Kind.VIDEO,
        duration_us=40_000_000,
        frames=[(0, 4, "car"), (4, 8, "dog"), (8, 12, "dog"), (12, 16, "tree"), (30, 34, "dog")],
        shots=[(0, 4), (4, 12), (12, 30), (30, 40)],
    )
    hit = first(service, "dog")
    assert hit.asset_id == wanted
    assert {(moment.start_s, moment.end_s) for moment in hit.moments} == {(4, 12), (30, 40)}
    assert hit.moments[0].score == pytest.approx(hit.score)
    assert hit.moments[0].at_s in (4, 8, 30)
    assert hit.why[0].startswith("frame at 0:")
    assert hit.duration_s == 40


def test_many_frames_of_one_video_do_not_crowd_out_other_results(
    world: World, service: SearchService
) -> None:
    fill(world)
    frames = [(at, at + 1, "dog") for at in range(900)]
    world.add("long.mp4", kind=Kind.VIDEO, frames=frames)
    photos = {world.add(f"dog{number}.jpg", "dog run", seed=number) for number in range(5)}
    assert photos <= set(found(service, "dog", limit=6))


def test_like_a_picture_of_ones_own(world: World, service: SearchService) -> None:
    fill(world)
    wanted = world.add("x.jpg", "mountain")
    picture = np.full((4, 4, 3), WORDS.index("mountain"), np.uint8)
    hit = service.search(Query(like=picture, limit=3)).results[0]
    assert hit.asset_id == wanted
    assert hit.why == ["looks like the given picture (strong match)"]


def test_like_an_asset_finds_others_and_not_itself(
    database: Database, settings: Settings, world: World
) -> None:
    fill(world)
    one, other = world.add("1.jpg", "dog beach", seed=1), world.add("2.jpg", "dog beach", seed=2)
    service = SearchService(database, settings, None)  # stored vectors need no encoder
    assert found(service, like_asset=one, limit=5)[0] == other
    assert one not in found(service, like_asset=one, limit=100)
    with pytest.raises(NotFound, match="no asset nobody"):
        service.search(Query(like_asset="nobody"))
    unseen = world.add("3.jpg")
    with pytest.raises(NotFound, match="not been looked at"):
        service.search(Query(like_asset=unseen))


def test_like_one_frame_of_a_video_finds_what_that_frame_shows(
    world: World, service: SearchService
) -> None:
    fill(world)
    clip = world.add("clip.mp4", kind=Kind.VIDEO, frames=[(0, 4, "car"), (4, 8, "dog")])
    car, dog = world.add("car.jpg", "car"), world.add("dog.jpg", "dog")
    assert found(service, like_asset=clip, like_at_s=0.4, limit=1) == [car]
    hit = service.search(Query(like_asset=clip, like_at_s=5.0, limit=1)).results[0]
    assert (hit.asset_id, hit.why[0].split(" (")[0]) == (
        dog,
        "looks like the chosen frame at 0:05",
    )


def test_kept_picture_is_encoded_once_whatever_the_filters(
    world: World, service: SearchService, encoder: WordEncoder
) -> None:
    fill(world)
    wanted = world.add("x.jpg", "mountain")
    kept = service.pictures.keep(np.full((40, 40, 3), WORDS.index("mountain"), np.uint8))
    for kind in (Kind.PHOTO, Kind.VIDEO):
        hits = found(service, like_picture=kept, filters=Filters(kinds=frozenset({kind})))
        assert hits[:1] == ([wanted] if kind is Kind.PHOTO else [])
    assert encoder.pictures == 1
    with pytest.raises(NotFound, match="not kept any more"):
        service.search(Query(like_picture="0" * 20))


def test_only_the_last_pictures_are_kept(
    service: SearchService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MOST", 2)
    ids = [service.pictures.keep(np.full((9, 9, 3), shade, np.uint8)) for shade in (0, 90, 180)]
    with pytest.raises(NotFound):
        service.pictures.read(ids[0])
    assert all(service.pictures.read(kept).startswith(b"\xff\xd8") for kept in ids[1:])


def test_query_vectors_are_remembered(
    world: World, service: SearchService, encoder: WordEncoder
) -> None:
    world.add("a.jpg", "dog")
    for _ in range(3):
        service.search(Query("dog"))
    assert encoder.asked == ["dog"]
    service.search(Query("dog", Filters(kinds=frozenset({Kind.PHOTO})), limit=3))
    service.search(Query("dog kind:photo rating:3"))
    assert encoder.asked == ["dog"]
    service.search(Query("cat"))
    assert encoder.asked == ["dog", "cat"]


# What is written ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("IMG_4711", "file name is “IMG_4711.jpg”"),
        ("img_4711.JPG", "file name is “IMG_4711.jpg”"),
        ("4711", "file name contains “4711”"),
        ("golden gate", "title is “Golden Gate”"),
        ("fog", "caption contains “fog”"),
        ("bridge", "keyword “bridge”"),
        ("lissabon", "place contains “lissabon”"),
        ("nikon", "camera contains “nikon”"),
        ("holiday", "folder contains “holiday”"),
        ("olida", "folder contains “olida”"),
    ],
)
def test_name_title_caption_keyword_place_camera_and_folder_are_found(
    world: World, service: SearchService, text: str, reason: str
) -> None:
    fill(world)
    wanted = world.add(
        "Holiday 2019/IMG_4711.jpg",
        "spoon",
        title="Golden Gate",
        caption="Fog over the bay",
        keywords=["bridge", "red"],
        place="Lissabon, Portugal",
        camera="NIKON D90",
    )
    hit = first(service, text)
    assert (hit.asset_id, hit.why[0]) == (wanted, reason)


@pytest.mark.parametrize("text", ["red-kite.jpg", "Red-Kite", "red kite"])
def test_name_of_several_words_is_found_whole_and_wins(
    world: World, service: SearchService, text: str
) -> None:
    fill(world)
    for number in range(3):
        world.add(f"{number}.jpg", "red kite jpg", seed=number)
    wanted = world.add("red-kite.jpg", "lamp")
    hit = first(service, text)
    assert (hit.asset_id, hit.why[0]) == (wanted, "file name is “red-kite.jpg”")
    assert hit.score >= 0.98


def test_words_run_together_in_a_name_are_found(world: World, service: SearchService) -> None:
    wanted = world.add("trip/beachSunset_01.jpg")
    assert first(service, "sunset").why == ["file name contains “sunset”"]
    assert first(service, "sunset").asset_id == wanted


def test_exact_name_wins_over_what_looks_alike(world: World, service: SearchService) -> None:
    fill(world)
    for number in range(5):
        world.add(f"{number}.jpg", "beach", seed=number)
    named = world.add("beach.jpg", "lamp")
    tagged = world.add("9.jpg", "cup", keywords=["beach"])
    best = service.search(Query("beach", limit=3)).results
    assert [hit.asset_id for hit in best[:2]] == [named, tagged]
    assert best[1].score > best[2].score


def test_words_of_a_sentence_in_other_names_do_not_reorder_it(
    world: World, service: SearchService
) -> None:
    fill(world)
    sentence = "an old woman in a red coat feeds pigeons near the fountain"
    wanted = world.add("0001.jpg", "old woman red coat feeds pigeons fountain")
    second = world.add("0002.jpg", "old woman red coat pigeons")
    world.add("red-fountain.jpg", "cup", keywords=["coat"], tags=[("woman", 0.9), ("old", 0.9)])
    assert found(service, sentence)[:2] == [wanted, second]


def test_scripts_without_spaces_are_found_by_part(world: World, service: SearchService) -> None:
    wanted = world.add("京都の夕焼け.jpg", title="美しい夕焼けの写真")
    world.add("other.jpg")
    for part in ("夕焼け", "夕焼", "京"):
        assert found(service, part)[0] == wanted


def test_file_that_is_gone_is_no_reason(world: World, service: SearchService) -> None:
    asset = world.add("a.jpg")
    world.add_file("holiday.jpg", asset, FileState.MISSING)
    assert found(service, "holiday") == []
    assert found(service, '"holiday"') == []


def test_path_is_that_of_the_file_that_matched(world: World, service: SearchService) -> None:
    asset = world.add("b.jpg")
    world.add_file("sub/copy of holiday.jpg", asset)
    assert first(service, "holiday").path.endswith("sub/copy of holiday.jpg")
    assert first(service, "b.jpg").path.endswith("/b.jpg")


def test_very_common_words_are_answered_from_a_capped_number(
    world: World, service: SearchService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dam.search.text.COMMON", 10)
    monkeypatch.setattr("dam.search.text.CANDIDATES", 20)
    ids = [world.add(f"img {number}.jpg") for number in range(40)]
    assert len(found(service, "img")) >= 20
    assert found(service, "img 33")[0] == ids[33]


# Phrases, negative words, tags --------------------------------------------------------------


def test_quoted_phrase_must_be_found_in_text_or_metadata(
    world: World, service: SearchService
) -> None:
    fill(world)
    world.add("1.jpg", "gate", caption="the gate at night")
    caption = world.add("2.jpg", caption="We met at the gate.")
    keyword = world.add("3.jpg", keywords=["at the gate"])
    assert set(found(service, '"at the gate"')) == {caption, keyword}
    assert found(service, 'gate "never written anywhere"') == []


def test_words_after_a_minus_exclude(world: World, service: SearchService) -> None:
    kept = world.add("1.jpg", "dog beach")
    world.add("2 snow.jpg", "dog beach")
    world.add("3.jpg", "dog beach", keywords=["snow"])
    world.add("4.jpg", "dog beach", tags=[("snow", 0.8)])
    assert found(service, "dog beach -snow") == [kept]


def test_rejected_tag_never_matches_and_approved_one_always_does(
    database: Database, settings: Settings, world: World
) -> None:
    service = SearchService(database, settings, None)
    tagged = world.add("1.jpg", tags=[("dog", 0.9)])
    approved = world.add("2.jpg")
    with database.write() as session:
        session.add(TagDecision(asset_id=approved, word="Dog", verdict=Verdict.APPROVED))
    assert found(service, "dog") == [approved, tagged]
    assert [hit.why for hit in service.search(Query("dog")).results] == [
        ["tag “Dog” (approved)"],
        ["tag “dog” (90 %)"],
    ]
    with database.write() as session:
        session.add(TagDecision(asset_id=tagged, word="dog", verdict=Verdict.REJECTED))
    for text in ("dog", '"dog"', "tag:dog"):
        assert found(service, text) == [approved]


# Dates --------------------------------------------------------------------------------------


def dated(world: World, name: str, shows: str, local: str) -> str:
    captured_us = int(np.datetime64(local, "us").astype(np.int64))
    return world.add(name, shows, captured_local=local, captured_us=captured_us)


def test_date_in_words_lists_what_was_taken_then(world: World, service: SearchService) -> None:
    early = dated(world, "1.jpg", "dog", "2024-06-01T00:00:00")
    late = dated(world, "2.jpg", "cup", "2024-06-30T23:59:59")
    dated(world, "3.jpg", "dog", "2024-07-01T00:00:00")
    results = service.search(Query("june 2024")).results
    assert [hit.asset_id for hit in results] == [late, early]
    assert results[0].why == ["taken in June 2024"]


def test_date_beside_a_sentence_prefers_that_time(world: World, service: SearchService) -> None:
    fill(world)
    other = dated(world, "1.jpg", "dog", "2023-06-01T10:00:00")
    then = dated(world, "2.jpg", "dog", "2024-06-01T10:00:00")
    results = service.search(Query("dog june 2024")).results
    assert [hit.asset_id for hit in results[:2]] == [then, other]
    assert "taken in June 2024" in results[0].why
    assert results[0].score > 1.5 * results[1].score


# Filters ------------------------------------------------------------------------------------


def test_filters_without_words_list_the_newest_first(world: World, service: SearchService) -> None:
    old = dated(world, "1.jpg", "dog", "2023-06-01T10:00:00")
    new = dated(world, "2.jpg", "cup", "2024-06-01T10:00:00")
    undated = world.add("3.jpg")
    world.add("4.mp4", kind=Kind.VIDEO)
    assert found(service, "kind:photo") == [new, old, undated]
    assert found(service, filters=Filters(kinds=frozenset({Kind.PHOTO}))) == [new, old, undated]
    assert found(service, "kind:photo", filters=Filters(kinds=frozenset({Kind.VIDEO}))) == []


def test_each_filter_holds(world: World, service: SearchService) -> None:
    wanted = world.add(
        "Trips/Rome 2024/1.mp4",
        kind=Kind.VIDEO,
        rating=4,
        duration_us=12_000_000,
        captured_local="2024-05-06T10:00:00",
        captured_us=1_714_989_600_000_000,
        place="Roma, Lazio",
        camera="Canon EOS R5",
        keywords=["Forum Romanum"],
    )
    world.add("Rome_2024/2.jpg", rating=2)
    for text in (
        'in:"rome 2024"',
        'in:"Trips/Rome 2024"',
        "in:trips",
        f'in:"{world.root}/Trips"',
        "kind:video",
        "rating:>=3",
        "duration:>10s",
        "date:2024-05",
        "after:2024-05-06 before:2024-05-07",
        "place:roma",
        'camera:"eos r5"',
        'tag:"forum romanum"',
    ):
        assert found(service, text) == [wanted], text
    assert len(found(service, f'in:"{world.root}"')) == 2
    assert len(found(service, f'in:"{world.root.parent}"')) == 2
    assert len(found(service, "library:main")) == 2
    assert found(service, "library:other") == []
    assert wanted not in found(service, '-tag:"forum romanum"')


def test_filters_restrict_what_looks_alike_at_any_share(
    world: World, service: SearchService
) -> None:
    fill(world)
    world.add("1.jpg", "dog", rating=1)
    wanted = world.add("2.jpg", "dog beach", rating=5)
    assert found(service, "dog rating:5") == [wanted]


# Who gets out -------------------------------------------------------------------------------


def test_only_assets_with_a_present_file_get_out(
    database: Database, world: World, service: SearchService
) -> None:
    gone, there = world.add("gone dog.jpg", "dog"), world.add("dog.jpg", "dog", seed=1)
    with database.write() as session:
        session.execute(update(File).where(File.asset_id == gone).values(state=FileState.MISSING))
    assert found(service, "dog") == [there]
    assert found(service) == [there]


def test_offline_library_is_shown_as_such(
    database: Database, world: World, service: SearchService
) -> None:
    world.add("dog.jpg", "dog")
    with database.write() as session:
        session.execute(update(Library).values(state=LibraryState.OFFLINE))
    assert first(service, "dog").offline


def test_deleted_assets_and_removed_libraries_are_not_found(
    database: Database, world: World, service: SearchService
) -> None:
    one, two = world.add("dog 1.jpg", "dog"), world.add("dog 2.jpg", "dog", seed=1)
    assert set(found(service, "dog")) == {one, two}
    with database.write() as session:
        session.execute(delete(Asset).where(Asset.id == one))
    assert found(service, "dog") == [two]
    with database.write() as session:
        session.execute(delete(Library))
    assert found(service, "dog") == []


def test_equal_results_come_in_the_same_order_every_time(
    world: World, service: SearchService
) -> None:
    ids = [world.add("same.jpg" if number == 0 else f"{number}/same.jpg") for number in range(9)]
    assert found(service, "same.jpg") == sorted(ids)


def test_limit_is_kept_and_checked(world: World, service: SearchService) -> None:
    for number in range(5):
        world.add(f"{number}.jpg", "dog", seed=number)
    assert len(found(service, "dog", limit=2)) == 2
    for limit in (0, -1, 10**6):
        with pytest.raises(BadRequest, match="limit"):
            service.search(Query("dog", limit=limit))


# Without a model, or while it works ---------------------------------------------------------


def no_weights() -> QueryEncoder:
    raise WeightsUnavailable("There is no picture model. Run: dam models pull balanced")


def waiting(results: Results) -> Any:
    return results_as_json(results)["waiting"]


def still_loading() -> QueryEncoder:
    raise RetryLater("The query encoder is still loading its model.")


def test_encoder_that_starts_up_needs_no_command(
    database: Database, settings: Settings, world: World
) -> None:
    world.add("sunset.jpg")
    results = SearchService(database, settings, still_loading).search(Query("sunset"))
    assert waiting(results) == [
        {"channel": "visual", "reason": "The query encoder is still loading its model."}
    ]


def test_names_answer_without_a_model_which_is_named(
    database: Database, settings: Settings, world: World
) -> None:
    asset = world.add("sunset.jpg")
    results = SearchService(database, settings, no_weights).search(Query("sunset"))
    assert [hit.asset_id for hit in results.results] == [asset]
    assert waiting(results) == [
        {
            "channel": "visual",
            "reason": "There is no picture model. Run: dam models pull balanced",
            "command": "dam models pull balanced",
        }
    ]
    none = SearchService(database, settings, None).search(Query("sunset"))
    assert waiting(none)[0]["command"] == "dam models pull fast"


def test_pending_runs_are_reported(
    database: Database, world: World, service: SearchService
) -> None:
    world.add("a.jpg", "dog")
    waits = world.add("b.jpg")
    with database.write() as session:
        producer = session.query(ProducerRow).filter_by(fingerprint=VISUAL.fingerprint).one()
        session.add(Run(asset_id=waits, revision=1, producer_id=producer.id))
    assert waiting(service.search(Query("dog"))) == [{"channel": "visual", "pending": 1}]


def test_nothing_indexed_yet_says_so(world: World, service: SearchService) -> None:
    asset = world.add("dog.jpg")
    results = service.search(Query("dog"))
    assert [hit.asset_id for hit in results.results] == [asset]
    assert waiting(results)[0]["command"] == "dam index"


def test_encoder_that_died_is_opened_again(
    database: Database, settings: Settings, world: World, encoder: WordEncoder
) -> None:
    class Mortal(WordEncoder):
        alive = True

        def encode_text(self, texts: Any) -> Any:
            if not self.alive:
                raise ConnectionRefusedError("nobody listens")
            return super().encode_text(texts)

    mortal = Mortal()
    encoders: list[QueryEncoder] = [mortal, encoder]
    service = SearchService(database, settings, lambda: encoders.pop(0))
    wanted = world.add("1.jpg", "dog")
    assert found(service, "dog") == [wanted]
    mortal.alive = False
    assert found(service, "dog dog") == [wanted]
    assert encoder.asked == ["dog dog"]


def test_encoder_that_does_not_answer_leaves_the_rest_working(
    database: Database, settings: Settings, world: World
) -> None:
    def refused() -> QueryEncoder:
        raise ConnectionRefusedError("nobody listens")

    asset = world.add("dog.jpg", "dog")
    results = SearchService(database, settings, refused).search(Query("dog"))
    assert [hit.asset_id for hit in results.results] == [asset]
    assert "nobody listens" in waiting(results)[0]["reason"]


# Shape and robustness -----------------------------------------------------------------------


def test_json_has_the_documented_shape(world: World, service: SearchService) -> None:
    fill(world)
    world.add("clip.mp4", kind=Kind.VIDEO, frames=[(0, 2, "cup"), (2, 4, "dog")])
    answer = results_as_json(service.search(Query("dog", limit=2)))
    assert set(answer) == {"results", "waiting", "model"}
    assert answer["model"] == {"name": "words", "notice": None}
    assert set(answer["results"][0]) >= {"asset_id", "path", "kind", "score", "moments", "why"}
    assert answer["results"][0]["kind"] == "video"
    assert Path(answer["results"][0]["path"]).is_absolute()
    moment = answer["results"][0]["moments"][0]
    assert set(moment) >= {"start_s", "end_s", "score", "channel"}
    assert (moment["start_s"], moment["end_s"], moment["channel"]) == (2.0, 4.0, "visual")
    photo = answer["results"][1]["moments"]
    assert [(one["start_s"], one["end_s"]) for one in photo] == [(None, None)]


ODD = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="ab*^\"()'-:.{}+ANDORNEAR%_\\夕 ", max_size=30),
)


@hypothesis_settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=ODD)
def test_no_text_breaks_a_search(world: World, service: SearchService, text: str) -> None:
    try:
        service.search(Query(text))
    except DamError as error:
        assert isinstance(error, BadRequest)


def test_searches_run_side_by_side_while_assets_arrive(
    world: World, service: SearchService
) -> None:
    wanted = world.add("0.jpg", "dog beach")
    failures: list[BaseException] = []
    done = threading.Event()

    def search() -> None:
        try:
            while not done.is_set():
                assert wanted in found(service, "dog beach")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    fill(world)
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []


def test_encoder_of_another_model_answers_nothing_wrong(
    database: Database, settings: Settings, world: World
) -> None:
    world.add("1.jpg", "dog")

    class Other(WordEncoder):
        def encode_text(self, texts: Any) -> Any:
            return np.eye(len(texts), DIM, dtype=np.float32)

    service = SearchService(database, settings, lambda: Other(space="another"))
    results = service.search(Query("dog"))
    assert results.results == []
    assert "another model" in waiting(results)[0]["reason"]
