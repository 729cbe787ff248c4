"""Server-sent events as bytes (WHATWG HTML §9.2). Pure."""

import re

CONTENT_TYPE = b"text/event-stream; charset=utf-8"
HEADERS = [
    (b"content-type", CONTENT_TYPE),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]

_LINE_END = re.compile(rb"\r\n|\n|\r")


def event(name: str, data: bytes, event_id: str | None = None) -> bytes:
    """One whole event. Line ends inside `data` become further `data:` lines, as JSON allows."""
    if b"\n" in data or b"\r" in data:
        data = _LINE_END.sub(b"\ndata: ", data)
    identified = b"id: %b\n" % event_id.encode() if event_id is not None else b""
    return b"%bevent: %b\ndata: %b\n\n" % (identified, name.encode(), data)


def cursor(event_id: str) -> bytes:
    """Moves the client's cursor and fires no handler: an id without data. Also a heartbeat."""
    return b"id: %b\n\n" % event_id.encode()


def retry(milliseconds: int) -> bytes:
    """How long a client waits before it comes back."""
    return b"retry: %d\n\n" % milliseconds
