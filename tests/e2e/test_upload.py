"""Files on their way into a library: dropped, compared, sent, cut off, and gone on with."""

from __future__ import annotations

import random
import re
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Error, Page, Request, Route, expect

from tests.e2e.asking import add_library, remove_library, wait_for_previews
from tests.e2e.machine import Machine
from tests.media import BLUE, GREEN, RED, write_jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Locator

    from tests.e2e.conftest import Server

CHUNK_BYTES = 8 << 20
TRANSFER = re.compile(r"/api/v1/uploads/[0-9a-f]+$")
LONG_MS = 60_000  # hashing and sending while other tests run


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    roots = tmp_path_factory.getbasetemp()
    found = Machine(tmp_path_factory.mktemp("home"), roots=roots)
    with found.running():
        yield found


@pytest.fixture
def library(machine: Machine, tmp_path: Path) -> Iterator[Path]:
    """The one library there is, empty at first."""
    folder = tmp_path / "Library"
    folder.mkdir()
    add_library(machine.server, folder)
    yield folder
    remove_library(machine.server, folder)


def write_film(path: Path, chunks: int = 3) -> Path:
    """Bytes that no decoder understands and that are sent in several parts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(random.Random(path.name).randbytes(chunks * CHUNK_BYTES - 1000))
    return path


def drop(page: Page, *paths: Path) -> None:
    """As a person drags files and folders from the desktop, and lets go once the page says so."""
    client = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}

    def drag(kind: str) -> None:
        client.send("Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 400, "data": data})

    drag("dragEnter")
    expect(page.get_by_text("Drop files or folders")).to_be_visible()
    drag("dragOver")
    drag("drop")
    client.detach()


def add(page: Page, *paths: Path, folder: str = "") -> None:
    drop(page, *paths)
    question = page.get_by_role("dialog")
    question.get_by_label("Folder in it").fill(folder)
    question.get_by_role("button", name="Add to Library").click()
    expect(question).to_have_count(0)


def panel(page: Page) -> Locator:
    return page.get_by_role("region", name="Uploads")


def release(held: list[Route]) -> None:
    """Ends what was held back: Playwright waits for an answer to each of them."""
    for route in held:
        with suppress(Error):  # the page does not wait for it any more
            route.abort()


def offsets_sent(page: Page) -> list[int]:
    """The offset of every part that is sent from now on."""
    sent: list[int] = []

    def note(request: Request) -> None:
        if request.method == "PATCH" and TRANSFER.search(request.url):
            sent.append(int(request.headers["upload-offset"]))

    page.on("request", note)
    return sent


def test_files_and_folders_dropped_anywhere_are_added(
    page: Page, machine: Machine, library: Path, tmp_path: Path
) -> None:
    photo = write_jpeg(tmp_path / "desktop" / "kite.jpg", RED, seed=1)
    trip = tmp_path / "desktop" / "Iceland"
    write_jpeg(trip / "Day 1" / "geyser.jpg", BLUE, seed=2)
    write_jpeg(trip / "moss.jpg", GREEN, seed=3)
    (trip / ".DS_Store").write_bytes(b"hidden")
    page.goto(f"{machine.server.url}/work")
    drop(page, photo, trip)
    question = page.get_by_role("dialog", name="Add 3 files")
    expect(question.get_by_text("folders that are kept")).to_be_visible()
    question.get_by_label("Folder in it").fill("2024/Summer")
    question.get_by_role("button", name="Add to Library").click()
    expect(panel(page).get_by_text("All added")).to_be_visible(timeout=LONG_MS)
    expect(panel(page).get_by_text("3 added", exact=True)).to_be_visible()
    found = {str(path.relative_to(library)) for path in library.rglob("*") if path.is_file()}
    assert found == {
        "2024/Summer/kite.jpg",
        "2024/Summer/Iceland/moss.jpg",
        "2024/Summer/Iceland/Day 1/geyser.jpg",
    }
    assert (library / "2024/Summer/kite.jpg").read_bytes() == photo.read_bytes()
    wait_for_previews(machine.server, 3)
    page.get_by_role("link", name="Library", exact=True).first.click()
    expect(page.locator("[data-asset]")).to_have_count(3, timeout=LONG_MS)


def test_what_is_there_already_is_not_sent_again(
    page: Page, machine: Machine, library: Path, tmp_path: Path
) -> None:
    known = write_jpeg(library / "known.jpg", RED, seed=4)
    wait_for_previews(machine.server, 1)
    copied = tmp_path / "desktop" / "another name.jpg"
    copied.parent.mkdir()
    shutil.copy(known, copied)
    page.goto(machine.server.url)
    sent = offsets_sent(page)
    add(page, copied)
    expect(panel(page).get_by_text("is in a library already")).to_be_visible(timeout=LONG_MS)
    expect(panel(page).get_by_text("1 already there")).to_be_visible()
    assert sent == []
    panel(page).get_by_role("button", name="Show another name.jpg").click()
    expect(page.get_by_role("dialog", name=re.compile("known.jpg"))).to_be_visible()


def test_after_a_reload_the_same_files_go_on_where_they_stopped(
    page: Page, machine: Machine, library: Path, tmp_path: Path
) -> None:
    film = write_film(tmp_path / "desktop" / "film.mp4")
    page.on("dialog", lambda asked: asked.accept())  # "leave the page?"
    page.goto(machine.server.url)
    parts, held = 0, list[Route]()

    def hold_from_the_second(route: Route) -> None:
        nonlocal parts
        parts += 1
        if parts == 1:
            route.continue_()
        else:
            held.append(route)

    page.route(TRANSFER, hold_from_the_second)
    add(page, film)
    expect(panel(page).get_by_text("33 % sent")).to_be_visible(timeout=LONG_MS)
    page.wait_for_timeout(1500)  # the reminder is written at most once a second
    page.reload()
    release(held)
    page.unroute(TRANSFER)
    expect(panel(page).get_by_text("1 file was not sent to the end")).to_be_visible()
    sent = offsets_sent(page)
    add(page, film)
    expect(panel(page).get_by_text("All added")).to_be_visible(timeout=LONG_MS)
    assert sent[0] == CHUNK_BYTES
    assert (library / "film.mp4").read_bytes() == film.read_bytes()
    page.reload()
    expect(page.locator("main")).to_be_visible()
    expect(panel(page)).to_have_count(0)


def test_an_upload_outlives_a_restart_of_the_server(
    page: Page,
    machine: Machine,
    library: Path,
    tmp_path: Path,
    expected_messages: set[str],
) -> None:
    expected_messages |= {"ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE"}
    expected_messages |= {"ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_SOCKET_NOT_CONNECTED"}
    film = write_film(tmp_path / "desktop" / "film.mp4")
    page.goto(machine.server.url)
    parts = 0

    def stop_at_the_second(route: Route) -> None:
        nonlocal parts
        parts += 1
        if parts == 2:
            machine.stop()
        route.continue_()

    page.route(TRANSFER, stop_at_the_second)
    add(page, film)
    expect(panel(page).get_by_text("dam does not answer.", exact=False).first).to_be_visible(
        timeout=LONG_MS
    )
    sent = offsets_sent(page)
    machine.start()
    expect(panel(page).get_by_text("All added")).to_be_visible(timeout=LONG_MS)
    assert sent[0] == CHUNK_BYTES
    assert (library / "film.mp4").read_bytes() == film.read_bytes()
    expect(page.get_by_role("alert").filter(has_text="does not answer")).to_have_count(0)


def test_uploads_rest_go_on_and_are_cancelled(
    page: Page, machine: Machine, library: Path, tmp_path: Path
) -> None:
    film = write_film(tmp_path / "desktop" / "film.mp4")
    other = write_film(tmp_path / "desktop" / "other.mp4")
    page.goto(machine.server.url)
    held: list[Route] = []
    page.route(TRANSFER, lambda route: held.append(route))
    add(page, film)
    expect(panel(page).get_by_text("0 % sent")).to_be_visible(timeout=LONG_MS)
    panel(page).get_by_role("button", name="Pause the uploads").click()
    expect(panel(page).get_by_text("Paused")).to_be_visible()
    release(held)
    page.unroute(TRANSFER)
    page.wait_for_timeout(500)
    assert not (library / "film.mp4").exists()
    panel(page).get_by_role("button", name="Go on with the uploads").click()
    expect(panel(page).get_by_text("All added")).to_be_visible(timeout=LONG_MS)

    page.route(TRANSFER, lambda route: held.append(route) if len(held) < 3 else route.continue_())
    held.clear()
    with page.expect_request(TRANSFER, timeout=LONG_MS):  # else nothing would be held back
        add(page, other)
    expect(panel(page).get_by_text("0 % sent")).to_be_visible(timeout=LONG_MS)
    page.unroute(TRANSFER)
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as forgotten:
        panel(page).get_by_role("button", name="Cancel other.mp4").click()
    assert forgotten.value.status == 204
    expect(panel(page).get_by_text("1 cancelled")).to_be_visible()
    release(held)
    assert not (library / "other.mp4").exists()


def test_a_refused_file_says_why_and_the_others_are_added(
    page: Page,
    machine: Machine,
    library: Path,
    tmp_path: Path,
    expected_messages: set[str],
) -> None:
    expected_messages.add("status of 400")
    photo = write_jpeg(tmp_path / "desktop" / "kite.jpg", RED, seed=5)
    notes = tmp_path / "desktop" / "notes.txt"
    notes.write_text("no picture")
    empty = tmp_path / "desktop" / "empty.jpg"
    empty.touch()
    page.goto(f"{machine.server.url}/work")  # where no tile asks for a preview too early
    add(page, photo, notes, empty)
    expect(panel(page).get_by_text("2 files not added")).to_be_visible(timeout=LONG_MS)
    expect(panel(page).get_by_text("it is no photo, video or sound file")).to_be_visible()
    expect(panel(page).get_by_text("The file is empty.")).to_be_visible()
    assert [path.name for path in library.iterdir()] == ["kite.jpg"]
    panel(page).get_by_role("button", name="Try notes.txt again").click()
    expect(panel(page).get_by_text("it is no photo, video or sound file")).to_be_visible()
    panel(page).get_by_role("button", name="Close the uploads").click()
    expect(panel(page)).to_have_count(0)


def test_files_are_chosen_with_a_button_where_nothing_can_be_dragged(
    page: Page, machine: Machine, library: Path, tmp_path: Path
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    photo = write_jpeg(tmp_path / "phone" / "IMG_1.jpg", GREEN, seed=6)
    page.goto(f"{machine.server.url}/libraries")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add files…").click()
    chooser.value.set_files(photo)
    page.get_by_role("dialog").get_by_role("button", name="Add to Library").click()
    expect(panel(page).get_by_text("All added")).to_be_visible(timeout=LONG_MS)
    assert (library / "IMG_1.jpg").read_bytes() == photo.read_bytes()


def test_without_a_library_one_is_asked_for(page: Page, newcomer: Server, tmp_path: Path) -> None:
    photo = write_jpeg(tmp_path / "desktop" / "kite.jpg", RED, seed=7)
    page.goto(newcomer.url)
    drop(page, photo)
    question = page.get_by_role("dialog", name="Add 1 file")
    expect(question.get_by_role("button", name="Choose a folder…")).to_be_visible()
