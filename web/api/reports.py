"""Reports to take along: what quality control measured."""

from __future__ import annotations

import io
import tempfile
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field
from sqlalchemy import select

from dam.errors import BadRequest
from dam.export.qc import checked_assets, write_csv, write_json
from dam.search.filters import conditions, has_file
from dam.tables import Asset
from dam.trash import not_in_trash
from web.files import disposition
from web.filters import FilterQuery
from web.services import services

if TYPE_CHECKING:
    from typing import Any

bp = APIBlueprint("reports", __name__, url_prefix="/reports", tag="Reports")
MOST_IDS = 100
IN_MEMORY_BYTES = 1 << 20  # a larger report goes through a file
CHUNK_BYTES = 1 << 16


class ReportFormat(StrEnum):
    JSON = "json"
    CSV = "csv"


TYPES = {ReportFormat.JSON: "application/json", ReportFormat.CSV: "text/csv"}
DOCUMENTED: dict[int, Any] = {
    200: {
        "description": "The report.",
        "content": {mimetype: {"schema": {"type": "string"}} for mimetype in TYPES.values()},
    }
}


class ReportQuery(FilterQuery):
    format: ReportFormat = ReportFormat.JSON
    faults: bool = Field(False, description="Only assets with a fault.")
    ids: Annotated[str, Field(max_length=MOST_IDS * 40)] | None = Field(
        None, description="Of just these, commas between them; filters then count not."
    )


@bp.get("/quality")
@bp.input(ReportQuery, location="query")
@bp.doc(responses=DOCUMENTED)
def get_quality_report(query_data: ReportQuery) -> Response:
    """Serve what quality control measured of some assets, as `dam export qc` writes it."""
    file = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115  # closed with the answer
    text = io.TextIOWrapper(
        cast("BinaryIO", file), encoding="utf-8", newline="", write_through=True
    )
    write = write_csv if query_data.format is ReportFormat.CSV else write_json
    with services().database.read() as session:
        ids = query_data.ids.split(",") if query_data.ids is not None else None
        if ids is not None and len(ids) > MOST_IDS:
            raise BadRequest(f"At most {MOST_IDS} ids make a report, not {len(ids)}.")
        if ids is None:
            wanted = [*conditions(query_data.filters), has_file(), not_in_trash()]
            ids = list(session.scalars(select(Asset.id).where(*wanted).order_by(Asset.id)))
        checked = checked_assets(session, ids)
        write((one for one in checked if one.faults or not query_data.faults), text)
    text.detach()
    file.seek(0)
    response = Response(
        iter(lambda: file.read(CHUNK_BYTES), b""), mimetype=TYPES[query_data.format]
    )
    response.call_on_close(file.close)
    name = f"quality.{query_data.format}"
    response.headers["Content-Disposition"] = disposition(name, download=True)
    response.headers["Cache-Control"] = "private, no-store"
    return response
