"""Folders become libraries, are renamed, put first, looked through, confirmed and forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.cli import Dam
from tests.e2e.asking import add_library, library_of, remove_library, wait_for
from tests.e2e.conftest import serving
from tests.e2e.machine import Machine
from tests.media import BLUE, write_jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Locator

    from tests.e2e.conftest import Server

SCAN_MS = 60_000  # other tests run beside this one
PHOTOS = 40


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A dam without libraries whose web app may use the folders of these tests."""
    roots = tmp_path_factory.mktemp("disk")
    settings = {"threads": "1", "decoders": "1", "folder_roots": str(roots)}
    with serving(Dam(tmp_path_factory.mktemp("home"), settings)) as running:
        yield running


@pytest.fixture
def disk(machine: Server, tmp_path: Path) -> Path:
    """A folder of this test alone that may become libraries."""
    roots = machine.get("/api/v1/folders")["roots"]
    folder = type(tmp_path)(roots[0]) / tmp_path.name
    folder.mkdir()
    return folder


@pytest.fixture
def holiday(machine: Server, disk: Path) -> Iterator[Path]:
    """A library of many photos."""
    folder = disk / "Holiday"
    write_photos(folder)
    add_library(machine, folder)
    yield folder
    remove_library(machine, folder)


def write_photos(folder: Path) -> None:
    for number in range(PHOTOS):
        write_jpeg(folder / f"{number}.jpg", BLUE, seed=number)


def open_picker(page: Page, disk: Path) -> Locator:
    page.get_by_role("button", name="Choose a folder").click()
    picker = page.get_by_role("dialog", name="Choose a folder")
    picker.get_by_role("button", name=disk.name, exact=True).click()
    expect(picker.get_by_text(str(disk), exact=True)).to_be_visible()
    return picker


def test_a_folder_of_the_server_is_picked(page: Page, machine: Server, disk: Path) -> None:
    write_jpeg(disk / "Work" / "2024" / "office.jpg", BLUE, seed=9)
    (disk / "Other").mkdir()
    page.goto(f"{machine.url}/libraries")
    picker = open_picker(page, disk)
    picker.get_by_role("button", name="Work").click()
    expect(picker.get_by_role("button", name="2024")).to_be_visible()
    picker.get_by_role("button", name="To the folder above").click()
    expect(picker.get_by_role("button", name="Other")).to_be_visible()
    picker.get_by_role("button", name="Work").click()
    picker.get_by_role("button", name="Add “Work”").click()
    expect(picker).to_have_count(0)
    expect(page.get_by_role("article", name="Work")).to_contain_text("1 file", timeout=SCAN_MS)
    remove_library(machine, disk / "Work")


def test_a_folder_outside_the_roots_is_refused_with_the_setting(
    page: Page, machine: Server, tmp_path: Path, expected_messages: set[str]
) -> None:
    expected_messages.add("status of 403")
    page.goto(f"{machine.url}/libraries")
    page.get_by_label("Or type the path of a folder").fill(str(tmp_path))
    page.get_by_role("button", name="Add folder").click()
    expect(page.get_by_role("alert").filter(has_text="DAM_FOLDER_ROOTS")).to_be_visible()


def test_a_folder_that_is_a_library_already_says_so(
    page: Page, machine: Server, disk: Path, holiday: Path, expected_messages: set[str]
) -> None:
    expected_messages.add("status of 409")
    page.goto(f"{machine.url}/libraries")
    picker = open_picker(page, disk)
    expect(picker.get_by_role("button", name="Holiday")).to_contain_text("is a library")
    picker.get_by_role("button", name="Holiday").click()
    picker.get_by_role("button", name="Add “Holiday”").click()
    expect(picker.get_by_role("alert")).to_contain_text("Holiday")


def test_a_library_is_renamed_with_the_keyboard(page: Page, machine: Server, holiday: Path) -> None:
    page.goto(f"{machine.url}/libraries")
    page.get_by_role("button", name="Rename Holiday").press("Enter")
    expect(page.get_by_label("Name of the library")).to_be_focused()
    page.keyboard.type("Summer")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Summer")).to_be_visible()
    expect(page.get_by_role("button", name="Rename Summer")).to_be_focused()
    assert library_of(machine, holiday)["name"] == "Summer"


def test_a_library_is_put_before_the_others(page: Page, machine: Server, holiday: Path) -> None:
    page.goto(f"{machine.url}/libraries")
    first = page.get_by_role("button", name="First")
    first.click()
    expect(first).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(first).to_have_attribute("aria-pressed", "true")
    assert library_of(machine, holiday)["priority"] == 1


def test_scan_now_looks_through_the_folder(page: Page, machine: Server, holiday: Path) -> None:
    before = library_of(machine, holiday)["scanned_at"]
    page.goto(f"{machine.url}/libraries")
    page.get_by_role("button", name="Scan now").click()
    expect(page.get_by_text("Looking through Holiday.")).to_be_visible()
    wait_for(lambda: library_of(machine, holiday)["scanned_at"] != before)


def test_removing_says_first_what_is_lost_and_leaves_the_files(
    page: Page, machine: Server, holiday: Path
) -> None:
    page.goto(f"{machine.url}/libraries")
    page.get_by_role("button", name="Remove…").click()
    question = page.get_by_role("dialog", name="Remove Holiday?")
    expect(question).to_contain_text(f"{PHOTOS} files in the list of files")
    expect(question).to_contain_text(f"{PHOTOS} pictures, videos and sounds")
    question.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("article", name="Holiday")).to_be_visible()
    page.get_by_role("button", name="Remove…").click()
    question.get_by_role("button", name="Remove the library").click()
    expect(page.get_by_role("article")).to_have_count(0)
    expect(page.get_by_role("heading", name="Add your first folder")).to_be_visible()
    assert (holiday / "1.jpg").is_file()


def test_a_folder_that_is_away_is_no_loss(
    page: Page, machine: Server, holiday: Path, tmp_path: Path
) -> None:
    holiday.rename(tmp_path / "unplugged")
    page.goto(f"{machine.url}/libraries")
    card = page.get_by_role("article", name="Holiday")
    page.get_by_role("button", name="Scan now").click()
    expect(card.get_by_text("Not there at the moment.")).to_be_visible(timeout=SCAN_MS)
    expect(card.get_by_text("Nothing is lost")).to_be_visible()
    (tmp_path / "unplugged").rename(holiday)
    page.get_by_role("button", name="Scan now").click()
    expect(card.get_by_text("Not there at the moment.")).to_have_count(0, timeout=SCAN_MS)


def test_many_files_gone_at_once_are_decided_by_a_person(page: Page, tmp_path: Path) -> None:
    folder = tmp_path / "disk" / "Holiday"
    write_photos(folder)
    machine = Machine(tmp_path / "home", roots=tmp_path / "disk")
    with machine.running() as server:
        add_library(server, folder)
    gone = sorted(folder.iterdir())[:35]  # while nobody watches, so not one by one
    for path in gone:
        path.unlink()
    with machine.running() as server:
        decide_that_they_are_gone(page, server, len(gone))


def decide_that_they_are_gone(page: Page, server: Server, gone: int) -> None:
    page.goto(f"{server.url}/libraries")
    card = page.get_by_role("article", name="Holiday")
    page.get_by_role("button", name="Scan now").click()
    expect(card.get_by_text("Set aside until you decide.")).to_be_visible(timeout=SCAN_MS)
    card.get_by_role("button", name="Decide…").click()
    question = page.get_by_role("dialog", name="Are the files really gone?")
    expect(question).to_contain_text(f"{gone} of {PHOTOS} files are gone")
    question.get_by_role("button", name="They are gone").click()
    expect(card.get_by_text("Set aside until you decide.")).to_have_count(0, timeout=SCAN_MS)
    expect(card).to_contain_text(f"{gone} missing", timeout=SCAN_MS)
