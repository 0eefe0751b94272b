"""Puts the web app together: API, pages, errors, security. Loads no machine-learning library."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from apiflask import APIFlask

from web import problems, security
from web.api import (
    assets,
    duplicates,
    faces,
    folders,
    jobs,
    libraries,
    media,
    models,
    people,
    places,
    reports,
    search,
    sound_events,
    system,
    tags,
    transcripts,
    uploads,
    vocabulary,
    writing,
)
from web.pages import pages
from web.services import EXTENSION, Services
from web.shapes import flatten_names

if TYPE_CHECKING:
    from typing import Any

    from dam.config import Settings

API = "/api/v1"
MODULES = (
    libraries,
    folders,
    assets,
    media,
    places,
    search,
    tags,
    vocabulary,
    duplicates,
    people,
    faces,
    uploads,
    jobs,
    models,
    system,
    transcripts,
    sound_events,
    reports,
    writing,
)
DESCRIPTION = """Everything the web app does, and nothing else, goes through these endpoints.

Ids are opaque. Times end in `_at` (RFC 3339, UTC), durations in `_s` (seconds), lengths in `_px`.
Errors are RFC 9457 problem details. Lists are paged by `cursor`. Until dam has a login it answers
on this machine only, and to no page of another site."""


def create_app(settings: Settings) -> APIFlask:
    """The WSGI application over one data directory, with the schema brought up to date."""
    app = APIFlask(
        __name__,
        title="dam",
        version=version("dam"),
        docs_path=None,
        openapi_blueprint_url_prefix=API,
        static_folder=None,  # type: ignore[arg-type]  # `web.pages` serves them
    )
    app.config.update(
        DESCRIPTION=DESCRIPTION,
        AUTO_OPERATION_ID=True,
        AUTO_SERVERS=False,
        HTTP_ERROR_SCHEMA=problems.PROBLEM_SCHEMA,
        VALIDATION_ERROR_SCHEMA=problems.PROBLEM_SCHEMA,
    )
    app.extensions[EXTENSION] = Services(settings)
    problems.install(app)
    security.install(app)
    for module in MODULES:
        app.register_blueprint(module.bp, url_prefix=f"{API}{module.bp.url_prefix or ''}")
    app.get("/health")(system.get_health)
    app.register_blueprint(pages())
    app.spec_processor(_finish_spec)  # type: ignore[arg-type]  # JSON, so a dict
    return app


def _finish_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """Plain schema names, and every error under its own media type."""
    spec = flatten_names(spec)
    schemas = spec["components"]["schemas"]
    for name in ("HTTPError", "ValidationError"):  # APIFlask's, replaced by one shape
        schemas.pop(name, None)
    schemas["Problem"] = problems.PROBLEM_SCHEMA
    body = {problems.PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in spec["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status >= "400":
                    response["content"] = body
            _describe_part(operation)
    return spec


def _describe_part(operation: dict[str, Any]) -> None:
    """A body of plain bytes with its header, for which APIFlask has no words."""
    part = operation.pop("x-part", None)
    if part is None:
        return
    header = {"in": "header", "name": part["header"], "required": True}
    operation["parameters"].append({**header, "schema": {"type": "integer", "minimum": 0}})
    schema = {"type": "string", "format": "binary"}
    operation["requestBody"] = {"required": True, "content": {part["mimetype"]: {"schema": schema}}}
