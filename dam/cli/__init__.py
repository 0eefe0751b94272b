"""The command line: `dam --help`. Each module holds the commands of one concept.

Commands parse, call one service and print; nothing here decides anything. Importing this loads no
machine-learning library, so that help and listings are instant.
"""

from __future__ import annotations

import sys

import typer

from dam.cli.context import fail
from dam.cli.duplicates import duplicates_app
from dam.cli.export import export_app
from dam.cli.index import index, reindex
from dam.cli.libraries import library_app
from dam.cli.models import models_app
from dam.cli.pause import pause, resume
from dam.cli.people import people_app
from dam.cli.search import search
from dam.cli.service import encoder, serve, watch, web, worker
from dam.cli.status import config, status, verify
from dam.cli.tags import tags_app
from dam.cli.trash import trash_app
from dam.errors import DamError

app = typer.Typer(
    name="dam",
    help="Find photos, moments in video and sounds by what they show, on your own machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(library_app, name="library")
app.add_typer(models_app, name="models")
app.add_typer(tags_app, name="tags")
app.add_typer(trash_app, name="trash")
app.add_typer(duplicates_app, name="duplicates")
app.add_typer(people_app, name="people")
app.add_typer(export_app, name="export")
for command in (
    index,
    search,
    status,
    pause,
    resume,
    serve,
    worker,
    watch,
    reindex,
    verify,
    config,
):
    app.command()(command)
for internal in (web, encoder):
    app.command(hidden=True)(internal)


def main() -> None:
    """Entry point. An error that dam raises on purpose is one line, not a traceback."""
    try:
        app()
    except DamError as error:
        fail(str(error))
    except BrokenPipeError:  # `dam search … | head`
        sys.stderr.close()
        sys.exit(0)
