"""`dam serve` and its parts: web, watcher, workers, encoder, each a process of its own.

Each imports what it needs when it starts, so that no process carries the libraries of another.
"""

from __future__ import annotations

import importlib
from typing import Annotated

import typer

from dam.cli.context import Supervised, load_settings, opened, out
from dam.indexing.supervise import stop_event
from dam.serve import check_bind, run_services


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (DAM_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (DAM_PORT).")] = None,
) -> None:
    """Run everything: the web app, the watcher, the workers and the query encoder."""
    settings = load_settings(host=host, port=port)
    check_bind(settings)
    stop = stop_event(supervised=False)
    with opened(settings, "serve"):
        out.print(f"dam serves http://{settings.host}:{settings.port} — Ctrl-C stops it.")
        run_services(settings, stop)


def worker(
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="End when nothing is left to do.")
    ] = False,
    supervised: Supervised = False,
) -> None:
    """Run one worker: claim runs, index, store, until it is stopped."""
    from dam.indexing.worker import Worker

    settings = load_settings()
    stop = stop_event(supervised=supervised)
    with opened(settings, "worker") as database:
        Worker(database, settings, stop).run(until_idle=until_idle)


def watch(supervised: Supervised = False) -> None:
    """Watch the libraries and plan work for what changes."""
    from dam.indexing.plan import open_registry, plan_runs
    from dam.library.watch import Watcher

    settings = load_settings()
    stop = stop_event(supervised=supervised)
    with opened(settings, "watch") as database:

        def plan(_counts: object) -> None:
            plan_runs(database, open_registry(database, settings))

        Watcher(database, settings, on_progress=plan).run(stop)


def encoder(supervised: Supervised = False) -> None:
    """Answer query vectors over a local socket."""
    from dam.indexing.encoder import EncoderServer

    settings = load_settings()
    stop = stop_event(supervised=supervised)
    with opened(settings, "encoder") as database:
        EncoderServer(database, settings).run(stop)


def web(supervised: Supervised = False) -> None:
    """Run the web server alone."""
    settings = load_settings()
    check_bind(settings)
    stop = stop_event(supervised=supervised)
    with opened(settings, "web"):
        # By name: the web stands above dam, and dam must not import it.
        importlib.import_module("web.server").serve(settings, stop)
