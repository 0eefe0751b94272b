"""The words of a person's own: a tree with synonyms, and the keyword list that it is as a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from apiflask import APIBlueprint
from flask import Response, make_response
from pydantic import Field

from dam.vocabulary import MOST_SYNONYMS, Entry, as_tree, read_vocabulary, write_list
from dam.vocabulary_changes import WordsChanged, import_words, put_word, remove_word
from web.services import services
from web.shapes import Request, answer

LIST: dict[int, Any] = {
    200: {"description": "The list.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}
bp = APIBlueprint("vocabulary", __name__, url_prefix="/vocabulary", tag="Vocabulary")
Word = Annotated[str, Field(min_length=1, max_length=200)]
MOST_CHARACTERS = 900_000  # of a list; 20,000 words with synonyms have fewer


@dataclass(frozen=True, slots=True)
class VocabularyEntry:
    word: str
    parent: str | None  # nothing: at the top
    depth: int  # 0: at the top
    synonyms: list[str]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    words: list[VocabularyEntry]  # each before those under it


class WordBody(Request):
    word: Word
    parent: Word | None = Field(None, description="A word that is there; null: at the top.")
    synonyms: Annotated[tuple[Word, ...], Field(max_length=MOST_SYNONYMS)] = ()


class RemoveWordBody(Request):
    word: Word


class ImportBody(Request):
    text: Annotated[str, Field(max_length=MOST_CHARACTERS)] = Field(
        description="One word a line, a tab deeper for each level, {synonyms} below their word."
    )
    replace: bool = Field(False, description="Nothing but this list stays.")


@bp.get("")
@bp.output(answer(Vocabulary))
def get_vocabulary() -> Vocabulary:
    """List your own words as a tree, each before those under it."""
    with services().database.read() as session:
        known = read_vocabulary(session)
    return Vocabulary(
        [
            VocabularyEntry(
                entry.word,
                entry.parent if entry.parent in known else None,
                depth,
                list(entry.synonyms),
            )
            for entry, depth in as_tree(known)
        ]
    )


@bp.put("/word")
@bp.input(WordBody)
@bp.output(answer(WordsChanged))
def put(json_data: WordBody) -> WordsChanged:
    """Add a word, or give it another place and other synonyms. No model runs for it."""
    entry = Entry(json_data.word, json_data.parent, json_data.synonyms)
    return put_word(services().database, entry)


@bp.post("/remove")
@bp.input(RemoveWordBody)
@bp.output(answer(WordsChanged))
@bp.doc(responses={404: "There is no such word."})
def remove(json_data: RemoveWordBody) -> WordsChanged:
    """Take a word out of the vocabulary; what is tagged with it stays so."""
    return remove_word(services().database, json_data.word)


@bp.post("/import")
@bp.input(ImportBody)
@bp.output(answer(WordsChanged))
@bp.doc(responses={413: "The list is too long."})
def import_list(json_data: ImportBody) -> WordsChanged:
    """Take in a keyword list as Lightroom Classic and Photo Mechanic write it."""
    return import_words(services().database, json_data.text, replace=json_data.replace)


@bp.get("/file")
@bp.doc(responses=LIST)
def get_file() -> Response:
    """Serve the vocabulary as a keyword list."""
    with services().database.read() as session:
        text = write_list(read_vocabulary(session))
    response = make_response(text)
    response.mimetype = "text/plain"
    response.headers["Content-Disposition"] = 'attachment; filename="vocabulary.txt"'
    return response
