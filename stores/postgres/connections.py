"""Plain asyncpg connections for the statements that every chat runs."""

import asyncio
from collections.abc import Sequence

import asyncpg

from stores.postgres.circuit_breaker import CircuitBreaker

CONNECT_TIMEOUT_SECONDS = 5
MAX_CONNECTIONS = 6


class Connections:
    """At most 6, each for one statement at a time, in autocommit. Opened when needed, kept until `close`.

    asyncpg's pool resets a connection after every use, a second round trip; these have nothing to reset.
    """

    def __init__(
        self,
        database_url: str,
        breaker: CircuitBreaker,
        *,
        command_timeout_seconds: float | None,
        connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS,
    ) -> None:
        self._database_url = database_url
        self._breaker = breaker
        self._command_timeout_seconds = command_timeout_seconds
        self._connect_timeout_seconds = connect_timeout_seconds
        self._free = asyncio.Semaphore(MAX_CONNECTIONS)
        self._idle: list[asyncpg.Connection] = []
        self._is_closed = False

    @property
    def idle(self) -> int:
        """How many are open and run no statement."""
        return sum(not one.is_closed() for one in self._idle)

    async def fetch(self, sql: str, arguments: Sequence[object]) -> list[asyncpg.Record]:
        """The rows. Raises one of `DATABASE_ERRORS`; a `TimeoutError` when no connection is free in time."""
        self._breaker.check()
        connection = await self._take()
        try:
            self._breaker.check()
            rows = await self._breaker.call(connection.fetch(sql, *arguments))
        except BaseException:
            # A cancelled or late statement may still run; a refused one may mean that the server is now read-only.
            connection.terminate()
            raise
        else:
            self._give_back(connection)
        finally:
            self._free.release()
        return rows

    async def connect(self) -> asyncpg.Connection:
        """Open another connection, which the caller closes. Raises one of `DATABASE_ERRORS`."""
        connecting = asyncpg.connect(
            self._database_url,
            timeout=self._connect_timeout_seconds,
            command_timeout=self._command_timeout_seconds,
        )
        return await self._breaker.call(connecting)

    async def close(self) -> None:
        """Closes idle connections now, and each busy one when its statement has ended."""
        self._is_closed = True
        idle, self._idle = self._idle, []
        # asyncpg aborts a connection that cannot close in time, which is enough.
        await asyncio.gather(*(one.close(timeout=CONNECT_TIMEOUT_SECONDS) for one in idle), return_exceptions=True)

    async def _take(self) -> asyncpg.Connection:
        if self._idle and not self._free.locked():
            # Nothing to wait for, so no timer.
            await self._free.acquire()
            if (connection := self._pop_live()) is not None:
                return connection
            self._free.release()
        async with asyncio.timeout(self._connect_timeout_seconds):
            await self._free.acquire()
        try:
            return self._pop_live() or await self.connect()
        except BaseException:
            self._free.release()
            raise

    def _pop_live(self) -> asyncpg.Connection | None:
        # A connection that died while idle is dropped, so a restart of Postgres causes no error.
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    def _give_back(self, connection: asyncpg.Connection) -> None:
        if self._is_closed:
            connection.terminate()
        else:
            self._idle.append(connection)
