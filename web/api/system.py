"""How things are: health for machines, status for people, the API's own document."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import cast

from apiflask import APIBlueprint, APIFlask
from flask import Response, current_app, make_response, render_template
from sqlalchemy.exc import DatabaseError

from dam.errors import RetryLater
from dam.indexing.choice import serving_notice
from dam.indexing.status import (
    IndexerStatus,
    Status,
    read_status,
)
from dam.indexing.troubles import Trouble, read_troubles
from dam.library.watch import read_degraded
from dam.liveness import Process
from web.api.libraries import LibraryView, library_view
from web.services import services
from web.shapes import answer

bp = APIBlueprint("system", __name__, tag="System")
NEEDED = {  # what stands still without each of `dam serve`'s processes
    "worker": "No worker runs: nothing new is indexed.",
    "watch": "No watcher runs: new files are not noticed.",
    "encoder": "No query encoder runs: search goes by names, text and dates only.",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    indexer: str
    reason: str  # with the command that mends it


@dataclass(frozen=True, slots=True)
class LibraryHealth:
    id: str
    name: str
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Health:
    status: str  # ok or degraded
    version: str
    database: str  # ok; when it is not, the answer is a problem with status 503
    problems: list[str]  # what makes it degraded, for people
    libraries: list[LibraryHealth]
    processes: list[Process]
    waiting: list[Waiting]  # work that needs a model; a normal state, not a problem


@dataclass(frozen=True, slots=True)
class StatusView:
    assets: dict[str, int]  # by kind
    indexers: list[IndexerStatus]
    libraries: list[LibraryView]
    processes: list[Process]
    troubles: list[Trouble]
    notice: str | None  # what has to be known about the model that answers searches


@bp.get("/health")
@bp.output(answer(Health))
@bp.doc(responses={503: "The database cannot be read."})
def get_health() -> Health:
    """Say whether everything that should run does, and what does not."""
    owner = services()
    try:
        found = read_status(owner.database, owner.settings)
    except DatabaseError as error:
        raise RetryLater(f"The database cannot be read: {error.orig}") from error
    problems = _problems(found, read_degraded(owner.settings.run_path))
    return Health(
        status="degraded" if problems else "ok",
        version=version("dam"),
        database="ok",
        problems=problems,
        libraries=[
            LibraryHealth(library.id, library.name, library.state, library.reason)
            for library in found.libraries
        ],
        processes=list(found.processes),
        waiting=[
            Waiting(indexer.indexer, indexer.reason) for indexer in found.indexers if indexer.reason
        ],
    )


@bp.get("/status")
@bp.output(answer(StatusView))
def get_status() -> StatusView:
    """Tell what is indexed, what is left, what failed and what waits, like `dam status`."""
    owner = services()
    found = read_status(owner.database, owner.settings)
    return StatusView(
        assets=dict(found.assets),
        indexers=list(found.indexers),
        libraries=[library_view(library) for library in found.libraries],
        processes=list(found.processes),
        troubles=read_troubles(owner.database),
        notice=serving_notice(owner.database, "visual"),
    )


@bp.get("/docs")
@bp.doc(hide=True)
def show_docs() -> Response:
    """The API reference, rendered from the OpenAPI document."""
    return make_response(render_template("docs.html", spec=cast("APIFlask", current_app).spec))


@bp.get("/docs.css")
@bp.doc(hide=True)
def show_docs_style() -> Response:
    """The style of the API reference: the content policy allows no style inside a page."""
    return Response(render_template("docs.css"), mimetype="text/css")


def _problems(found: Status, unwatched: dict[str, str]) -> list[str]:
    """`unwatched`: library id → why its changes are found by scans alone."""
    running = {process.role for process in found.processes}
    problems = [why for role, why in NEEDED.items() if role not in running]
    for library in found.libraries:
        if library.state != "online":
            why = library.reason or "no reason given"
            problems.append(f"The library {library.name!r} is {library.state}: {why}")
        elif library.id in unwatched:
            problems.append(f"The library {library.name!r}: {unwatched[library.id]}")
    return problems
