"""Writes the table of endpoints in docs/api.md: `python -m web.reference` after a change.

A test fails when the table and the endpoints differ.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from dam.config import Settings
from web.app import create_app
from web.services import EXTENSION

MANUAL = Path(__file__).parent.parent / "docs" / "api.md"
BEGIN, END = "<!-- endpoints -->\n", "<!-- /endpoints -->"


def endpoint_table(spec: dict[str, Any]) -> str:
    """Markdown: one row for each operation, grouped by tag."""
    rows = ["| endpoint | parameters | what it does |", "|---|---|---|"]
    operations = [
        (operation["tags"][0] if operation.get("tags") else "", path, method, operation)
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
    ]
    for _, path, method, operation in sorted(operations, key=lambda row: row[:3]):
        names = [f"`{p['name']}`" for p in operation["parameters"] if p["in"] == "query"]
        rows.append(f"| `{method.upper()} {path}` | {', '.join(names)} | {operation['summary']} |")
    return "\n".join(rows) + "\n"


def with_table(manual: str, table: str) -> str:
    head, _, rest = manual.partition(BEGIN)
    return head + BEGIN + table + END + rest.partition(END)[2]


def current_table() -> str:
    with tempfile.TemporaryDirectory() as home:
        app = create_app(Settings(home=Path(home)))
        spec = app.spec
        app.extensions[EXTENSION].close()
    assert isinstance(spec, dict)
    return endpoint_table(spec)


if __name__ == "__main__":
    MANUAL.write_text(with_table(MANUAL.read_text(), current_table()))
