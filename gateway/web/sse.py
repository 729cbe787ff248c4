"""Server-sent events as bytes (WHATWG HTML §9.2). Pure."""

import re
from collections.abc import Iterable, Iterator

MAX_SEND_BYTES = 32 * 1024
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]

_LINE_END = re.compile(rb"\r\n|\n|\r")


def event(name: str, data: bytes, event_id: str | None = None) -> bytes:
    """One whole event. Line ends in `data` become further `data:` lines: in JSON they are only whitespace."""
    if b"\n" in data or b"\r" in data:
        data = _LINE_END.sub(b"\ndata: ", data)
    if event_id is None:
        return b"event: %b\ndata: %b\n\n" % (name.encode(), data)
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (event_id.encode(), name.encode(), data)


def frame(prefix: bytes, offset: int, name: str, data: bytes) -> bytes:
    """The event of a frame, whose id is the prefix and the offset. As `event`, at half its cost."""
    if b"\n" in data or b"\r" in data:
        data = _LINE_END.sub(b"\ndata: ", data)
    return b"id: %b%d\nevent: %b\ndata: %b\n\n" % (prefix, offset, name.encode(), data)


def first(retry_ms: int, event_id: str) -> bytes:
    """The first frame: the reconnection time, and the id to resume from. Dispatches no event."""
    return b"retry: %d\nid: %b\n\n" % (retry_ms, event_id.encode())


def heartbeat(event_id: str) -> bytes:
    """Keeps proxies from closing the connection, and moves the client's cursor. Dispatches no event."""
    return b"id: %b\n\n" % event_id.encode()


def retry(milliseconds: int) -> bytes:
    """The last frame: the reconnection time."""
    return b"retry: %d\n\n" % milliseconds


def joined(events: Iterable[bytes]) -> Iterator[bytes]:
    """Join whole events to bodies of about `MAX_SEND_BYTES`; a single larger event stays whole."""
    body = bytearray()
    for whole in events:
        if body and len(body) + len(whole) > MAX_SEND_BYTES:
            yield bytes(body)
            body.clear()
        body += whole
    if body:
        yield bytes(body)
