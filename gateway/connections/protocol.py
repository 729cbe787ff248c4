"""uvicorn's HTTP protocol with limits: on the size of the head, on the time for head and body, on connections.

uvicorn has none of these (Kludex/uvicorn #157). hypercorn and h11 limit the head's size; granian, in Rust, limits its
time as well. But hypercorn writes frames at several times the cost of uvicorn (a stream here costs 1.5 times bare
uvicorn), and granian gives ASGI no transport, whose `abort` ends a stream when its client stalls. So the server is
uvicorn, with its own signal handling for the drain, and these callbacks add the limits.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.connections.connection import EXTENSION, Connection
from gateway.connections.raw_responses import refusal
from gateway.web.metrics import CONNECTIONS_REFUSED

MAX_HEAD_BYTES = 32 * 1024
MAX_HEADERS = 100
MAX_URL_BYTES = 8 * 1024
# Slower than any usable network.
BODY_BYTES_PER_SECOND = 512
# After a refusal the rest of a body is read and discarded: a client that is still sending would lose the refusal to a
# connection reset (RFC 9112 §9.6).
LINGER_SECONDS = 10.0
MAX_DISCARDED_BYTES = 512 * 1024 * 1024
MAX_CONNECTIONS = 12_000
LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The number of connections, and the deadlines of the parts of a request."""

    max_connections: int = MAX_CONNECTIONS
    head_seconds: float = 10.0
    body_seconds: float = 20.0


USUAL_LIMITS = ConnectionLimits()


class Protocol(HttpToolsProtocol):
    """One connection, with a `Connection` in each request's scope."""

    # Slots: uvicorn's own attributes just fill an instance dictionary, and more would cost 1 KB per stream.
    __slots__ = (
        "_began_at", "_connection", "_is_in_head", "_is_lingering", "_limits", "_problem", "_received",
        "_received_at_check", "_timer",
    )  # fmt: skip
    _connection: Connection
    _addresses: ClassVar[Counter[str]] = Counter()

    def __init__(self, *args: Any, limits: ConnectionLimits = USUAL_LIMITS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits = limits
        self._timer: asyncio.TimerHandle | None = None
        self._is_in_head = True
        self._is_lingering = False
        self._received = 0
        self._began_at = 0.0
        self._received_at_check = 0
        self._problem: tuple[int, str] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, and refuse it above the limit."""
        super().connection_made(transport)
        self._connection = Connection(transport)
        self._addresses[self._address] += 1
        if self._is_over_limit():
            CONNECTIONS_REFUSED.inc()
            transport.write(refusal(503, "This instance has no free connections: try again in a moment."))
            # No lingering: file descriptors are scarce here.
            transport.close()
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Uncount the connection, and end its stream."""
        self._stop_timer()
        self._unset_keepalive_if_required()
        self._addresses[self._address] -= 1
        if not self._addresses[self._address]:
            del self._addresses[self._address]
        super().connection_lost(exc)
        self._connection.mark_lost()

    def data_received(self, data: bytes) -> None:
        """Bytes of any part of a request, or of a body to discard."""
        self._received += len(data)
        if self._is_lingering:
            if self._received > MAX_DISCARDED_BYTES:
                self.transport.abort()
            return
        self._unset_keepalive_if_required()
        if self._is_in_head and self._timer is None:
            self._received = len(data)
            self._await_head()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # No upgrade is supported: the request is handled like any other.
            pass
        except httptools.HttpParserError:
            self._problem = self._problem or (400, "This is not an HTTP request: check what sends it.")
        self._check()

    def eof_received(self) -> bool:  # type: ignore[override]
        """The peer has half-closed. After a whole POST it may wait for the answer; the client of a stream has left."""
        cycle = self.cycle
        if self._is_lingering or cycle is None or cycle.response_complete or cycle.more_body:
            return False
        if self.scope["method"] != "POST":
            return False
        cycle.keep_alive = False
        self._connection.half_close()
        return True

    def on_message_begin(self) -> None:
        """Put the connection into the request's scope."""
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"connection": self._connection}}

    def on_header(self, name: bytes, value: bytes) -> None:
        """Once per header, and per field of a trailer, which is ignored."""
        if self._is_in_head and len(self.headers) < MAX_HEADERS:
            super().on_header(name, value)
        elif self._is_in_head:
            self._problem = 431, f"The request has more than {MAX_HEADERS} headers: send fewer."

    def on_headers_complete(self) -> None:
        """Start the request. Raises `ValueError`, which stops the parser, for a head above the limits."""
        if len(self.url) > MAX_URL_BYTES:
            self._problem = 414, f"The address is longer than {MAX_URL_BYTES // 1024} KB: shorten it."
        if self._problem is not None:
            raise ValueError("refused")
        self._stop_timer()
        self._is_in_head = False
        super().on_headers_complete()
        # Until the body is complete, closing must linger.
        self.cycle.transport = self  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._stop_timer()
        self._is_in_head = True
        self.cycle.transport = self.transport
        super().on_message_complete()

    def _should_upgrade(self) -> bool:
        return False

    # The methods of a transport that uvicorn's response uses.
    def write(self, data: bytes) -> None:
        """Write to the transport."""
        self.transport.write(data)

    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self._is_lingering or self.transport.is_closing()

    def close(self) -> None:
        """Close after the written bytes; while the peer still sends, once it has ended or after `LINGER_SECONDS`."""
        if self._is_in_head or self.transport.is_closing():
            self.transport.close()
            return
        self._linger()

    def _check(self) -> None:
        if self._problem is None and self._is_in_head and self._received > MAX_HEAD_BYTES and self._timer is not None:
            self._problem = 431, f"The request's head is larger than {MAX_HEAD_BYTES // 1024} KB: send fewer cookies."
        if self._problem is not None:
            self._refuse(*self._problem)
        elif not self._is_in_head and self._timer is None:
            self._began_at, self._received, self._received_at_check = self.loop.time(), 0, 0
            self._timer = self.loop.call_later(self._limits.body_seconds, self._check_body)

    def _check_body(self) -> None:
        """Refuse a body that stalls or is too slow, unless the application has paused reading."""
        is_late = self._received < BODY_BYTES_PER_SECOND * (self.loop.time() - self._began_at)
        is_stalled = self._received == self._received_at_check
        if (is_late or is_stalled) and not self.flow.read_paused:
            self._timer = None
            self._refuse(408, "The request's body came too slowly: send it again.")
            return
        self._received_at_check = self._received
        self._timer = self.loop.call_later(self._limits.body_seconds, self._check_body)

    def _await_head(self) -> None:
        seconds = self._limits.head_seconds
        self._timer = self.loop.call_later(
            seconds, self._refuse, 408, f"The request's head did not come within {seconds:.0f} s."
        )

    def _refuse(self, status: int, detail: str) -> None:
        self._stop_timer()
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            has_started = cycle.response_started
            cycle.disconnected = True
            cycle.message_event.set()
            if has_started:
                self.transport.abort()
                return
        if not self.transport.is_closing():
            self.transport.write(refusal(status, detail))
            self._linger()

    def _linger(self) -> None:
        self._stop_timer()
        self._is_lingering, self._received = True, 0
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def _is_over_limit(self) -> bool:
        # Behind a proxy on this machine all connections have one address; any other address may have half of them.
        most = self._limits.max_connections
        share = most if self._address in LOOPBACK else most // 2
        return len(self.connections) > most or self._addresses[self._address] > share
