"""`dam library`: the watched folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dam.cli.context import (
    Json,
    fail,
    load_settings,
    opened,
    out,
    print_json,
    print_table,
    printable,
)
from dam.indexing.status import read_status
from dam.library.libraries import (
    add_library,
    change_library,
    confirm_missing,
    describe_removal,
    remove_library,
)

library_app = typer.Typer(help="The folders that dam watches.", no_args_is_help=True)
NameOrId = Annotated[str, typer.Argument(metavar="NAME", help="The library's name, folder or id.")]


@library_app.command()
def add(
    path: Annotated[Path, typer.Argument(help="The folder. Nothing is ever written into it.")],
    name: Annotated[str | None, typer.Option("--name", help="Default: the folder's name.")] = None,
    json: Json = False,
) -> None:
    """Add a folder."""
    settings = load_settings()
    with opened(settings) as database:
        library = add_library(database, path, name)
    if json:
        print_json({"id": library.id, "name": library.name, "root": str(path.resolve())})
    else:
        out.print(f"Added {library.name}. Index it with: dam index", markup=False)


@library_app.command("list")
def list_all(json: Json = False) -> None:
    """Show the libraries."""
    _show(as_json=json)


@library_app.command("status")
def library_status(json: Json = False) -> None:
    """Show the libraries with their state and file counts."""
    _show(as_json=json)


@library_app.command()
def remove(
    library: NameOrId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Forget a library. The files themselves are never touched."""
    settings = load_settings()
    with opened(settings) as database:
        removal = describe_removal(database, library)
        out.print(
            f"{removal.library}: {removal.files} files are forgotten, {removal.assets_removed} "
            f"assets with what was found in them; {removal.assets_kept} assets with your "
            "decisions are kept. "
            "Your files stay where they are.",
            markup=False,
        )
        if not yes and not typer.confirm("Forget this library?"):
            raise typer.Exit(1)
        remove_library(database, library)


@library_app.command()
def change(
    library: NameOrId,
    name: Annotated[str | None, typer.Option("--name", help="What to call it from now on.")] = None,
    priority: Annotated[
        int | None,
        typer.Option("--priority", help="1: indexed before the others; 0: as usual; -1: after."),
    ] = None,
) -> None:
    """Rename a library, or index it before or after the others."""
    settings = load_settings()
    with opened(settings) as database:
        change_library(database, library, name=name, priority=priority)
    out.print(f"Changed {name or library}.", markup=False)


@library_app.command()
def confirm(library: NameOrId) -> None:
    """Accept that many files are gone, after dam suspended a library because of it."""
    settings = load_settings()
    with opened(settings) as database:
        confirm_missing(database, library)
    out.print("Confirmed; the next dam index goes on.")


def _show(*, as_json: bool) -> None:
    settings = load_settings()
    with opened(settings) as database:
        libraries = read_status(database, settings).libraries
    if as_json:
        print_json({"libraries": libraries})
        return
    if not libraries:
        fail("There is no library yet. Add a folder: dam library add PATH")
    print_table(
        ["Name", "State", "Priority", "Files", "Missing", "Unreadable", "Folder"],
        [
            [x.name, x.state, x.priority, x.present, x.missing, x.unreadable, x.root]
            for x in libraries
        ],
    )
    for library in libraries:
        if library.reason:
            out.print(f"{printable(library.name)}: {printable(library.reason)}", soft_wrap=True)
