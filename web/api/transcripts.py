"""What is said in an asset: its lines, as subtitles, and a person's word over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import Field

from dam.subtitles import SubtitleFormat, subtitles
from dam.transcripts import Transcript, edit_line, read_transcript
from web.files import REVALIDATE
from web.services import services
from web.shapes import Request, answer

if TYPE_CHECKING:
    from typing import Any

bp = APIBlueprint("transcripts", __name__, url_prefix="/assets/<asset_id>", tag="Media")
MOST_TYPED = 4_000  # characters, of which `dam.transcripts` takes fewer and says how many
Position = Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)]
TYPES = {SubtitleFormat.VTT: "text/vtt", SubtitleFormat.SRT: "application/x-subrip"}


class LineBody(Request):
    start_s: Position = Field(description="As the line has it.")
    end_s: Position
    text: Annotated[str, Field(max_length=MOST_TYPED)] | None = Field(
        description="Empty: nothing is said there. null: what was heard, unedited."
    )


class SubtitleQuery(Request):
    english: bool = Field(False, description="The translation, where there is one.")


def documented(mimetype: str) -> dict[int, Any]:
    body = {"content": {mimetype: {"schema": {"type": "string"}}}}
    return {200: {"description": "The subtitles.", **body}, 304: "Not modified"}


@bp.get("/transcript")
@bp.output(answer(Transcript))
def get_transcript(asset_id: str) -> Transcript:
    """Tell what is said in an asset, line by line and word by word."""
    with services().database.read() as session:
        return read_transcript(session, asset_id)


@bp.patch("/transcript")
@bp.input(LineBody)
@bp.output(answer(Transcript))
def change_line(asset_id: str, json_data: LineBody) -> Transcript:
    """Write over a line, or take that back. Outlives listening again."""
    database = services().database
    with database.write() as session:
        start_us, end_us = round(json_data.start_s * 1e6), round(json_data.end_s * 1e6)
        edit_line(session, asset_id, start_us, end_us, json_data.text)
    with database.read() as session:
        return read_transcript(session, asset_id)


@bp.get("/transcript.vtt")
@bp.input(SubtitleQuery, location="query")
@bp.doc(responses=documented("text/vtt"))
def get_webvtt(asset_id: str, query_data: SubtitleQuery) -> Response:
    """Serve what is said as a WebVTT track for players."""
    return _subtitles(asset_id, SubtitleFormat.VTT, query_data)


@bp.get("/transcript.srt")
@bp.input(SubtitleQuery, location="query")
@bp.doc(responses=documented("application/x-subrip"))
def get_subrip(asset_id: str, query_data: SubtitleQuery) -> Response:
    """Serve what is said as SubRip subtitles."""
    return _subtitles(asset_id, SubtitleFormat.SRT, query_data)


def _subtitles(asset_id: str, form: SubtitleFormat, query: SubtitleQuery) -> Response:
    with services().database.read() as session:
        transcript = read_transcript(session, asset_id)
    text = subtitles(transcript.lines, form, in_english=query.english)
    response = Response(text, mimetype=TYPES[form])
    response.add_etag()
    response.headers["Cache-Control"] = REVALIDATE
    response.make_conditional(request)
    return response
