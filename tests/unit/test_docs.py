"""The documentation keeps up: settings, commands, indexers, links."""

from __future__ import annotations

import re
import shlex
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from dam.cli import app
from dam.config import Settings
from dam.indexing.registry import GROUP
from dam.search.parse import ALIASES, KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
CARDS = REPOSITORY / "dam" / "weights"
PAGES = [*REPOSITORY.glob("*.md"), *DOCS.rglob("*.md"), *CARDS.rglob("*.md")]
PROGRAM = typer.main.get_command(app)
ELSEWHERE = {"DAM_LIBRARY", "DAM_TEST_SHARED", "DAM_DEV_SERVER"}  # of compose, tests and Vite
COMMAND = re.compile(r"(?:\$ |docker compose .* exec dam )?(?:\S+/)?dam ([a-z-].*)")


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command a person can type."""
    if hasattr(command, "commands"):
        for name, part in command.commands.items():
            if not part.hidden:
                yield from commands(part, (*path, name))
    else:
        yield path


def shown_commands(page: Path) -> Iterator[list[str]]:
    """The `dam …` lines in a page's code blocks, without comments."""
    for block in re.findall(r"^```\w*\n(.*?)^```", read(page), re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            found = COMMAND.match(line.strip())
            if found:
                yield shlex.split(found[1].replace("…", ""), comments=True)


def test_every_setting_is_described_as_the_code_describes_it() -> None:
    manual = read(DOCS / "operations.md")
    rows = dict(re.findall(r"^\| `(DAM_\w+)` \| [^|]+ \| (.*) \|$", manual, re.MULTILINE))
    wanted = {f"DAM_{name.upper()}": f.description for name, f in Settings.model_fields.items()}
    assert rows == wanted


def test_documentation_names_no_setting_that_is_not_there() -> None:
    known = {f"DAM_{name.upper()}" for name in Settings.model_fields} | ELSEWHERE
    named = {name for page in PAGES for name in re.findall(r"\bDAM_[A-Z_]*[A-Z]", read(page))}
    assert named <= known


@pytest.mark.parametrize("command", [" ".join(path) for path in commands(PROGRAM)])
def test_user_guide_shows(command: str) -> None:
    shown = [" ".join(words) for words in shown_commands(DOCS / "user-guide.md")]
    assert any(f"{line} ".startswith(f"{command} ") for line in shown)


def test_user_guide_names_every_filter_of_a_query() -> None:
    named = set(re.findall(r"`([a-z-]+):", read(DOCS / "user-guide.md")))
    assert set(KEYS) - set(ALIASES) <= named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_documentation_exist_with_their_options(page: Path) -> None:
    for words in shown_commands(page):
        command: Any = PROGRAM
        rest = list(words)
        while hasattr(command, "commands"):
            assert rest and rest[0] in command.commands, f"{page.name}: dam {' '.join(words)}"
            command = command.commands[rest.pop(0)]
        options = {name for parameter in command.params for name in parameter.opts}
        unknown = [word for word in rest if word.startswith("--") and word not in options]
        assert not unknown, f"{page.name}: dam {' '.join(words)}"


def test_every_built_in_indexer_has_a_page_that_the_user_guide_links() -> None:
    guide = read(DOCS / "user-guide.md")
    built_in = [
        entry.name for entry in entry_points(group=GROUP) if entry.dist and entry.dist.name == "dam"
    ]
    assert built_in
    for name in built_in:
        assert (DOCS / f"indexers/{name}.md").is_file(), name
        assert f"(indexers/{name}.md)" in guide


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", read(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), f"{page.name} → {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", read(linked), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
            assert anchor in slugs, f"{page.name} → {target}"
