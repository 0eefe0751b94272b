"""How requests and answers are described: one way for both, and for the OpenAPI document.

Services return frozen dataclasses, and those are the answers: `answer(AssetPage)` is their JSON
schema. What clients send is parsed by pydantic models that refuse what they do not know.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, RootModel, create_model

Limit = Annotated[int, Field(ge=1, le=200)]
Cursor = Annotated[str, Field(max_length=500)]


class Request(BaseModel):
    """A query string or a body. Unknown names are errors, not silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(Request):
    limit: Limit = 100
    cursor: Cursor | None = Field(None, description="`next_cursor` of the page before.")


@cache
def answer(view: type) -> type[BaseModel]:
    """The JSON of a dataclass, as APIFlask's `output` wants it."""
    return create_model(view.__name__, __base__=RootModel[view])  # type: ignore[valid-type]


def flatten_names(spec: dict[str, Any]) -> dict[str, Any]:
    """Gives every schema its own plain name in an OpenAPI document.

    APIFlask names what is nested in a pydantic model `Outer.Inner`, once for every outer one.
    """
    schemas: dict[str, Any] = spec.get("components", {}).get("schemas", {})
    plain: dict[str, Any] = {}
    for name in sorted(schemas, key=lambda name: "." not in name):  # the inner ones define
        plain.setdefault(name.rpartition(".")[2], schemas[name])
    spec.setdefault("components", {})["schemas"] = plain
    return _with_plain_references(spec)  # type: ignore[no-any-return]


def _with_plain_references(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_plain_references(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: "#/components/schemas/" + value.rpartition("/")[2].rpartition(".")[2]
        if key == "$ref"
        else _with_plain_references(value)
        for key, value in node.items()
        if key != "$defs"
    }
