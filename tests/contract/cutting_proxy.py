"""A proxy that breaks event streams after a given number of bytes."""

import asyncio
import itertools
import re
from collections.abc import Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CHUNK_BYTES = 8_192


@dataclass
class CuttingProxy:
    """Each connection goes to the next upstream. `cuts`: the length in bytes after which each stream breaks, in order.

    Streams after the last cut are not broken. `came_with`: the Last-Event-ID of every stream opened, or None.
    """

    upstreams: Sequence[str]
    cuts: Iterable[int] = ()
    url: str = ""
    came_with: list[str | None] = field(default_factory=list)
    _streams: asyncio.Condition = field(default_factory=asyncio.Condition)

    @asynccontextmanager
    async def serving(self):
        """Listens on `url` until the block ends, then breaks open connections."""
        self._turn, self._cuts = itertools.cycle(self.upstreams), iter(self.cuts)
        self._tasks: set[asyncio.Task] = set()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def opened(self, streams: int, seconds: float = 30):
        """Returns when this many streams have been opened."""
        async with asyncio.timeout(seconds), self._streams:
            await self._streams.wait_for(lambda: len(self.came_with) >= streams)

    async def _accept(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        upstream = urlsplit(next(self._turn))
        up_reader, up_writer = await asyncio.open_connection(upstream.hostname, upstream.port)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            # One request per connection, so that each goes to another upstream and is counted from its first byte.
            up_writer.write(re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", head)[:-2] + b"connection: close\r\n\r\n")
            limit = await self._opened(head) if re.match(rb"(?:GET /sessions|POST /chat/stream)", head) else None
            async with asyncio.TaskGroup() as pumps:
                up = pumps.create_task(self._pump(reader, up_writer, None))
                await self._pump(up_reader, writer, limit)
                up.cancel()
        except* (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            up_writer.transport.abort()
            writer.transport.abort() if limit is not None else writer.close()
            self._tasks.discard(asyncio.current_task())

    async def _opened(self, head: bytes) -> int | None:
        named = re.search(rb"(?i)\r\nlast-event-id: ([^\r]*)", head)
        async with self._streams:
            self.came_with.append(named.group(1).decode() if named else None)
            self._streams.notify_all()
        return next(self._cuts, None)

    async def _pump(self, reader, writer, limit: int | None):
        passed = 0
        while chunk := await reader.read(CHUNK_BYTES):
            if limit is not None and passed + len(chunk) >= limit:
                writer.write(chunk[: limit - passed])
                await writer.drain()
                return
            passed += len(chunk)
            writer.write(chunk)
            await writer.drain()
