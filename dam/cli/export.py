"""`dam export`: reports and files for other tools."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dam.cli.context import err, load_settings, opened
from dam.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import TextIO

    from dam.config import Settings
    from dam.db import Database

export_app = typer.Typer(help="Export: reports for other tools.", no_args_is_help=True)


class ReportFormat(StrEnum):
    JSON = "json"
    CSV = "csv"


@export_app.callback()
def export() -> None:
    """Keeps `dam export qc` a command of its own while there is only one."""


@export_app.command()
def qc(
    path: Annotated[
        Path | None, typer.Option("--out", help="The file to write; else standard output.")
    ] = None,
    form: Annotated[
        ReportFormat | None, typer.Option("--format", help="Else as the file is named; JSON.")
    ] = None,
    query: Annotated[
        str | None, typer.Option("--query", help="Of what this search finds; else of all.")
    ] = None,
    asset: Annotated[
        list[str] | None, typer.Option("--asset", help="Of this asset; may be repeated.")
    ] = None,
    faults: Annotated[bool, typer.Option("--faults", help="Only assets with a fault.")] = False,
) -> None:
    """Write what quality control measured: sharpness, exposure, black frames, loudness…"""
    from dam.export.qc import checked_assets, write_csv, write_json

    if query is not None and asset:
        raise BadRequest("--query and --asset exclude each other.")
    settings = load_settings()
    is_csv = form is ReportFormat.CSV or (
        form is None and path is not None and path.suffix.lower() == ".csv"
    )
    with opened(settings) as database:
        chosen = _found(database, settings, query) if query is not None else asset
        with database.read() as session, _opened(path) as out:
            checked = checked_assets(session, chosen)
            wanted = (one for one in checked if one.faults) if faults else checked
            count = (write_csv if is_csv else write_json)(wanted, out)
    if asset and not faults and count < len(set(asset)):
        raise NotFound(f"{len(set(asset)) - count} of the assets are not there or have no file.")
    if path is not None:
        err.print(f"{count} assets: {path}", markup=False, soft_wrap=True)


def _found(database: Database, settings: Settings, text: str) -> list[str]:
    from dam.indexing.encoder import open_query_encoder
    from dam.search import Query, SearchService
    from dam.search.service import LARGEST

    service = SearchService(database, settings, lambda: open_query_encoder(database, settings))
    return [hit.asset_id for hit in service.search(Query(text, limit=LARGEST)).results]


def _opened(path: Path | None) -> AbstractContextManager[TextIO]:
    if path is None:
        return nullcontext(sys.stdout)
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise BadRequest(f"--out {path}: {error.strerror}.") from error
