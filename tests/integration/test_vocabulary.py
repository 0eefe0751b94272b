"""Words of one's own: as a list, in searches, in suggestions, and undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dam.contracts import Setup
from dam.errors import BadRequest
from dam.indexing.plan import open_registry
from dam.vocabulary import Entry, parse_list, read_vocabulary, write_list
from indexers.tags import Tags
from indexers.vocabulary import load_vocabularies, with_own_words
from tests.search_world import WordEncoder, World

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.config import Settings
    from dam.db import Database

VOCABULARY = "/api/v1/vocabulary"
ANIMALS = "animal\n\tdog\n\t\t{hound}\n\t\tpoodle\n\t\t\t{caniche}\n\thorse\n"


def imported(client: FlaskClient, text: str = ANIMALS, **more: object) -> Any:
    answer = client.post(f"{VOCABULARY}/import", json={"text": text, **more})
    assert answer.status_code == 200, answer.text
    return answer.json


def put(client: FlaskClient, status: int = 200, **body: object) -> Any:
    answer = client.put(f"{VOCABULARY}/word", json=body)
    assert answer.status_code == status, answer.text
    return answer.json


def found(client: FlaskClient, **query: str) -> list[str]:
    cards = client.get("/api/v1/assets", query_string=query).json["assets"]
    return sorted(card["name"] for card in cards)


def test_a_keyword_list_comes_back_as_it_was(client: FlaskClient) -> None:
    assert imported(client)["words"] == 4
    assert client.get(f"{VOCABULARY}/file").text == ANIMALS
    words = client.get(VOCABULARY).json["words"]
    assert [(one["word"], one["parent"], one["depth"]) for one in words] == [
        ("animal", None, 0),
        ("dog", "animal", 1),
        ("poodle", "dog", 2),
        ("horse", "animal", 1),
    ]


def test_a_list_of_lightroom_is_read_with_headings_and_a_byte_order_mark() -> None:
    known = parse_list(
        "\ufeff[WHAT]\r\n\tdog\r\n\t\t{hound}\r\n\t\t{cur}\r\n\r\n[WHERE]\r\n\tsea\r\n"
    )
    assert known["dog"] == Entry("dog", "WHAT", ("hound", "cur"))
    assert known["sea"].parent == "WHERE"
    assert parse_list(write_list(known)) == known


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n\t\tb\n", "Line 2"),
        ("{a}\n", "below no word"),
        ("fruit\n\torange\ncolour\n\torange\n", "line 2 and again in line 4"),
    ],
)
def test_a_faulty_list_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        parse_list(text)


def test_a_list_adds_and_replaces_and_each_is_undone(
    client: FlaskClient, database: Database
) -> None:
    imported(client)
    put(client, word="dog", parent="animal", synonyms=["hound", "cur"])
    replaced = imported(client, "dog\nsea\n", replace=True)
    with database.read() as session:
        assert read_vocabulary(session) == {"dog": Entry("dog"), "sea": Entry("sea")}
    client.post("/api/v1/assets/bulk/undo", json={"undo": replaced["undo"]})
    with database.read() as session:
        known = read_vocabulary(session)
    assert known["dog"] == Entry("dog", "animal", ("hound", "cur"))
    assert set(known) == {"animal", "dog", "poodle", "horse"}
    imported(client, "animal\n\tdog\n\t\t{mutt}\n")
    with database.read() as session:
        assert read_vocabulary(session)["dog"].synonyms == ("hound", "cur", "mutt")


def test_a_word_lies_under_a_word_that_is_there_and_never_under_itself(
    client: FlaskClient,
) -> None:
    imported(client)
    assert "no word “fish”" in put(client, 400, word="trout", parent="fish")["detail"]
    assert "under itself" in put(client, 400, word="animal", parent="poodle")["detail"]
    client.post(f"{VOCABULARY}/remove", json={"word": "dog"})
    words = client.get(VOCABULARY).json["words"]
    assert next(one for one in words if one["word"] == "poodle")["parent"] == "animal"
    assert client.post(f"{VOCABULARY}/remove", json={"word": "dog"}).status_code == 404


def test_a_synonym_and_a_parent_find_what_lies_under_them(
    client: FlaskClient, database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path / "photos")
    world.add("a.jpg", tags=[("poodle", 0.8)])
    world.add("b.jpg", keywords=["hound"])
    horse = world.add("c.jpg")
    world.add("d.jpg", tags=[("grass", 0.9)])
    tags = [{"word": "horse", "verdict": "approved"}]
    client.patch(f"/api/v1/assets/{horse}", json={"tags": tags})
    assert found(client, tag="animal") == []
    imported(client)
    assert found(client, tag="animal") == ["a.jpg", "b.jpg", "c.jpg"]
    assert found(client, tag="Hound") == ["a.jpg", "b.jpg"]
    assert found(client, tag="caniche") == ["a.jpg"]
    assert found(client, tag="horse") == ["c.jpg"]
    results = client.get("/api/v1/search", query_string={"q": "hound"}).json["results"]
    assert {hit["path"].rpartition("/")[2] for hit in results} == {"a.jpg", "b.jpg"}
    assert any("poodle" in why for hit in results for why in hit["why"])
    without = client.get("/api/v1/search", query_string={"q": "-tag:animal kind:photo"}).json
    assert {hit["path"].rpartition("/")[2] for hit in without["results"]} == {"d.jpg"}


def test_a_renamed_tag_that_a_model_suggests_keeps_its_old_name_as_a_synonym(
    client: FlaskClient, database: Database, tmp_path: Path
) -> None:
    World(database, tmp_path / "photos").add("a.jpg", tags=[("dog", 0.8)])
    imported(client)
    changed = client.post("/api/v1/tags/rename", json={"word": "dog", "to": "Hund"}).json
    with database.read() as session:
        known = read_vocabulary(session)
    assert known["Hund"] == Entry("Hund", "animal", ("dog", "hound"))
    assert known["poodle"].parent == "Hund"
    assert found(client, tag="Hund") == ["a.jpg"]  # by its synonym, before anything is scored
    client.post("/api/v1/assets/bulk/undo", json={"undo": changed["undo"]})
    with database.read() as session:
        assert write_list(read_vocabulary(session)) == ANIMALS


def test_words_of_ones_own_are_scored_by_all_their_names_and_stand_for_ours(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    before = open_registry(database, settings)
    imported(client)
    registry = open_registry(database, settings)
    assert before.words == {}
    assert registry.words["dog"] == ("dog", "hound")
    *ours, own = with_own_words(load_vocabularies(""), registry.words)
    assert own.words["poodle"] == ("poodle", "caniche")
    assert not any("dog" in vocabulary.words for vocabulary in ours)


def test_a_new_word_asks_for_no_text_but_its_own(tmp_path: Path) -> None:
    encoder = WordEncoder()

    def tags(own_words: str) -> Tags:
        from dam.config import Settings
        from dam.models import ModelStore
        from tests.search_world import VISUAL

        return Tags(
            Setup(
                models=ModelStore(Settings(home=tmp_path)),
                cache=tmp_path,
                options={"own_words": own_words},
                producer_of=lambda _name: VISUAL,
                encoder_of=lambda _name: encoder,
            )
        )

    first, second = tags("{}"), tags('{"zeppelin": ["zeppelin", "airship"]}')
    assert first.producer().fingerprint != second.producer().fingerprint
    assert first._words.names
    encoder.asked.clear()
    assert ("own", "zeppelin") in second._words.names
    assert encoder.asked == ["zeppelin", "airship"]
