"""`dam pause` and `dam resume`: let the indexers rest, now and after every restart."""

from __future__ import annotations

from typing import Annotated

import typer

from dam.cli.context import load_settings, opened, out
from dam.indexing import pause as pausing
from dam.indexing.plan import open_registry

Indexer = Annotated[str | None, typer.Option("--indexer", help="Only this one; else everything.")]


def pause(indexer: Indexer = None) -> None:
    """Let the indexers rest within seconds, until `dam resume`. Search goes on."""
    settings = load_settings()
    with opened(settings) as database:
        pausing.pause(database, open_registry(database, settings), indexer)
    out.print(f"{indexer or 'Everything'} is paused; dam resume goes on.")


def resume(indexer: Indexer = None) -> None:
    """Go on with what was paused."""
    settings = load_settings()
    with opened(settings) as database:
        pausing.resume(database, open_registry(database, settings), indexer)
    out.print(f"{indexer or 'Everything'} goes on.")
