"""`dam tags`: the words on assets, and what a person says about them."""

from __future__ import annotations

from typing import Annotated

import typer

from dam.cli.context import Json, load_settings, opened, out, print_json, print_table
from dam.store import SUGGESTED
from dam.tables import Verdict
from dam.tagging import count_words, decide, tags_of

tags_app = typer.Typer(help="Tags: list, approve, reject, add.", no_args_is_help=True)
AssetId = Annotated[str, typer.Argument(metavar="ASSET", help="An asset id, as search prints it.")]
Word = Annotated[str, typer.Argument()]


@tags_app.command("list")
def list_tags(
    asset: Annotated[
        str | None, typer.Argument(metavar="[ASSET]", help="Of one asset; else all words in use.")
    ] = None,
    json: Json = False,
) -> None:
    """Show the tags of one asset, or every word in use with its count."""
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        if asset is None:
            words = count_words(session)
            if json:
                print_json({"words": words})
            else:
                print_table(["Word", "Assets"], [[entry.word, entry.assets] for entry in words])
            return
        views = tags_of(session, asset, threshold=SUGGESTED)
    if json:
        print_json({"tags": views})
        return
    print_table(
        ["Word", "Source", "Confidence", "Decision"],
        [[v.word, v.source, f"{v.score:.0%}", v.verdict or ""] for v in views],
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


def _decide(asset: str, word: str, verdict: Verdict | None) -> None:
    settings = load_settings()
    with opened(settings) as database, database.write() as session:
        decide(session, asset, word, verdict)
    out.print(f"{word}: {verdict or 'undecided'}", markup=False)
