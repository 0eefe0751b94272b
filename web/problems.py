"""Every error as RFC 9457 problem details (`application/problem+json`), from one place.

Owns the table that turns dam's error families into status codes. Bugs answer 500 without their
traceback, which goes to the log.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from filelock import Timeout
from flask import Response, json, request
from sqlalchemy.exc import OperationalError
from werkzeug.http import HTTP_STATUS_CODES

from dam.disk import is_full
from dam.errors import (
    BadRequest,
    Conflict,
    DamError,
    DiskFull,
    NotAllowed,
    NotFound,
    OverLimit,
    Permanent,
    RetryLater,
    SchemaBusy,
)

if TYPE_CHECKING:
    from apiflask import APIFlask, HTTPError

PROBLEM = "application/problem+json"
RETRY_AFTER_S = 5  # shorter: clients press while nothing can have changed; longer: it looks dead
STATUSES: tuple[tuple[type[DamError], int], ...] = (  # the first family that fits
    (NotFound, 404),
    (BadRequest, 400),
    (NotAllowed, 403),
    (Conflict, 409),
    (OverLimit, 413),
    (Permanent, 422),
    (DiskFull, 507),
    (RetryLater, 503),
    (SchemaBusy, 503),
)

# How the OpenAPI document describes every error answer.
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "What went wrong, for programs."},
        "title": {"type": "string", "description": "The meaning of the status code."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What went wrong, for people."},
        "errors": {
            "type": "object",
            "description": "With 422: what is wrong with each field.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
    "additionalProperties": True,
}


class Unavailable(RetryLater):
    """Too many clients use this at the same time."""


def problem(status: int, detail: str, *, kind: str = "about:blank", **members: Any) -> Response:
    """One problem document; `members` are the extension members of RFC 9457."""
    body = {
        "type": kind,
        "title": HTTP_STATUS_CODES.get(status, "Error"),
        "status": status,
        "detail": detail,
        **members,
    }
    response = Response(json.dumps(body), status, mimetype=PROBLEM)
    response.headers["Cache-Control"] = "no-store"
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def install(app: APIFlask) -> None:
    app.error_processor(_http_problem)
    app.register_error_handler(DamError, _dam_problem)
    app.register_error_handler(OperationalError, _busy_problem)
    app.register_error_handler(Timeout, _busy_problem)
    app.register_error_handler(OSError, _disk_problem)
    app.register_error_handler(Exception, _bug_problem)


def _http_problem(error: HTTPError) -> Response:
    if isinstance(error.detail, dict) and error.detail:
        errors = {
            field: messages
            for fields in error.detail.values()
            for field, messages in fields.items()
        }
        wrong = "; ".join(f"{field}: {' '.join(said)}" for field, said in errors.items())
        answer = problem(error.status_code, f"The request is not valid: {wrong}", errors=errors)
    else:
        answer = problem(error.status_code, str(error.message))
    for name, value in dict(error.headers).items():
        if name.lower() in {"allow", "content-range", "retry-after"}:
            answer.headers[name] = value
    return answer


def _dam_problem(error: DamError) -> Response:
    status = next((code for family, code in STATUSES if isinstance(error, family)), 500)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()
    return problem(status, str(error), kind=f"urn:problem-type:dam:{words}")


def _busy_problem(error: Exception) -> Response:
    """SQLite was locked longer than its busy timeout, or its disk is full."""
    logging.getLogger(__name__).warning("database: %s", error)
    return problem(503, "The database cannot be used right now; try again.")


def _disk_problem(error: OSError) -> Response:
    """Where nothing more precise was said."""
    if is_full(error):
        return problem(507, "The disk of DAM_HOME is full.", kind="urn:problem-type:dam:disk-full")
    return _bug_problem(error)


def _bug_problem(error: Exception) -> Response:
    logging.getLogger(__name__).error("%s %s", request.method, request.path, exc_info=error)
    return problem(500, "Something went wrong inside dam; its log says what.")
