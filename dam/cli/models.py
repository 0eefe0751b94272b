"""`dam models`: what is on this machine, under which licence, and how to get the rest."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dam.cli.context import (
    Json,
    Supervised,
    human_bytes,
    load_settings,
    opened,
    out,
    print_json,
    print_table,
    printable,
)
from dam.indexing.choice import chosen_models
from dam.indexing.supervise import stop_event
from dam.models import ModelCondition, ModelStore

if TYPE_CHECKING:
    from dam.models import ModelState

models_app = typer.Typer(help="The models on this machine.", no_args_is_help=True)


@models_app.command("list")
def list_models(json: Json = False) -> None:
    """Show every known model: state, licence, size, sha256, and the command that mends it."""
    settings = load_settings()
    with opened(settings) as database:
        states = ModelStore(settings).list(chosen_models(database, settings))
    if json:
        print_json({"models": states})
        return
    print_table(
        ["Model", "For", "State", "Licence", "Size", "sha256", "From"],
        [
            [
                f"{state.name} (in use)" if state.in_use else state.name,
                state.indexer,
                state.state,
                state.licence,
                human_bytes(state.size_bytes),
                (state.sha256 or "")[:12],
                state.source,
            ]
            for state in states
        ],
    )
    for state in states:
        if state.reason:
            out.print(f"{state.name}: {printable(state.reason)}", soft_wrap=True)
        if state.notice and state.in_use:
            out.print(printable(state.notice), soft_wrap=True)
        if state.mend:
            out.print(f"{state.name}: [bold]{state.mend}[/]", soft_wrap=True)


@models_app.command()
def pull(
    name: Annotated[str, typer.Argument(help="A preset or an open_clip name.")],
    supervised: Supervised = False,
) -> None:
    """Download a model, verify it, and put it in place."""
    if supervised:
        _end_with_the_parent()
    _tell(ModelStore(load_settings()).pull(name))


@models_app.command()
def verify(name: Annotated[str, typer.Argument()], json: Json = False) -> None:
    """Read every byte of a model again and compare it with its manifest."""
    state = ModelStore(load_settings()).verify(name)
    if json:
        print_json(state)
    else:
        _tell(state)
    if state.state is not ModelCondition.READY:
        raise typer.Exit(1)


@models_app.command("import")
def import_model(
    path: Annotated[Path, typer.Argument(help="A model folder with safetensors weights.")],
    name: Annotated[str | None, typer.Option("--name", help="What to call it here.")] = None,
) -> None:
    """Copy a model folder from this machine."""
    _tell(ModelStore(load_settings()).import_folder(path, name))


def _end_with_the_parent() -> None:
    """At any time: a download has nothing to finish, the next one goes on where it stopped."""
    stop = stop_event(supervised=True)

    def wait_and_end() -> None:
        stop.wait()
        os._exit(1)

    threading.Thread(target=wait_and_end, daemon=True, name="end").start()


def _tell(state: ModelState) -> None:
    out.print(
        f"{state.name}: {state.state}, {state.licence}, {human_bytes(state.size_bytes)}, "
        f"sha256 {state.sha256}",
        soft_wrap=True,
    )
    if state.reason:
        out.print(state.reason, markup=False)
