"""`dam tags`: the words on assets, and what a person says about them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from dam.changes import undo_change
from dam.cli.context import Json, load_settings, opened, out, print_json, print_table, printable
from dam.cli.words import words_app
from dam.indexing.encoder import open_query_encoder
from dam.store import SUGGESTED
from dam.tables import Verdict
from dam.tag_changes import Matching, decide_all, delete_word, matching_assets, rename_word
from dam.tag_words import Suggestions, WordSummary, summarise_words
from dam.tagging import count_words, decide, tags_of
from dam.teaching import forget_taught, teach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dam.changes import Changed
    from dam.config import Settings
    from dam.db import Database
    from dam.search.service import SearchService

tags_app = typer.Typer(help="Tags: list, approve, reject, add.", no_args_is_help=True)
tags_app.add_typer(words_app, name="words")
AssetId = Annotated[str, typer.Argument(metavar="ASSET", help="An asset id, as search prints it.")]
Word = Annotated[str, typer.Argument(metavar="WORD")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask first.")]
VERDICTS = {"approve": Verdict.APPROVED, "reject": Verdict.REJECTED, "reset": None}


@tags_app.command("list")
def list_tags(
    asset: Annotated[
        str | None, typer.Argument(metavar="[ASSET]", help="Of one asset; else all words in use.")
    ] = None,
    json: Json = False,
) -> None:
    """Show the tags of one asset, or every word in use with its counts."""
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        if asset is None:
            shown = count_words(session)
            said = summarise_words(session)
        else:
            views = tags_of(session, asset, threshold=SUGGESTED)
    if asset is None:
        words = [
            {"assets": one.assets, **_counts(said.get(one.word) or WordSummary.of(one.word))}
            for one in shown
        ]
        if json:
            print_json({"words": words})
        else:
            names = ("word", "assets", "suggested", "approved", "rejected", "in_files")
            print_table(
                ["Word", "Assets", "Suggested", "Approved", "Rejected", "In files"],
                [[word[name] for name in names] for word in words],
            )
    elif json:
        print_json({"tags": views})
    else:
        print_table(
            ["Word", "Source", "Confidence", "Decision", "By"],
            [[v.word, v.source, f"{v.score:.0%}", v.verdict or "", v.producer] for v in views],
        )


@tags_app.command()
def approve(asset: AssetId, word: Word) -> None:
    """Say that a word is right for an asset; adds it when nobody suggested it."""
    _decide(asset, word, Verdict.APPROVED)


@tags_app.command()
def reject(asset: AssetId, word: Word) -> None:
    """Say that a word is wrong for an asset; it is not suggested there again."""
    _decide(asset, word, Verdict.REJECTED)


@tags_app.command()
def reset(asset: AssetId, word: Word) -> None:
    """Forget what was said about a word."""
    _decide(asset, word, None)


@tags_app.command()
def bulk(
    what: Annotated[str, typer.Argument(metavar="approve|reject|reset")],
    word: Word,
    query: Annotated[
        str, typer.Option("--query", help="All that match this, as dam search understands it.")
    ] = "",
    suggested: Annotated[
        bool, typer.Option("--suggested", help="Only where the word is suggested and undecided.")
    ] = False,
    least: Annotated[
        float,
        typer.Option("--least", min=0, max=1, help="Of suggestions: only this sure or surer."),
    ] = SUGGESTED,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Approve, reject or reset a word on all that match; says on how many before it does."""
    if what not in VERDICTS:
        raise typer.BadParameter(f"“{what}” is none of {', '.join(VERDICTS)}.")
    if not query.strip() and not suggested:
        raise typer.BadParameter("Say what shall match: --query, --suggested or both.")
    with _matched() as (database, search):
        wanted = Matching(query, suggested=Suggestions(word, least) if suggested else None)
        found = matching_assets(database, search, wanted)
        if not yes and not json:
            typer.confirm(f"{what} “{word}” on {len(found):,} assets?", abort=True)
        _say(decide_all(database, found, {word: VERDICTS[what]}), json=json)


@tags_app.command()
def rename(
    word: Word,
    new: Annotated[str, typer.Argument(metavar="NEW")],
    merge: Annotated[
        bool, typer.Option("--merge", help="NEW may be in use: one tag then.")
    ] = False,
    json: Json = False,
) -> None:
    """Call a tag otherwise on every asset, or merge it into another."""
    with opened(load_settings()) as database:
        _say(rename_word(database, word, new, merge=merge), json=json)


@tags_app.command()
def delete(word: Word, yes: Yes = False, json: Json = False) -> None:
    """Take a tag off every asset; it is not suggested there again."""
    if not yes and not json:
        typer.confirm(f"Take “{word}” off every asset?", abort=True)
    with opened(load_settings()) as database:
        _say(delete_word(database, word), json=json)


@tags_app.command("teach")
def teach_word(word: Word, json: Json = False) -> None:
    """Suggest a word on what looks like the assets on which it is approved; ten or more."""
    with opened(load_settings()) as database:
        taught, changed = teach(database, word)
    if json:
        print_json({**asdict(taught), "undo": changed.undo})
        return
    told = "cannot be told" if taught.precision is None else f"at least {taught.precision:.0%}"
    out.print(
        f"Taught from {taught.examples} examples and {taught.counterexamples} counterexamples. "
        f"Suggested on {taught.suggested:,} assets; right of these, by examples held back: {told}."
    )
    out.print(f"To take it back: dam tags forget, or dam tags undo {changed.undo}", style="dim")


@tags_app.command("forget")
def forget_word(word: Word, json: Json = False) -> None:
    """Take back what was taught, with its suggestions; what you decided stays."""
    with opened(load_settings()) as database:
        _say(forget_taught(database, word), json=json)


@tags_app.command()
def undo(change: Annotated[str, typer.Argument(metavar="CHANGE")]) -> None:
    """Take back what bulk, rename or delete did, within a day; they print the id."""
    with opened(load_settings()) as database:
        out.print(f"{undo_change(database, change):,} assets are as they were.")


def _decide(asset: str, word: str, verdict: Verdict | None) -> None:
    settings = load_settings()
    with opened(settings) as database, database.write() as session:
        decide(session, asset, word, verdict)
    out.print(f"{word}: {verdict or 'undecided'}", markup=False)


def _counts(one: WordSummary) -> dict[str, object]:
    return {
        "word": one.word,
        "suggested": one.suggested,
        "approved": one.approved,
        "rejected": one.rejected,
        "in_files": one.in_files,
    }


@contextmanager
def _matched() -> Iterator[tuple[Database, Callable[[], SearchService]]]:
    settings = load_settings()
    with opened(settings) as database:
        yield database, lambda: _search(database, settings)


def _search(database: Database, settings: Settings) -> SearchService:
    from dam.search.service import SearchService  # FAISS comes with it

    return SearchService(
        database,
        settings,
        lambda: open_query_encoder(database, settings),
        sound=lambda: open_query_encoder(database, settings, "sound_space"),
    )


def _say(changed: Changed, *, json: bool) -> None:
    if json:
        print_json(changed)
        return
    out.print(f"{changed.changed:,} assets changed.")
    if changed.changed:
        out.print(printable(f"To take it back: dam tags undo {changed.undo}"), style="dim")
