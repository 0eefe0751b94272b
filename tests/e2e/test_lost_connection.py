"""A server that does not answer: said once, asked again, and forgotten when it is back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.e2e.conftest import Server


def test_a_lost_server_is_said_on_every_page_and_can_be_asked_at_once(
    page: Page, server: Server, expected_messages: set[str]
) -> None:
    expected_messages.add("ERR_INTERNET_DISCONNECTED")
    page.goto(f"{server.url}/libraries")
    page.get_by_role("article").first.wait_for()
    page.get_by_role("navigation").get_by_role("link", name="Work").click()
    page.get_by_role("progressbar").first.wait_for()
    page.context.set_offline(True)
    page.get_by_role("button", name="Pause everything").click()
    lost = page.get_by_role("alert").filter(has_text="dam does not answer.")
    expect(lost).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Libraries").click()
    expect(lost).to_be_visible()
    lost.get_by_role("button", name="Try now").click()
    expect(lost.get_by_role("button", name="Try now")).to_be_enabled()
    page.context.set_offline(False)
    lost.get_by_role("button", name="Try now").click()
    expect(lost).to_have_count(0)
    expect(page.get_by_role("article").first).to_be_visible()
    assert server.get("/api/v1/jobs")["paused"] is False, "what was refused was not done"
