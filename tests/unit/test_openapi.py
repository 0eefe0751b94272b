"""The OpenAPI document and the manual name every endpoint, and hold together."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from web.problems import PROBLEM
from web.reference import MANUAL, endpoint_table, with_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

# Pages, the document itself and its rendering: not part of the API.
NOT_API = {
    "pages.page",
    "pages.hashed",
    "openapi.spec",
    "system.show_docs",
    "system.show_docs_style",
}
SENT = ("Body", "Changes", "Library", "Form")  # what clients send may be left out
PARTIAL = {"Problem", "WaitingView"}  # leave out what does not apply


@pytest.fixture
def spec(client: FlaskClient) -> Any:
    return client.get("/api/v1/openapi.json").json


def operations(spec: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_endpoint_is_in_the_document(client: FlaskClient, spec: Any) -> None:
    documented = {(path, method) for path, method, _ in operations(spec)}
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in client.application.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint not in NOT_API
    }
    assert documented == served


def test_the_manual_lists_every_endpoint(spec: Any) -> None:
    manual = MANUAL.read_text()
    current = with_table(manual, endpoint_table(spec))
    assert manual == current, "docs/api.md is out of date: run `python -m web.reference`"


def test_document_is_openapi_31_without_loose_ends(spec: Any) -> None:
    assert spec["openapi"].startswith("3.1")
    schemas = spec["components"]["schemas"]
    wanted = {reference.removeprefix("#/components/schemas/") for reference in references(spec)}
    assert wanted <= set(schemas)
    assert not [name for name in schemas if "." in name or "[" in name]
    assert "$defs" not in json.dumps(spec)
    identifiers = [operation["operationId"] for _, _, operation in operations(spec)]
    assert len(identifiers) == len(set(identifiers))


def test_every_operation_is_described_and_fails_as_a_problem(spec: Any) -> None:
    for path, method, operation in operations(spec):
        assert operation["summary"].endswith("."), (path, method)
        for status, response in operation["responses"].items():
            assert response["description"]
            if status >= "400":
                assert list(response["content"]) == [PROBLEM], (path, method, status)


def test_every_field_of_an_answer_is_always_there(spec: Any) -> None:
    for name, schema in spec["components"]["schemas"].items():
        if not name.endswith(SENT) and name not in PARTIAL:
            assert set(schema.get("required", ())) == set(schema.get("properties", ())), name
