"""What every command needs: settings, the database, and one way to print."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import structlog
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from dam.config import Settings
from dam.liveness import announce
from dam.schema import open_database

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dam.db import Database

Json = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
Supervised = Annotated[bool, typer.Option("--supervised", hidden=True)]

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def load_settings(**overrides: Any) -> Settings:
    """From the environment; `overrides` are command line options that were given."""
    try:
        settings = Settings(**{k: v for k, v in overrides.items() if v is not None})
    except ValidationError as error:
        faults = [f"DAM_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
        fail("Wrong settings. " + "; ".join(faults))
    _set_up_logging(settings.log_level)
    return settings


@contextmanager
def opened(settings: Settings, role: str = "cli") -> Iterator[Database]:
    """The database at the newest schema, with this process announced to the others."""
    database = open_database(settings)
    announce(settings.run_path, role)
    try:
        yield database
    finally:
        database.close()


def print_json(value: Any) -> None:
    """Dataclasses and plain values, as UTF-8 JSON on standard output."""
    sys.stdout.write(json.dumps(_plain(value), ensure_ascii=False, indent=2) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else printable(str(cell)) for cell in row))
    out.print(table)


def printable(text: str) -> str:
    """Text from files may hold anything: control characters and markup stay inert."""
    visible = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return visible.replace("[", "\\[")


def fail(message: str) -> NoReturn:
    err.print(f"[bold red]dam:[/] {printable(message)}", soft_wrap=True)
    sys.exit(1)


def human_bytes(size_bytes: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(entry) for entry in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _set_up_logging(level: str) -> None:
    """Plain lines on standard error; times only where a service writes them to a file."""
    renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S"),
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            renderer,
        ]
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("dam").setLevel(level.upper())
    logging.getLogger("indexers").setLevel(level.upper())
    logging.getLogger("web").setLevel(level.upper())
