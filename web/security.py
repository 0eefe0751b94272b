"""What keeps other sites out until login exists, and the headers of every answer.

dam listens on loopback only. That alone does not stop a web page: DNS rebinding makes a foreign
name resolve to 127.0.0.1 (hence the Host check), and any page may post to localhost or load from it
(hence the checks of Origin and Sec-Fetch-Site).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import request

from web.problems import problem

if TYPE_CHECKING:
    from apiflask import APIFlask
    from flask import Response

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}
JSON_LIMIT_BYTES = 1 << 20  # larger than anything a person types
BULK_LIMIT_BYTES = 4 << 20  # 100,000 ids of 20 characters and what is said of them
PICTURE_LIMIT_BYTES = 50 << 20  # a query picture: a camera's JPEG or HEIC, not a RAW archive
PART_LIMIT_BYTES = 16 << 20  # of an upload; held in memory, once for every part under way
JSON, FORM, BYTES = "application/json", "multipart/form-data", "application/octet-stream"
BODIES = {  # endpoint → what it takes; every other one takes a little JSON
    "assets.change_selected": (JSON, BULK_LIMIT_BYTES),
    "tags.decide": (JSON, BULK_LIMIT_BYTES),
    "vocabulary.import_list": (JSON, BULK_LIMIT_BYTES),
    "tags.list_selected": (JSON, BULK_LIMIT_BYTES),
    "search.search_by_image": (FORM, PICTURE_LIMIT_BYTES),
    "search.keep_picture": (FORM, PICTURE_LIMIT_BYTES),
    "uploads.append": (BYTES, PART_LIMIT_BYTES),
}

CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
MEDIA_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def install(app: APIFlask) -> None:
    app.config["MAX_FORM_PARTS"] = 16
    app.before_request(_refuse_strangers)
    app.before_request(_refuse_repeated_parameters)
    app.before_request(_limit_body)
    app.after_request(_add_headers)


def _refuse_strangers() -> Response | None:
    if not _addresses_us():
        return problem(400, "The Host header names no address that this server answers for.")
    if request.method not in SAFE_METHODS and not _from_us():
        return problem(403, "A page of another site may not change anything here.")
    if not _is_own_or_visited():
        return problem(403, "A page of another site may not load anything from here.")
    return None


def _addresses_us() -> bool:
    try:
        asked = urlsplit(f"//{request.headers.get('Host', '')}")
        port = asked.port or (443 if request.is_secure else 80)
    except ValueError:
        return False
    ours = asked.username is None and asked.hostname in LOOPBACK_NAMES and not asked.path
    return ours and str(port) == request.environ["SERVER_PORT"]


def _from_us() -> bool:
    """Browsers state where a request comes from; other clients say nothing and may pass."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin == f"{request.scheme}://{request.headers['Host']}"


def _is_own_or_visited() -> bool:
    """Other sites may link here, and nothing else: what their pages load they could not read
    anyway, but it takes threads, streams and decoders from the people who use this."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    return site in {"same-origin", "none"} or request.headers.get("Sec-Fetch-Dest") == "document"


def _refuse_repeated_parameters() -> Response | None:
    """Only one of them would count, and not everybody would agree on which."""
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        return problem(400, f"These parameters are given more than once: {', '.join(repeated)}.")
    return None


def _limit_body() -> Response | None:
    expected, limit_bytes = BODIES.get(request.endpoint or "", (JSON, JSON_LIMIT_BYTES))
    request.max_content_length = limit_bytes
    sent_bytes = request.content_length or 0
    if sent_bytes > limit_bytes:
        return problem(
            413, f"The body has {sent_bytes:,} bytes; {limit_bytes:,} is the limit here."
        )
    has_body = bool(request.content_length) or "Transfer-Encoding" in request.headers
    if has_body and request.method not in SAFE_METHODS and request.mimetype != expected:
        return problem(415, f"The body must be {expected}, not {request.mimetype or 'unnamed'}.")
    return None


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
    if request.path.startswith("/api/"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response
