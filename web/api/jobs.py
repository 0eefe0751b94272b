"""Progress: what the indexers have done, as a snapshot and as a stream of events."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint
from flask import Response, json

from dam.indexing.plan import retry_failed
from dam.indexing.status import Trouble, read_troubles
from web.progress import PERIOD_S, Jobs
from web.services import Services, services
from web.shapes import Limit, Request, answer

if TYPE_CHECKING:
    from collections.abc import Iterator

HEARTBEAT_S = 15.0  # longer: a page that is gone holds its stream's slot for that long
STREAM: dict[int | str, Any] = {
    200: {
        "description": "Events named `jobs`, each with a snapshot as `GET /jobs` gives it.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    503: "As many streams as DAM_WEB_THREADS allows are open.",
}
bp = APIBlueprint("jobs", __name__, url_prefix="/jobs", tag="Jobs")


@dataclass(frozen=True, slots=True)
class Failures:
    failed: list[Trouble]


@dataclass(frozen=True, slots=True)
class Retried:
    retried: int


class FailuresQuery(Request):
    limit: Limit = 100


class RetryBody(Request):
    indexer: str | None = None


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
    owner.streams.take()
    response = Response(_events(owner), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
    response.call_on_close(owner.streams.give_back)
    return response


@bp.get("/failed")
@bp.input(FailuresQuery, location="query")
@bp.output(answer(Failures))
def list_failed(query_data: FailuresQuery) -> Failures:
    """List files that cannot be read and runs that failed, each with its reason."""
    return Failures(read_troubles(services().database, limit=query_data.limit))


@bp.post("/retry")
@bp.input(RetryBody)
@bp.output(answer(Retried))
def retry(json_data: RetryBody) -> Retried:
    """Try failed and quarantined runs again, of one indexer or of all."""
    return Retried(retry_failed(services().database, json_data.indexer))


def _events(owner: Services) -> Iterator[str]:
    yield "retry: 3000\n\n"
    sent = None
    silent_since_s = time.monotonic()
    while True:
        snapshot = json.dumps(asdict(owner.progress.read()))
        if snapshot != sent:
            yield f"event: jobs\ndata: {snapshot}\n\n"
            sent, silent_since_s = snapshot, time.monotonic()
        elif time.monotonic() - silent_since_s >= HEARTBEAT_S:
            yield ": still here\n\n"
            silent_since_s = time.monotonic()
        if owner.stopping.wait(PERIOD_S):
            return
