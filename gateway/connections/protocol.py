"""uvicorn's HTTP protocol with bounds: on the head while it arrives, on the time for head and body, on connections.

uvicorn bounds none of these (Kludex/uvicorn #157). hypercorn and h11 bound the head's size; granian, in Rust, bounds
its time as well. But a stream here is written at 1.5 times the cost of bare uvicorn, cut by its transport's `abort`
when its reader stalls, and drained by its own signal handling: hypercorn writes frames at several times that cost, and
granian gives ASGI no transport. So uvicorn stays, and what it lacks is these callbacks.
"""

import asyncio
from collections import Counter
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.connections.connection import EXTENSION, Connection
from gateway.connections.raw_responses import refusal
from gateway.web.metrics import CONNECTIONS_REFUSED

MAX_HEAD_BYTES = 32 * 1024
MAX_HEADERS = 100
MAX_URL_BYTES = 8 * 1024
HEAD_SECONDS = 10.0
BODY_SECONDS = 20.0
# Slower than any network that people wait for.
BODY_BYTES_PER_SECOND = 512
# After a refusal the rest of a body is read and thrown away, for a client that still sends would lose the refusal to
# the reset of its connection (RFC 9112 §9.6).
LINGER_SECONDS = 10.0
MAX_DISCARDED_BYTES = 512 * 1024 * 1024
MOST_CONNECTIONS = 12_000
LOOPBACK = ("127.0.0.1", "::1")


class Protocol(HttpToolsProtocol):
    """One connection, with a `Connection` in each request's scope."""

    # Slots, for uvicorn's own attributes fill a dictionary just so: eight more would cost each stream a kilobyte.
    __slots__ = (
        "_began_at", "_connection", "_is_in_head", "_is_lingering", "_looked_at", "_most_connections", "_problem",
        "_received", "_timer",
    )  # fmt: skip
    _connection: Connection
    _addresses: ClassVar[Counter[str]] = Counter()

    def __init__(self, *args: Any, most_connections: int = MOST_CONNECTIONS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._most_connections = most_connections
        self._timer: asyncio.TimerHandle | None = None
        self._is_in_head = True
        self._is_lingering = False
        self._received = 0
        self._began_at = 0.0
        self._looked_at = 0
        self._problem: tuple[int, str] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Once per connection."""
        super().connection_made(transport)
        self._connection = Connection(transport)
        self._addresses[self._address] += 1
        if self._is_one_too_many():
            CONNECTIONS_REFUSED.inc()
            transport.write(refusal(503, "This instance has no more connections to give: try again in a moment."))
            # It must not linger: its descriptor is one of those that are scarce.
            transport.close()
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Once per connection."""
        self._stop_timer()
        self._unset_keepalive_if_required()
        self._addresses[self._address] -= 1
        if not self._addresses[self._address]:
            del self._addresses[self._address]
        super().connection_lost(exc)
        self._connection.lose()

    def data_received(self, data: bytes) -> None:
        """Bytes of any part of a request, or what is thrown away."""
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
            # Nothing here is upgraded to: it is a request like any other.
            pass
        except httptools.HttpParserError:
            self._problem = self._problem or (400, "This is no HTTP request: check what sends it.")
        self._look()

    def eof_received(self) -> bool:  # type: ignore[override]
        """The peer sends no more. Whoever has sent a whole POST may wait for its answer; a stream's reader has left."""
        cycle = self.cycle
        if self._is_lingering or cycle is None or cycle.response_complete or cycle.more_body:
            return False
        if self.scope["method"] != "POST":
            return False
        cycle.keep_alive = False
        self._connection.half_close()
        return True

    def on_message_begin(self) -> None:
        """Once per request."""
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"connection": self._connection}}

    def on_header(self, name: bytes, value: bytes) -> None:
        """Once per header, and per field of a trailer, which is nobody's business here."""
        if self._is_in_head and len(self.headers) < MAX_HEADERS:
            super().on_header(name, value)
        elif self._is_in_head:
            self._problem = 431, f"The request has more than {MAX_HEADERS} headers: send fewer."

    def on_headers_complete(self) -> None:
        """The request begins."""
        if len(self.url) > MAX_URL_BYTES:
            self._problem = 414, f"The address is longer than {MAX_URL_BYTES // 1024} KB: shorten it."
        if self._problem is not None:
            raise ValueError("refused")
        self._stop_timer()
        self._is_in_head = False
        super().on_headers_complete()
        # Until the body has come, whoever closes must linger.
        self.cycle.transport = self  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        """The whole request has come."""
        self._stop_timer()
        self._is_in_head = True
        self.cycle.transport = self.transport
        super().on_message_complete()

    def _should_upgrade(self) -> bool:
        return False

    # What a response needs of a transport.
    def write(self, data: bytes) -> None:
        """Send."""
        self.transport.write(data)

    def is_closing(self) -> bool:
        """Nothing more can be sent."""
        return self._is_lingering or self.transport.is_closing()

    def close(self) -> None:
        """Close after what was written; if the peer is sending yet, once it has ended or after a while."""
        if self._is_in_head or self.transport.is_closing():
            self.transport.close()
            return
        self._linger()

    def _look(self) -> None:
        if self._problem is None and self._is_in_head and self._received > MAX_HEAD_BYTES and self._timer is not None:
            self._problem = 431, f"The request's head is larger than {MAX_HEAD_BYTES // 1024} KB: send fewer cookies."
        if self._problem is not None:
            self._refuse(*self._problem)
        elif not self._is_in_head and self._timer is None:
            self._began_at, self._received, self._looked_at = self.loop.time(), 0, 0
            self._timer = self.loop.call_later(BODY_SECONDS, self._look_at_body)

    def _look_at_body(self) -> None:
        """The body must go on, and not trickle; while the application reads no more of it, that is not its fault."""
        is_late = self._received < BODY_BYTES_PER_SECOND * (self.loop.time() - self._began_at)
        is_silent = self._received == self._looked_at
        if (is_late or is_silent) and not self.flow.read_paused:
            self._timer = None
            self._refuse(408, "The request's body came too slowly: send it again.")
            return
        self._looked_at = self._received
        self._timer = self.loop.call_later(BODY_SECONDS, self._look_at_body)

    def _await_head(self) -> None:
        self._timer = self.loop.call_later(
            HEAD_SECONDS, self._refuse, 408, f"The request's head did not come within {HEAD_SECONDS:.0f} s."
        )

    def _refuse(self, status: int, detail: str) -> None:
        self._stop_timer()
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            is_begun = cycle.response_started
            cycle.disconnected = True
            cycle.message_event.set()
            if is_begun:
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

    def _is_one_too_many(self) -> bool:
        # Behind a proxy on this machine all come from one address; of any other one may take half.
        share = self._most_connections if self._address in LOOPBACK else self._most_connections // 2
        return len(self.connections) > self._most_connections or self._addresses[self._address] > share
