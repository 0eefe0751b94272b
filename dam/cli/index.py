"""`dam index` and `dam reindex`: scan, then work until nothing is left, with progress."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from dam.cli.context import Json, err, load_settings, opened, out, print_json, printable
from dam.errors import BadRequest
from dam.indexing.choice import choose_model, return_to_earlier_model
from dam.indexing.claim import reclaim_lost
from dam.indexing.plan import forget_runs, open_registry, plan_runs, retry_failed
from dam.indexing.status import Status, read_status
from dam.indexing.supervise import Child, Supervisor
from dam.indexing.troubles import read_troubles
from dam.indexing.worker import living_workers
from dam.library.update import update_libraries
from dam.liveness import living
from dam.tables import now_us
from dam.teaching import refresh_taught
from dam.vectors.upkeep import compact_indexes

if TYPE_CHECKING:
    from rich.progress import Task

    from dam.config import Settings
    from dam.db import Database
    from dam.library.update import Counts

LOOK_S = 0.5  # between two looks at the run table
SHOWN_TROUBLES = 20


def index(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Only these folders or files; empty means all.")
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Try failed and quarantined files again.")
    ] = False,
    json: Json = False,
) -> None:
    """Scan the libraries and index what is new, until nothing is left to do."""
    settings = load_settings()
    with opened(settings, "index") as database:
        if retry:
            retry_failed(database)
        _index_to_idle(database, settings, paths or [], retry=retry, as_json=json)


def reindex(
    indexer: Annotated[
        str, typer.Option("--indexer", help="The indexer that shall work again.")
    ] = "visual",
    model: Annotated[
        str | None,
        typer.Option(
            "--model", help="Use this model from now on; the old one serves until it is through."
        ),
    ] = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Return to the model that served before.")
    ] = False,
    json: Json = False,
) -> None:
    """Index everything again with one indexer, or change its model without a gap."""
    settings = load_settings()
    with opened(settings, "index") as database:
        registry = open_registry(database, settings)
        if indexer not in registry.classes:
            raise BadRequest(
                f"There is no indexer {indexer}; there is {', '.join(registry.classes)}."
            )
        if rollback:
            returned = return_to_earlier_model(database, indexer)
            err.print(f"{indexer} works with {printable(returned)} again.")
        elif model is not None:
            choose_model(database, settings, indexer, model)
        else:
            plan_runs(database, registry)
            forget_runs(database, indexer)
        _index_to_idle(database, settings, [], retry=False, as_json=json)


def _index_to_idle(
    database: Database, settings: Settings, paths: list[Path], *, retry: bool, as_json: bool
) -> None:
    started_us = now_us()
    served = any(process.role == "worker" for process in living(settings.run_path))
    if served:
        err.print("A dam server is running: its workers index, this shows their progress.")
    scan = _Scan(database, settings, paths, retry=retry)
    view = _ProgressView(enabled=not as_json and out.is_terminal)
    registry = open_registry(database, settings)
    plan_runs(database, registry)
    stopped = threading.Event()
    was_paused: list[str] = []
    previous = signal.signal(signal.SIGINT, lambda *_: stopped.set())
    try:
        with Supervisor(settings, [], log_files=True) as supervisor, view, ExitStack() as stack:
            scan.start()
            stack.callback(scan.stop)
            while not stopped.is_set():
                done_scanning = scan.finished
                supervisor.check()
                reclaim_lost(database, settings, living_workers(settings))
                status = read_status(database, settings, since_us=started_us, registry=registry)
                view.show(status, scan)
                was_paused = _say_paused(status, was_paused)
                if status.busy and not served and not supervisor.children:
                    for _ in range(settings.workers):  # not sooner: often nothing has changed
                        supervisor.add(Child("worker"))
                if done_scanning and not status.busy:
                    break
                time.sleep(LOOK_S)
            if stopped.is_set():
                err.print("Stopping; what is unfinished stays in the queue.")
    finally:
        signal.signal(signal.SIGINT, previous)
    plan_runs(database, open_registry(database, settings))  # a complete space switches now
    if not served:
        compact_indexes(database, settings)
        refresh_taught(database)
    status = read_status(database, settings, since_us=started_us)
    _report(database, status, scan.result(), as_json=as_json)
    if stopped.is_set():
        raise typer.Exit(130)


def _say_paused(status: Status, said: list[str]) -> list[str]:
    """Says what rests as soon as it does: it would look like a hang."""
    paused = [entry.indexer for entry in status.indexers if entry.paused]
    if paused and paused != said:
        who = "Indexing is" if status.paused else f"{', '.join(paused)}:"
        err.print(f"{who} paused; files are scanned, and [bold]dam resume[/] goes on with them.")
    return paused


class _Scan:
    """The scan in a thread of its own, so that workers begin with the first files."""

    def __init__(
        self, database: Database, settings: Settings, paths: list[Path], *, retry: bool
    ) -> None:
        self._stop = threading.Event()
        self._counts: Counts | None = None
        self._error: BaseException | None = None
        self.seen = 0

        def work() -> None:
            try:
                registry = open_registry(database, settings)

                def on_progress(counts: Counts) -> None:
                    self.seen = counts.new + counts.changed + counts.moved + counts.unreadable
                    plan_runs(database, registry)

                self._counts = update_libraries(
                    database,
                    settings,
                    paths=paths,
                    retry=retry,
                    on_progress=on_progress,
                    stop=self._stop.is_set,
                )
                plan_runs(database, registry)
            except BaseException as error:
                self._error = error

        self._thread = threading.Thread(target=work, name="scan")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def finished(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> Counts:
        """Raises what ended the scan early."""
        if self._error is not None:
            raise self._error
        assert self._counts is not None
        return self._counts


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f}/s" if speed else "", style="dim")


class _ProgressView:
    """One bar per indexer with rate and ETA; silent when nobody watches."""

    def __init__(self, *, enabled: bool) -> None:
        self._bars = Progress(
            TextColumn("{task.fields[label]:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            _RateColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", style="yellow"),
        )
        self._scan = Progress(SpinnerColumn(), TextColumn("{task.description}"))
        self._scan_task = self._scan.add_task("Scanning")
        self._tasks: dict[str, Any] = {}
        self._live = Live(Group(self._scan, self._bars), console=out) if enabled else None

    def __enter__(self) -> _ProgressView:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, status: Status, scan: _Scan) -> None:
        if self._live is None:
            return
        state = "Scanned" if scan.finished else "Scanning"
        self._scan.update(self._scan_task, description=f"{state}: {scan.seen} new or changed files")
        for indexer in status.indexers:
            total = indexer.total - indexer.waiting
            if indexer.indexer not in self._tasks and total:
                self._tasks[indexer.indexer] = self._bars.add_task(
                    "", label=indexer.indexer, note="", total=total, completed=indexer.ended
                )
            if indexer.indexer in self._tasks:
                note = f"{indexer.failed} failed" if indexer.failed else ""
                note = "paused" if indexer.paused else note
                self._bars.update(
                    self._tasks[indexer.indexer], total=total, completed=indexer.ended, note=note
                )


def _report(database: Database, status: Status, counts: Counts, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "runs": {
                    entry.indexer: {
                        "executed": entry.executed,
                        "done": entry.done,
                        "failed": entry.failed,
                        "quarantined": entry.quarantined,
                        "waiting": entry.waiting,
                    }
                    for entry in status.indexers
                },
                "paused": [entry.indexer for entry in status.indexers if entry.paused],
                "files": {
                    "new": counts.new,
                    "changed": counts.changed,
                    "moved": counts.moved,
                    "missing": counts.missing,
                    "unreadable": counts.unreadable,
                },
            }
        )
        return
    out.print(
        f"Files: {counts.new} new, {counts.changed} changed, {counts.moved} moved, "
        f"{counts.missing} missing, {counts.unreadable} unreadable."
    )
    for note in counts.notes:
        out.print(f"[yellow]{printable(note)}[/]", soft_wrap=True)
    for entry in status.indexers:
        line = f"{entry.indexer:<12} {entry.executed} runs executed; {entry.done} done"
        if entry.failed:
            line += f", [red]{entry.failed} failed[/]"
        if entry.quarantined:
            line += f", [red]{entry.quarantined} quarantined[/]"
        if entry.paused:
            line += f", [yellow]{entry.pending} paused[/]"
        if entry.reason:
            line += f", [yellow]{entry.waiting} waiting[/]: {printable(entry.reason)}"
        out.print(line, soft_wrap=True)
    _print_troubles(database)


def _print_troubles(database: Database) -> None:
    troubles = read_troubles(database, limit=SHOWN_TROUBLES + 1)
    for trouble in troubles[:SHOWN_TROUBLES]:
        what = f"{trouble.indexer}: " if trouble.indexer else ""
        out.print(
            f"[red]{trouble.state}[/] {printable(trouble.path)}: {what}{printable(trouble.reason)}",
            soft_wrap=True,
        )
    if len(troubles) > SHOWN_TROUBLES:
        out.print("… and more: dam status --json lists them all.")
