"""Progress: what the indexers have done, as a snapshot and as a stream of events."""

from __future__ import annotations

import select
import time
from dataclasses import asdict, dataclass
from socket import MSG_PEEK, socket
from typing import TYPE_CHECKING, Annotated, Any

from apiflask import APIBlueprint
from flask import Response, json, request
from pydantic import Field, StringConstraints

from dam.indexing.pause import pause, resume
from dam.indexing.plan import open_registry, retry_failed
from dam.indexing.troubles import TroublePage, list_troubles
from dam.library.libraries import library_statuses
from dam.library.scan_requests import request_scan
from web.progress import PERIOD_S, Jobs
from web.services import Services, services
from web.shapes import Page, Request, answer

if TYPE_CHECKING:
    from collections.abc import Iterator

HEARTBEAT_S = 1.0  # longer: behind a proxy, a page that is gone holds its slot for that long
LOOK_S = 0.25  # longer: a page that is gone holds its slot; shorter: idle streams cost more
PATIENCE_S = 1.0  # a page that was reloaded takes the slot that its older self is leaving
STREAM: dict[int | str, Any] = {
    200: {
        "description": "Events named `jobs`, each with a snapshot as `GET /jobs` gives it.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    503: "As many streams as DAM_WEB_THREADS allows are open.",
}
RunId = Annotated[str, StringConstraints(pattern=r"^\d{1,18}$")]
bp = APIBlueprint("jobs", __name__, url_prefix="/jobs", tag="Jobs")


@dataclass(frozen=True, slots=True)
class Retried:
    retried: int


class FailuresQuery(Page):
    indexer: str | None = Field(None, max_length=200, description="Only runs of this one.")


class RetryBody(Request):
    indexer: str | None = Field(None, max_length=200)
    run_ids: list[RunId] | None = Field(
        None, max_length=1000, description="Only these; null: every one that failed."
    )


class PauseBody(Request):
    indexer: str | None = Field(None, max_length=200, description="Only this one; null: all.")


@bp.get("")
@bp.output(answer(Jobs))
def get_jobs() -> Jobs:
    """Count the runs of every indexer by state."""
    return services().progress.read()


@bp.get("/stream")
@bp.doc(responses=STREAM)
def stream_jobs() -> Response:
    """Stream snapshots as server-sent events: one at once, then when something changed."""
    owner = services()
    owner.streams.take(patience_s=PATIENCE_S)
    response = Response(_events(owner, _connection()), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
    response.call_on_close(owner.streams.give_back)
    return response


@bp.get("/failed")
@bp.input(FailuresQuery, location="query")
@bp.output(answer(TroublePage))
def list_failed(query_data: FailuresQuery) -> TroublePage:
    """List files that cannot be read, then runs that failed, newest first, with their reasons."""
    with services().database.read() as session:
        return list_troubles(
            session,
            limit=query_data.limit,
            cursor=query_data.cursor,
            indexer=query_data.indexer,
        )


@bp.post("/retry")
@bp.input(RetryBody)
@bp.output(answer(Retried))
def retry(json_data: RetryBody) -> Retried:
    """Try failed and quarantined runs again: some, those of one indexer, or all.

    With all of them, files that cannot be read are tried again as well.
    """
    owner = services()
    run_ids = None if json_data.run_ids is None else [int(number) for number in json_data.run_ids]
    if json_data.indexer is None and run_ids is None:
        for library in library_statuses(owner.database):
            if library.unreadable:
                request_scan(owner.settings.run_path, library.id)
    return Retried(retry_failed(owner.database, json_data.indexer, run_ids))


@bp.post("/pause")
@bp.input(PauseBody)
@bp.output(answer(Jobs))
@bp.doc(responses={404: "There is no such indexer."})
def pause_work(json_data: PauseBody) -> Jobs:
    """Let one indexer or all of them rest within seconds, until they are resumed."""
    owner = services()
    pause(owner.database, open_registry(owner.database, owner.settings), json_data.indexer)
    return owner.progress.read(fresh=True)


@bp.post("/resume")
@bp.input(PauseBody)
@bp.output(answer(Jobs))
@bp.doc(responses={404: "There is no such indexer."})
def resume_work(json_data: PauseBody) -> Jobs:
    """Go on with everything, or with one indexer and those whose findings it needs."""
    owner = services()
    resume(owner.database, open_registry(owner.database, owner.settings), json_data.indexer)
    return owner.progress.read(fresh=True)


def _events(owner: Services, connection: socket | None) -> Iterator[str]:
    yield "retry: 3000\n\n"
    sent = None
    next_read_s = silent_since_s = time.monotonic()
    while True:
        if time.monotonic() >= next_read_s:
            next_read_s = time.monotonic() + PERIOD_S
            snapshot = json.dumps(asdict(owner.progress.read()))
            if snapshot != sent:
                yield f"event: jobs\ndata: {snapshot}\n\n"
                sent, silent_since_s = snapshot, time.monotonic()
            elif time.monotonic() - silent_since_s >= HEARTBEAT_S:
                yield ": still here\n\n"
                silent_since_s = time.monotonic()
        if owner.stopping.wait(LOOK_S) or _has_left(connection):
            return


def _connection() -> socket | None:
    """The socket of this request, where the server tells it (gunicorn)."""
    found = request.environ.get("gunicorn.socket")
    return found if isinstance(found, socket) else None


def _has_left(connection: socket | None) -> bool:
    """Whether the other side closed: a stream asks for nothing more, so only an end can come."""
    if connection is None:
        return False
    waiting = select.poll()  # not `select.select`, which fails from the 1024th open file on
    waiting.register(connection, select.POLLIN)
    try:
        return bool(waiting.poll(0)) and not connection.recv(1, MSG_PEEK)
    except OSError:
        return True
