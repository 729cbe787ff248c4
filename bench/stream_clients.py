"""Many SSE clients in one process, on asyncio protocols, because a client must cost less than what it measures."""

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Callable

SENT = re.compile(rb'"sent":([0-9.]+)')
CONNECT_AT_ONCE = 50


class StreamClient(asyncio.Protocol):
    """Reads one endless stream and passes on every chunk."""

    def __init__(self, request: bytes, on_chunk: Callable[[bytes], None]) -> None:
        self._request = request
        self._on_chunk = on_chunk
        self._transport: asyncio.Transport | None = None
        self.started = asyncio.get_running_loop().create_future()
        self.ended_at: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """The first bytes are the response's head."""
        if not self.started.done():
            assert data.startswith(b"HTTP/1.1 200"), data[:200]
            self.started.set_result(None)
        self._on_chunk(data)

    def connection_lost(self, _: Exception | None) -> None:
        """The stream has ended."""
        self.ended_at = time.monotonic()
        if not self.started.done():
            self.started.set_exception(ConnectionError("closed before it began"))

    def stall(self) -> None:
        """Stop reading."""
        if self._transport:
            self._transport.pause_reading()

    def close(self) -> None:
        """Abort the connection."""
        if self._transport:
            self._transport.abort()


class DeliveryStats:
    """How many frames arrived, and their delays (seconds since their `sent`)."""

    def __init__(self) -> None:
        self.count = 0
        self.delays: list[float] = []
        self._rest: dict[int, bytes] = defaultdict(bytes)

    def receive(self, stream: int, data: bytes) -> None:
        """Counts complete frames; a frame's data holds the time it was sent."""
        now = time.time()
        text = self._rest[stream] + data
        whole, _, self._rest[stream] = text.rpartition(b"\n")
        for sent in SENT.findall(whole):
            self.count += 1
            self.delays.append(now - float(sent))


async def connect(port: int, requests: list[tuple[bytes, Callable[[bytes], None]]]) -> list[StreamClient]:
    """Opens all of them, some at a time; returns when each has its response's head."""
    loop = asyncio.get_running_loop()
    clients: list[StreamClient] = []
    for start in range(0, len(requests), CONNECT_AT_ONCE):
        made = await asyncio.gather(
            *(
                loop.create_connection(lambda one=one: StreamClient(*one), "127.0.0.1", port)  # type: ignore[misc]
                for one in requests[start : start + CONNECT_AT_ONCE]
            )
        )
        async with asyncio.timeout(30):
            await asyncio.gather(*(client.started for _, client in made))
        clients += [client for _, client in made]
    return clients


def get(path: str, port: int, **headers: str) -> bytes:
    """A GET that asks for a stream."""
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Accept: text/event-stream"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
