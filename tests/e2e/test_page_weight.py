"""What the page weighs, and what it is made of."""

from __future__ import annotations

import gzip
import re
import subprocess
from typing import TYPE_CHECKING

from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Server

UI = REPOSITORY / "web" / "ui"
STATIC = REPOSITORY / "web" / "static"
FIRST_LOAD_BYTES = 150_000


def test_first_load_is_small() -> None:
    scripts = list((STATIC / "assets").glob("*.js"))
    assert scripts
    assert sum(len(gzip.compress(path.read_bytes())) for path in scripts) <= FIRST_LOAD_BYTES


def test_page_has_nothing_inline_and_asks_nobody_else() -> None:
    page = (STATIC / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page)
    for path in (STATIC / "assets").glob("*.[cj]s*"):
        outside = re.findall(r"https?://[^\"'`\s)]+", path.read_text())
        names = {"http://www.w3.org", "https://svelte.dev", "https://github.com"}  # never fetched
        assert not [url for url in outside if not any(url.startswith(name) for name in names)]


def test_types_are_those_of_the_api(server: Server, tmp_path: Path) -> None:
    made = tmp_path / "schema.d.ts"
    url = f"{server.url}/api/v1/openapi.json"
    command = ["npm", "run", "--silent", "types", "--", url, "-o", str(made)]
    subprocess.run(command, cwd=UI, check=True, capture_output=True, timeout=120)
    mend = "with dam serve running: npm run types -- URL/api/v1/openapi.json -o src/api/schema.d.ts"
    assert made.read_text() == (UI / "src" / "api" / "schema.d.ts").read_text(), mend
