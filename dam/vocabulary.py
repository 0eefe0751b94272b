"""Words of a person's own: "animal > dog > poodle", with synonyms, and as a plain file.

The file is the keyword list that Lightroom Classic and Photo Mechanic exchange: a word a line,
one tab deeper for each level, `{synonym}` on lines of its own below its word, and `[word]` for
headings that are no keywords there (https://helpx.adobe.com/lightroom-classic/help/keywords.html).
dam knows a word once: tags have no path. Works inside the caller's session.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from dam.errors import BadRequest, NotFound
from dam.tables import Synonym, VocabularyWord
from dam.tagging import cleaned_word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

MOST_WORDS = 20_000  # each is one comparison for every picture, and one sentence to encode
MOST_SYNONYMS = 50  # of one word
INDENT = re.compile(r"^\t*")


@dataclass(frozen=True, slots=True)
class Entry:
    word: str
    parent: str | None = None
    synonyms: tuple[str, ...] = ()


Wanted = dict[str, Entry | None]  # by word; None: not there


def read_vocabulary(session: Session) -> dict[str, Entry]:
    """By word, in alphabetical order."""
    synonyms: dict[str, list[str]] = defaultdict(list)
    for word, synonym in session.execute(
        select(Synonym.word, Synonym.synonym).order_by(Synonym.id)
    ):
        synonyms[word].append(synonym)
    rows = session.execute(select(VocabularyWord.word, VocabularyWord.parent)).all()
    return {
        word: Entry(word, parent, tuple(synonyms[word]))
        for word, parent in sorted(rows, key=lambda row: (row[0].casefold(), row[0]))
    }


def write_entries(session: Session, wanted: Mapping[str, Entry | None]) -> Wanted:
    """Puts words in, changes them or (None) takes them out; what those that changed had."""
    known = read_vocabulary(session)
    before: Wanted = {word: known.get(word) for word in wanted if known.get(word) != wanted[word]}
    session.execute(delete(Synonym).where(Synonym.word.in_(list(before))))
    session.execute(delete(VocabularyWord).where(VocabularyWord.word.in_(list(before))))
    entries = [entry for word in before if (entry := wanted[word]) is not None]
    if entries:
        rows = [{"word": entry.word, "parent": entry.parent} for entry in entries]
        session.execute(insert(VocabularyWord), rows)
    synonyms = [
        {"word": entry.word, "synonym": name} for entry in entries for name in entry.synonyms
    ]
    if synonyms:
        session.execute(insert(Synonym), synonyms)
    return before


def putting(known: Mapping[str, Entry], entry: Entry) -> Wanted:
    """What is written to add a word or change it. Raises `BadRequest` for one that cannot be."""
    entry = _cleaned(entry)
    if entry.parent is not None:
        if entry.parent not in known:
            raise BadRequest(f"There is no word “{entry.parent}” to put “{entry.word}” under.")
        above: str | None = entry.parent
        while above is not None:
            if above == entry.word:
                raise BadRequest(f"“{entry.word}” cannot lie under itself.")
            above = known[above].parent if above in known else None
    if len(known) >= MOST_WORDS and entry.word not in known:
        raise BadRequest(f"A vocabulary has at most {MOST_WORDS:,} words.")
    return {entry.word: entry}


def removing(known: Mapping[str, Entry], word: str) -> Wanted:
    """What is written to take a word out: those under it move up. Raises `NotFound`."""
    if word not in known:
        raise NotFound(f"There is no word “{word}” in your vocabulary.")
    moved = {
        each.word: replace(each, parent=known[word].parent)
        for each in known.values()
        if each.parent == word
    }
    return {word: None, **moved}


def renaming(known: Mapping[str, Entry], word: str, new: str) -> Wanted:
    """What is written so that a word is called otherwise; its old name stays a synonym."""
    old = known.get(word) or Entry(word)
    there = known.get(new) or Entry(new, old.parent if old.parent != new else None)
    names = dict.fromkeys([*there.synonyms, word, *old.synonyms])
    names.pop(new, None)
    moved: Wanted = {
        each.word: replace(each, parent=new)
        for each in known.values()
        if each.parent == word and each.word != new
    }
    if there.parent == word:
        there = replace(there, parent=old.parent)
    return {**moved, word: None, new: replace(there, synonyms=tuple(names))}


def parse_list(text: str) -> dict[str, Entry]:
    """A keyword list → words. Raises `BadRequest`, naming the line, for what is none."""
    found: dict[str, Entry] = {}
    lines: dict[str, int] = {}
    path: list[str] = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        bare = line.strip()
        if not bare:
            continue
        depth = len(INDENT.match(line.rstrip())[0])  # type: ignore[index]  # matches always
        if depth > len(path):
            raise BadRequest(f"Line {number} is indented deeper than one tab below the one above.")
        if bare.startswith("{") and bare.endswith("}"):
            if depth == 0:
                raise BadRequest(f"Line {number}: the synonym {bare} stands below no word.")
            word = path[depth - 1]
            found[word] = _cleaned(
                replace(found[word], synonyms=(*found[word].synonyms, bare[1:-1]))
            )
            continue
        word = cleaned_word(bare[1:-1] if bare.startswith("[") and bare.endswith("]") else bare)
        if word in lines:
            raise BadRequest(
                f"“{word}” stands in line {lines[word]} and again in line {number}; dam knows a "
                "word once. Give one of them another name."
            )
        lines[word] = number
        path = [*path[:depth], word]
        found[word] = Entry(word, path[depth - 1] if depth else None)
    if len(found) > MOST_WORDS:
        raise BadRequest(f"A vocabulary has at most {MOST_WORDS:,} words, not {len(found):,}.")
    return found


def write_list(known: Mapping[str, Entry]) -> str:
    """The keyword list of a vocabulary, alphabetical on each level."""
    return "".join(
        "\t" * depth
        + entry.word
        + "\n"
        + "".join("\t" * (depth + 1) + "{" + name + "}\n" for name in entry.synonyms)
        for entry, depth in as_tree(known)
    )


def as_tree(known: Mapping[str, Entry]) -> list[tuple[Entry, int]]:
    """Every word with its depth, each before those under it."""
    below: dict[str | None, list[Entry]] = defaultdict(list)
    for entry in known.values():
        below[entry.parent if entry.parent in known else None].append(entry)
    found: list[tuple[Entry, int]] = []
    waiting = [(entry, 0) for entry in reversed(below[None])]
    while waiting:
        entry, depth = waiting.pop()
        found.append((entry, depth))
        waiting += [(each, depth + 1) for each in reversed(below[entry.word])]
    return found


def asked_texts(session: Session) -> dict[str, tuple[str, ...]]:
    """What the picture model is asked for each word: all its names."""
    return {
        entry.word: (entry.word, *entry.synonyms) for entry in read_vocabulary(session).values()
    }


def names_meant_by(known: Mapping[str, Entry], name: str) -> set[str]:
    """All names of the words that are called so, and of every word under them."""
    folded = name.casefold()
    meant = {
        entry.word
        for entry in known.values()
        if folded in (each.casefold() for each in (entry.word, *entry.synonyms))
    }
    below: dict[str | None, list[str]] = defaultdict(list)
    for entry in known.values():
        below[entry.parent].append(entry.word)
    waiting = list(meant)
    while waiting:
        for word in below[waiting.pop()]:
            if word not in meant:
                meant.add(word)
                waiting.append(word)
    return {name for word in meant for name in (word, *known[word].synonyms)}


def _cleaned(entry: Entry) -> Entry:
    word = cleaned_word(entry.word)
    names = dict.fromkeys(cleaned_word(name) for name in entry.synonyms if name.strip())
    names.pop(word, None)
    if len(names) > MOST_SYNONYMS:
        raise BadRequest(f"“{word}” has more than {MOST_SYNONYMS} synonyms.")
    parent = None if entry.parent is None else cleaned_word(entry.parent)
    return Entry(word, parent, tuple(names))
