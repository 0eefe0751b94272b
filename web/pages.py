"""The web app's files, as Vite builds them into `web/static`; the API is elsewhere.

Hashed files are kept by browsers for ever, `index.html` never. Paths that look like pages get
`index.html`, since the app routes by itself.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, abort, send_from_directory

STATIC = Path(__file__).parent / "static"
NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>dam</title>
<h1>The web app is not built</h1>
<p>Run <code>make ui</code> in the project, then reload this page.
The API works without it: <a href="/api/v1/docs">/api/v1/docs</a>.</p></html>
"""


def pages(static: Path = STATIC) -> Blueprint:
    bp = Blueprint("pages", __name__)

    @bp.get("/")
    @bp.get("/<path:page>")
    def page(page: str = "") -> Response:
        """The app itself, or one of its files."""
        if page.startswith(("api/", "assets/")) or page == "api":
            abort(404)
        if "." in page.rpartition("/")[2] and page != "index.html" and not _is_folder(page):
            return _file(static, page)
        if not (static / "index.html").is_file():
            return Response(NOT_BUILT, 503, mimetype="text/html")
        return _file(static, "index.html")

    @bp.get("/assets/<path:name>")
    def hashed(name: str) -> Response:
        """A script, style or font with the hash of its bytes in its name."""
        response = send_from_directory(static / "assets", name, conditional=True)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    return bp


def _is_folder(page: str) -> bool:
    """The app's page of a folder in a library: folder names hold dots too."""
    return page.startswith("folders/")


def _file(static: Path, name: str) -> Response:
    response = send_from_directory(static, name, conditional=True)
    response.headers["Cache-Control"] = "no-cache"
    return response
