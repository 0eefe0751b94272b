"""`dam search`: the best moments for a sentence or a picture, with reasons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dam.cli.context import Json, load_settings, opened, out, print_json, printable
from dam.contracts import Kind
from dam.errors import BadRequest
from dam.indexing.encoder import open_query_encoder
from dam.media.sandbox import Limits, Sandbox

if TYPE_CHECKING:
    from typing import Any

    from dam.config import Settings
    from dam.contracts import Pixels


def search(
    text: Annotated[
        list[str] | None,
        typer.Argument(help='What to look for. "quoted words" must be found; kind:video filters.'),
    ] = None,
    kind: Annotated[Kind | None, typer.Option("--kind", help="Only this kind.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Most results.")] = 20,
    like: Annotated[
        Path | None, typer.Option("--like", help="Find what looks like this picture.")
    ] = None,
    similar: Annotated[
        str | None,
        typer.Option("--similar", help="Find what looks like this asset; sounds like a recording."),
    ] = None,
    at_s: Annotated[
        float | None, typer.Option("--at", min=0, help="Only at this second of it.")
    ] = None,
    by_sound: Annotated[
        bool, typer.Option("--by-sound", help="What it sounds like, of a video too.")
    ] = False,
    json: Json = False,
) -> None:
    """Search photos, videos and recordings by what is seen, heard and written of them."""
    from dam.search import Filters, Query, SearchService, results_as_json

    if similar is None and (at_s is not None or by_sound):
        raise BadRequest("--at and --by-sound say what of --similar ASSET is meant.")
    if similar is not None and (like is not None or text):
        raise BadRequest("--similar asks for an asset alone, without words and without --like.")
    settings = load_settings()
    with opened(settings) as database:
        service = SearchService(
            database,
            settings,
            lambda: open_query_encoder(database, settings),
            sound=lambda: open_query_encoder(database, settings, "sound_space"),
            words=lambda: open_query_encoder(database, settings, "words"),
        )
        query = Query(
            text=" ".join(text or []),
            filters=Filters(kinds=frozenset({kind}) if kind else frozenset()),
            limit=limit,
            like=_picture(settings, like) if like else None,
            like_asset=similar,
            like_at_s=at_s,
            like_sound=by_sound,
        )
        found = results_as_json(service.search(query))
    if json:
        print_json(found)
    else:
        _show(found)


def _picture(settings: Settings, path: Path) -> Pixels:
    if not path.is_file():
        raise BadRequest(f"--like {path}: there is no such file.")
    limits = Limits(
        timeout_s=settings.decode_timeout_s,
        memory_mb=settings.decode_memory_mb,
        max_pixels=settings.max_pixels,
    )
    with Sandbox(limits) as sandbox:
        return sandbox.photo(path).image


def _show(found: dict[str, Any]) -> None:
    for number, hit in enumerate(found["results"], 1):
        out.print(
            f"[bold]{number:>3}  {hit['score']:.2f}[/]  {printable(hit['path'])}", soft_wrap=True
        )
        for moment in hit["moments"]:
            if moment["start_s"] is not None:
                start, end = _clock(moment["start_s"]), _clock(moment["end_s"])
                out.print(f"           [cyan]{start}–{end}[/]  {moment['score']:.2f}")
        for reason in hit["why"]:
            out.print(f"           {printable(reason)}", style="dim", soft_wrap=True)
    if not found["results"]:
        out.print("Nothing found.")
    for entry in found["waiting"]:
        text = entry.get("reason") or f"{entry.get('pending')} files are still being indexed"
        out.print(
            f"[yellow]Not complete[/] ({entry['channel']}): {printable(text)}", soft_wrap=True
        )
    if found["model"] and found["model"]["notice"]:
        out.print(printable(found["model"]["notice"]), style="dim", soft_wrap=True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
