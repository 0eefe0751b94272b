"""Uploads: files sent in parts, resumed after any interruption, checked by their hash."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import Field

from dam.errors import BadRequest
from dam.uploads import UploadState, WrongOffset
from web.problems import problem
from web.services import services
from web.shapes import Request, answer

if TYPE_CHECKING:
    from collections.abc import Iterator

bp = APIBlueprint("uploads", __name__, url_prefix="/uploads", tag="Uploads")

MOST_CHECKED = 1_000
SILENCE_S = 30.0  # a client that sends nothing for so long is gone; it holds a thread until then
PATIENCE_S = 2.0  # for a free slot: parts are short
OFFSET = "Upload-Offset"
_OFFSET = re.compile(r"[0-9]{1,19}", re.ASCII)

Name = Annotated[str, Field(min_length=1, max_length=1000)]
Blake3 = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Of the whole file, in hex.")]
Size = Annotated[int, Field(ge=1)]


class FileBody(Request):
    name: Name
    size_bytes: Size
    blake3: Blake3


class CheckBody(Request):
    files: Annotated[list[FileBody], Field(max_length=MOST_CHECKED)]


class UploadBody(FileBody):
    library_id: Annotated[str, Field(min_length=1, max_length=100)]
    folder: str = Field("", max_length=4096, description="Below the library's own; made if absent.")


@dataclass(frozen=True, slots=True)
class CheckedFile:
    known: str | None  # the asset that has these bytes already


@dataclass(frozen=True, slots=True)
class CheckedFiles:
    files: list[CheckedFile]  # in the order they were named


@bp.post("/check")
@bp.input(CheckBody)
@bp.output(answer(CheckedFiles))
def check(json_data: CheckBody) -> CheckedFiles:
    """Say which of up to 1,000 files are here already, before any of them is sent."""
    known = services().uploads.known([file.blake3 for file in json_data.files])
    return CheckedFiles([CheckedFile(known.get(file.blake3)) for file in json_data.files])


@bp.post("")
@bp.input(UploadBody)
@bp.output(answer(UploadState), status_code=201)
@bp.doc(
    responses={
        403: "The library's folder cannot be written to.",
        413: "The file is larger than DAM_UPLOAD_MB.",
        507: "The file does not fit on the disk.",
    }
)
def begin(json_data: UploadBody) -> UploadState:
    """Announce a file, or find how far it has come: the same file again goes on."""
    return services().uploads.begin(
        json_data.library_id,
        json_data.folder,
        json_data.name,
        json_data.size_bytes,
        json_data.blake3,
    )


@bp.get("/<upload_id>")
@bp.output(answer(UploadState))
def get(upload_id: str) -> UploadState:
    """Tell how far an upload has come, and for a day after its end where the file lies."""
    return services().uploads.state(upload_id)


@bp.patch("/<upload_id>")
@bp.output(answer(UploadState))
@bp.doc(
    extensions={"x-part": {"header": OFFSET, "mimetype": "application/octet-stream"}},
    responses={
        409: "It does not begin where the upload stands; `offset` says where that is.",
        413: "The part is larger than 16 MiB, or longer than what is missing.",
        422: "The file is complete and its hash is wrong; the upload is forgotten.",
        507: "The disk is full.",
    },
)
def append(upload_id: str) -> UploadState | Response:
    """Send the next part, at most 16 MiB; the last one puts the file into its library."""
    owner = services()
    owner.originals.take(patience_s=PATIENCE_S)
    try:
        return owner.uploads.append(upload_id, _offset(), _part())
    except WrongOffset as error:
        kind = "urn:problem-type:dam:wrong-offset"
        return problem(409, str(error), kind=kind, offset=error.offset)
    finally:
        owner.originals.give_back()


@bp.delete("/<upload_id>")
@bp.output({}, status_code=204)
def forget(upload_id: str) -> str:
    """Throw away what has arrived of a file; one that is in its library already stays there."""
    services().uploads.forget(upload_id)
    return ""


def _offset() -> int:
    asked = request.headers.get(OFFSET, "")
    if not _OFFSET.fullmatch(asked):
        raise BadRequest(f"The header {OFFSET} must say at which byte of the file the part begins.")
    return int(asked)


def _part() -> bytes:
    """The whole body, before anything is locked or written: a client that stalls holds up nobody
    but itself, and half a part changes nothing."""
    length = request.content_length or 0
    if "Transfer-Encoding" in request.headers:
        raise BadRequest("The header Content-Length must say how long the part is.")
    with _silence_ends():
        part = request.get_data(cache=False)
    if len(part) != length:
        raise BadRequest(f"Only {len(part):,} of {length:,} bytes arrived; send the part again.")
    return part


@contextmanager
def _silence_ends() -> Iterator[None]:
    """gunicorn waits for a body without end, and its threads are few. Werkzeug answers 400."""
    connection = request.environ.get("gunicorn.socket")
    if connection is None:
        yield
        return
    before_s = connection.gettimeout()
    connection.settimeout(SILENCE_S)
    try:
        yield
    finally:
        connection.settimeout(before_s)
