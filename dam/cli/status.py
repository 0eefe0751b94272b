"""`dam status`, `dam verify` and `dam config`: how things are."""

from __future__ import annotations

from typing import Annotated

import typer

from dam.cli.context import Json, load_settings, opened, out, print_json, print_table, printable
from dam.config import Settings
from dam.indexing.choice import serving_notice
from dam.indexing.status import read_status
from dam.indexing.troubles import read_troubles
from dam.library.watch import read_degraded
from dam.verify import verify_all


def status(json: Json = False) -> None:
    """Show what is indexed, what is left, what failed and what waits for a model."""
    settings = load_settings()
    with opened(settings) as database:
        found = read_status(database, settings)
        troubles = read_troubles(database)
        notice = serving_notice(database, "visual")
    if json:
        print_json(
            {
                "assets": found.assets,
                "indexers": found.indexers,
                "libraries": found.libraries,
                "processes": found.processes,
                "troubles": troubles,
                "paused": found.paused,
                "notice": notice,
            }
        )
        return
    counted = ", ".join(f"{number} {kind}" for kind, number in sorted(found.assets.items()))
    out.print(f"Assets: {counted or 'none yet'}")
    print_table(
        ["Indexer", "Done", "Pending", "Failed", "Quarantined", "Waiting"],
        [
            [x.indexer, x.done, x.pending + x.leased, x.failed, x.quarantined, x.waiting]
            for x in found.indexers
        ],
    )
    paused = [entry.indexer for entry in found.indexers if entry.paused]
    if paused:
        what = "Everything" if found.paused else ", ".join(paused)
        out.print(f"[yellow]{what}: paused.[/] [bold]dam resume[/] goes on.")
    for entry in found.indexers:
        if entry.reason:
            out.print(
                f"[yellow]{entry.indexer} waits:[/] {printable(entry.reason)}", soft_wrap=True
            )
    if notice:
        out.print(printable(notice), soft_wrap=True)
    for library in found.libraries:
        if library.reason:
            out.print(f"{printable(library.name)}: {printable(library.reason)}", soft_wrap=True)
    for library_id, why in read_degraded(settings.run_path).items():
        name = next((x.name for x in found.libraries if x.id == library_id), library_id)
        out.print(f"{printable(name)} is only scanned: {printable(why)}", soft_wrap=True)
    for trouble in troubles[:20]:
        out.print(
            f"[red]{trouble.state}[/] {printable(trouble.path)}: {printable(trouble.reason)}",
            soft_wrap=True,
        )
    running = ", ".join(f"{x.role} ({x.pid})" for x in found.processes if x.role != "cli")
    out.print(f"Running: {running or 'nothing; `dam serve` starts everything'}")


def verify(
    repair: Annotated[
        bool, typer.Option("--repair", help="Make derived data again; originals are not touched.")
    ] = False,
    json: Json = False,
) -> None:
    """Check the database, the vector index and the previews against each other."""
    settings = load_settings()
    with opened(settings) as database:
        problems = verify_all(database, settings, repair=repair)
    if json:
        print_json({"problems": problems})
    elif not problems:
        out.print("All is well.")
    else:
        for problem in problems:
            done = " (repaired)" if problem.repaired else ""
            out.print(f"{problem.what}: {problem.detail}{done}", markup=False, soft_wrap=True)
    if any(not problem.repaired for problem in problems):
        raise typer.Exit(1)


def config(json: Json = False) -> None:
    """Show every setting, its value here, and what it does."""
    settings = load_settings()
    rows = [
        (f"DAM_{name.upper()}", getattr(settings, name), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    if json:
        print_json({name: value for name, value, _ in rows})
    else:
        print_table(["Setting", "Value", "What it does"], rows)
