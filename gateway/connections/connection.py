"""What a stream must know of its connection and ASGI does not tell: that it is lost, and how to cut it.

uvicorn's `send` blocks for as long as a client does not read, and closing waits for the unsent bytes; only the
transport's `abort` frees them. And to hear of a disconnect by `receive` costs a task, or a cancelled wait per frame.
"""

import asyncio
from collections.abc import Callable

from starlette.types import Scope

EXTENSION = "chatconnect.connection"


class Connection:
    """One TCP connection, for the one stream that it carries at a time."""

    __slots__ = ("_transport", "is_half_closed", "is_lost", "on_lost")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.is_half_closed = self.is_lost = False
        self.on_lost: Callable[[], None] | None = None

    def abort(self) -> None:
        """Cut it now; what was not sent is thrown away."""
        self._transport.abort()

    def half_close(self) -> None:
        """Its peer sends no more, and may be gone: only writing tells."""
        self.is_half_closed = True
        if self.on_lost is not None:
            self.on_lost()

    def lose(self) -> None:
        """It is lost: tell the stream."""
        self.is_lost = True
        if self.on_lost is not None:
            self.on_lost()


def connection_of(scope: Scope) -> Connection:
    """The request's connection. Only our own server tells it."""
    found: Connection = scope["extensions"][EXTENSION]["connection"]
    return found
