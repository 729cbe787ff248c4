"""Refusals of what never becomes a request: the bytes of a whole response, in the form that `problems` has."""

from http import HTTPStatus

from gateway.web.problems import MEDIA_TYPE, RETRY_AFTER_SECONDS
from schemas.http import Problem

SLUGS = {
    400: "bad-request",
    408: "too-slow",
    414: "uri-too-long",
    431: "headers-too-large",
    503: "unavailable",
}


def refusal(status: int, detail: str) -> bytes:
    """It closes the connection. Any page may read it: it says nothing of anybody."""
    title = HTTPStatus(status).phrase
    document = Problem(type=f"urn:chatconnect:problem:{SLUGS[status]}", title=title, status=status, detail=detail)
    body = document.model_dump_json().encode()
    lines = [
        f"HTTP/1.1 {status} {title}",
        f"content-type: {MEDIA_TYPE}",
        f"content-length: {len(body)}",
        "access-control-allow-origin: *",
        "cache-control: no-store",
        *([f"retry-after: {RETRY_AFTER_SECONDS}"] if status == 503 else []),
        "connection: close",
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + body
