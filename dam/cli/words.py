"""`dam tags words`: the vocabulary of one's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dam.cli.context import Json, load_settings, opened, out, print_json, print_table, printable
from dam.errors import BadRequest
from dam.vocabulary import Entry, as_tree, read_vocabulary, write_list
from dam.vocabulary_changes import import_words, put_word, remove_word

if TYPE_CHECKING:
    from dam.vocabulary_changes import WordsChanged

words_app = typer.Typer(help="Words of your own, with synonyms.", no_args_is_help=True)
Word = Annotated[str, typer.Argument(metavar="WORD")]


@words_app.command("list")
def list_words(json: Json = False) -> None:
    """Show the vocabulary as a tree."""
    with opened(load_settings()) as database, database.read() as session:
        tree = as_tree(read_vocabulary(session))
    if json:
        print_json({"words": [entry for entry, _ in tree]})
        return
    print_table(
        ["Word", "Synonyms"],
        [["  " * depth + entry.word, ", ".join(entry.synonyms)] for entry, depth in tree],
    )


@words_app.command("add")
def add_word(
    word: Word,
    under: Annotated[str | None, typer.Option("--under", help="A word that is there.")] = None,
    synonym: Annotated[
        list[str] | None, typer.Option("--synonym", help="Another name; may be repeated.")
    ] = None,
) -> None:
    """Add a word, or give one another place and other synonyms."""
    with opened(load_settings()) as database:
        _say(put_word(database, Entry(word, under, tuple(synonym or ()))))


@words_app.command("remove")
def remove(word: Word) -> None:
    """Take a word out of the vocabulary; what is tagged with it stays so."""
    with opened(load_settings()) as database:
        _say(remove_word(database, word))


@words_app.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Nothing but this list stays.")
    ] = False,
) -> None:
    """Take in a keyword list as Lightroom Classic and Photo Mechanic write it."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise BadRequest(f"{file} cannot be read: {error}.") from error
    with opened(load_settings()) as database:
        _say(import_words(database, text, replace=replace))


@words_app.command("export")
def export_list(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Standard output without it.")
    ] = None,
) -> None:
    """Write the vocabulary as a keyword list."""
    with opened(load_settings()) as database, database.read() as session:
        text = write_list(read_vocabulary(session))
    if file is None:
        sys.stdout.write(text)
    else:
        file.write_text(text, encoding="utf-8")


def _say(changed: WordsChanged) -> None:
    out.print(
        f"{changed.words:,} words changed; dam index, or a running dam serve, looks for them."
    )
    out.print(printable(f"To take it back: dam tags undo {changed.undo}"), style="dim")
