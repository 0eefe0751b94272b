"""What the machine is doing, what it could not do, and how a person makes it rest or try again."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.cli import Dam
from tests.e2e.asking import previews, wait_for
from tests.e2e.conftest import serving, write_library

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Server

RAN_OUT = "The decoder ran out of memory (DAM_DECODE_MEMORY_MB is 2048)."


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A library without a model, two of whose previews could not be made the last time."""
    home = tmp_path_factory.mktemp("home")
    dam = Dam(home, {"threads": "1", "decoders": "1"})
    dam.run("library", "add", str(write_library(tmp_path_factory.mktemp("media") / "Holiday")))
    dam.run("index")
    with closing(sqlite3.connect(home / "dam.sqlite3")) as database, database:
        database.execute(
            "UPDATE runs SET state = 'failed', attempts = 3, error = ? WHERE id IN"
            " (SELECT runs.id FROM runs JOIN producers ON producers.id = producer_id"
            "  WHERE indexer = 'previews' ORDER BY runs.id LIMIT 2)",
            (RAN_OUT,),
        )
    with serving(dam) as running:
        yield running


def test_every_indexer_and_every_file_that_cannot_be_read_is_shown(
    page: Page, troubled: Server
) -> None:
    page.goto(troubled.url)
    page.get_by_role("link", name=re.compile("^(Work|Indexing)")).first.click()
    expect(page.get_by_role("heading", name="Work", exact=True)).to_be_visible()
    for indexer in troubled.get("/api/v1/jobs")["indexers"]:
        bar = page.get_by_role("progressbar", name=indexer["indexer"], exact=True)
        expect(bar).to_have_count(1)
    problems = page.get_by_role("region", name="Problems")
    broken = problems.get_by_role("listitem").filter(has_text="broken.jpg")
    expect(broken).to_contain_text("cannot be read:")
    expect(broken).to_contain_text("Holiday")


def test_work_rests_and_goes_on(page: Page, troubled: Server) -> None:
    page.goto(f"{troubled.url}/work")
    page.get_by_role("button", name="Pause shots").click()
    expect(page.get_by_role("button", name="Go on with shots")).to_be_visible()
    page.get_by_role("button", name="Pause everything").click()
    expect(page.get_by_text("Everything rests.")).to_be_visible()
    assert troubled.get("/api/v1/jobs")["paused"] is True
    expect(page.get_by_role("link", name="Paused")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Go on", exact=True).click()
    expect(page.get_by_role("button", name="Pause everything")).to_be_visible()
    assert troubled.get("/api/v1/jobs")["paused"] is False


def test_a_missing_model_is_named_with_the_command_that_mends_it(
    page: Page, troubled: Server
) -> None:
    page.goto(f"{troubled.url}/work")
    expect(page.get_by_text("dam models pull", exact=False).first).to_be_visible()
    page.get_by_role("link", name="To the models").first.click()  # each that waits has one
    expect(page).to_have_url(f"{troubled.url}/models")


def test_what_does_not_run_is_said(page: Page, troubled: Server) -> None:
    health = troubled.get("/api/v1/health")
    health["problems"] = ["No worker runs: nothing new is indexed."]
    page.route("**/api/v1/health", lambda route: route.fulfill(json=health))
    page.goto(f"{troubled.url}/work")
    stopped = page.get_by_role("list", name="What does not run")
    expect(stopped).to_contain_text("No worker runs: nothing new is indexed.")


def test_what_failed_is_tried_again_one_by_one_and_all_at_once(
    page: Page, troubled: Server
) -> None:
    page.goto(f"{troubled.url}/work")
    failed = page.get_by_role("listitem").filter(has_text=RAN_OUT)
    expect(failed).to_have_count(2)
    expect(failed.first).to_contain_text("3 attempts")
    failed.first.get_by_role("button", name=re.compile("^Try previews of")).click()
    expect(failed).to_have_count(1)
    page.get_by_role("button", name="Try all that failed again").click()
    expect(failed).to_have_count(0)
    wait_for(lambda: previews(troubled)["done"] == 5)
