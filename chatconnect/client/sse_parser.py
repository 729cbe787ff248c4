"""An SSE parser for clients: bytes in, events out, without I/O."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_FRAME_CHARACTERS = 4_000_000

_LINE_END = re.compile(r"\r\n|\n|\r")


class WireError(Exception):
    """What arrived is not one of our event streams."""


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One dispatched event. `id` is the last id seen, which events without an id keep, as the standard says."""

    event: str
    data: str
    id: str


class SseParser:
    """Bytes to frames (WHATWG HTML §9.2.6). Invalid UTF-8 becomes U+FFFD; an unfinished frame is never returned.

    `last_id` (of the last finished frame, with data or without) and `retry_ms` are the stream's latest values.
    Raises `WireError` when one frame grows past `MAX_FRAME_CHARACTERS`.
    """

    def __init__(self) -> None:
        self.last_id = ""
        self.retry_ms: int | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._rest = ""
        self._is_after_cr = False
        self._id = ""
        self._event = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[SseEvent]:
        """The frames that this chunk completes."""
        for line in self._lines(self._decoder.decode(chunk)):
            if line:
                self._field(line)
            elif frame := self._dispatch():
                yield frame

    def _lines(self, text: str) -> Iterator[str]:
        if not text:
            return
        # A CR ends its line at once; the LF of a CRLF split between chunks is dropped.
        self._rest += text.removeprefix("\n") if self._is_after_cr else text
        self._is_after_cr = self._rest.endswith("\r")
        start = 0
        for end in _LINE_END.finditer(self._rest):
            yield self._rest[start : end.start()]
            start = end.end()
        self._rest = self._rest[start:]
        if len(self._rest) + self._size > MAX_FRAME_CHARACTERS:
            raise WireError("The server sent an event too large to be one of ours.")

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._size += len(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdecimal():
            self.retry_ms = int(value)

    def _dispatch(self) -> SseEvent | None:
        data, event = self._data, self._event or "message"
        self._data, self._event, self._size = [], "", 0
        self.last_id = self._id
        return SseEvent(event, "\n".join(data), self.last_id) if data else None
