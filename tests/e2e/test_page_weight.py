"""What the page weighs, and what it is made of."""

from __future__ import annotations

import gzip
import re
import subprocess
from typing import TYPE_CHECKING

from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.e2e.conftest import Server

UI = REPOSITORY / "web" / "ui"
STATIC = REPOSITORY / "web" / "static"
FIRST_LOAD_BYTES = 100_000  # what is in the way of the first picture
ALL_BYTES = 200_000  # every page and the viewer, each fetched when it is first gone to


def compressed_bytes(scripts: Iterable[Path]) -> int:
    return sum(len(gzip.compress(path.read_bytes())) for path in scripts)


def with_imports(scripts: Iterable[Path]) -> set[Path]:
    """These and what they import at once; what is fetched later is asked for by a call."""
    waiting = list(scripts)
    found: set[Path] = set()
    while waiting:
        script = waiting.pop()
        if script in found:
            continue
        found.add(script)
        names = re.findall(r'(?:from|import)\s*"\./([^"]+\.js)"', script.read_text())
        waiting += [script.parent / name for name in names]
    return found


def test_first_load_is_small() -> None:
    assets = STATIC / "assets"
    entries = re.findall(r'"/assets/([^"]+\.js)"', (STATIC / "index.html").read_text())
    (library,) = assets.glob("LibraryPage-*.js")
    assert entries
    first = with_imports([library, *(assets / name for name in entries)])
    assert compressed_bytes(first) <= FIRST_LOAD_BYTES
    assert compressed_bytes(assets.glob("*.js")) <= ALL_BYTES


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
