"""Refusals before a request exists: the bytes of a whole response, in the same form as those of `problems`."""

from http import HTTPStatus

from gateway.web.problems import MEDIA_TYPE, RETRY_AFTER_SECONDS
from schemas.http import ProblemDocument

SLUGS = {
    400: "bad-request",
    408: "too-slow",
    414: "uri-too-long",
    431: "headers-too-large",
    503: "unavailable",
}


def refusal(status: int, detail: str) -> bytes:
    """A response that closes the connection. Any page may read it: it contains no client's data."""
    title = HTTPStatus(status).phrase
    document = ProblemDocument(
        type=f"urn:chatconnect:problem:{SLUGS[status]}", title=title, status=status, detail=detail
    )
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
