"""What a person changes in the vocabulary, each with one undo (`dam.changes.undo_change`).

No model runs for it: a new word is scored from the vectors that are stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dam.changes import Before, change_each
from dam.taught import write_taught
from dam.vocabulary import Entry, parse_list, putting, read_vocabulary, removing, write_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from dam.db import Database
    from dam.vocabulary import Wanted


@dataclass(frozen=True, slots=True)
class WordsChanged:
    words: int  # that are different now
    undo: str  # what `undo_change` wants


def put_word(database: Database, entry: Entry) -> WordsChanged:
    """Adds a word, or gives one another place and other synonyms. Raises `BadRequest`."""
    return _change(database, lambda known: putting(known, entry))


def remove_word(database: Database, word: str) -> WordsChanged:
    """Takes a word out; its tags stay, and words under it move up. Raises `NotFound`."""
    return _change(database, lambda known: removing(known, word))


def import_words(database: Database, text: str, *, replace: bool = False) -> WordsChanged:
    """Takes in a keyword list; with `replace` nothing else stays. Raises `BadRequest`.

    A word that is there already gets the place of the list, and keeps its synonyms.
    """
    listed = parse_list(text)

    def wanted(known: Mapping[str, Entry]) -> Wanted:
        found: Wanted = {}
        for word, entry in listed.items():
            had = known[word].synonyms if word in known and not replace else ()
            names = tuple(dict.fromkeys([*had, *entry.synonyms]))
            found[word] = Entry(word, entry.parent, names)
        gone: Wanted = {word: None for word in known if word not in listed} if replace else {}
        return gone | found

    return _change(database, wanted)


def written(wanted: Wanted, taught: Mapping[str, bool]) -> Callable[[Session, int], Before]:
    """For `change_each`: words of the vocabulary and what is taught as part of a larger change."""
    return lambda session, _at_us: Before(
        vocabulary=write_entries(session, wanted), taught=write_taught(session, taught)
    )


def _change(database: Database, decide: Callable[[Mapping[str, Entry]], Wanted]) -> WordsChanged:
    changed: Wanted = {}

    def also(session: Session, _at_us: int) -> Before:
        changed.update(write_entries(session, decide(read_vocabulary(session))))
        return Before(vocabulary=dict(changed))

    undo = change_each(database, [], also).undo
    return WordsChanged(len(changed), undo)
