"""What a stream needs of its connection and ASGI does not offer: whether it is lost, and how to abort it.

uvicorn's `send` blocks while a client does not read, and closing waits for the unsent bytes; only the transport's
`abort` frees them. And detecting a disconnect through `receive` costs a task, or a cancelled wait per frame.
"""

import asyncio
from collections.abc import Callable

from starlette.types import Scope

EXTENSION = "chatconnect.connection"


class Connection:
    """One TCP connection. It carries one stream at a time."""

    __slots__ = ("_transport", "is_half_closed", "is_lost", "on_lost")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.is_half_closed = self.is_lost = False
        self.on_lost: Callable[[], None] | None = None

    def abort(self) -> None:
        """Close it now; unsent bytes are discarded."""
        self._transport.abort()

    def half_close(self) -> None:
        """Wake the stream: the peer has closed its half, and may be gone, which only a write detects."""
        self.is_half_closed = True
        if self.on_lost is not None:
            self.on_lost()

    def mark_lost(self) -> None:
        """Wake the stream: the connection is lost."""
        self.is_lost = True
        if self.on_lost is not None:
            self.on_lost()


def connection_of(scope: Scope) -> Connection:
    """The request's connection. Only `protocol.Protocol` provides it."""
    found: Connection = scope["extensions"][EXTENSION]["connection"]
    return found
