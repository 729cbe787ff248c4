"""Plain connections of the driver, for the statements of every chat."""

import asyncio
from collections.abc import Sequence

import asyncpg

from stores.postgres.circuit_breaker import CircuitBreaker

CONNECT_TIMEOUT_SECONDS = 5
MAX_CONNECTIONS = 6


class Connections:
    """At most 6, each for one statement at a time, which is its own transaction. Made when needed, kept until `close`.

    The driver's own pool has Postgres reset a connection after every use, a second trip; these have nothing to reset.
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

    async def fetch(self, sql: str, arguments: Sequence[object]) -> list[asyncpg.Record]:
        """The rows. Raises one of `DATABASE_ERRORS`; a `TimeoutError` when there is no connection in time."""
        self._breaker.check()
        connection = await self._take()
        try:
            self._breaker.check()
            rows = await self._breaker.call(connection.fetch(sql, *arguments))
        except BaseException:
            # What was cancelled or is late may still run; what was refused may have met a server that takes no writes
            # any more.
            connection.terminate()
            raise
        else:
            self._give_back(connection)
        finally:
            self._free.release()
        return rows

    async def connect(self) -> asyncpg.Connection:
        """A connection more, which the caller closes. Raises one of `DATABASE_ERRORS`."""
        connecting = asyncpg.connect(
            self._database_url,
            timeout=self._connect_timeout_seconds,
            command_timeout=self._command_timeout_seconds,
        )
        return await self._breaker.call(connecting)

    async def close(self) -> None:
        """Closes what is idle now, and each other connection when its statement has ended."""
        self._is_closed = True
        idle, self._idle = self._idle, []
        # One that cannot say goodbye is aborted by the driver, and that is all that is wanted of it.
        await asyncio.gather(*(one.close(timeout=CONNECT_TIMEOUT_SECONDS) for one in idle), return_exceptions=True)

    async def _take(self) -> asyncpg.Connection:
        if self._idle and not self._free.locked():
            # Nothing to wait for, so no timer.
            await self._free.acquire()
            if (connection := self._living()) is not None:
                return connection
            self._free.release()
        async with asyncio.timeout(self._connect_timeout_seconds):
            await self._free.acquire()
        try:
            return self._living() or await self.connect()
        except BaseException:
            self._free.release()
            raise

    def _living(self) -> asyncpg.Connection | None:
        # One that died while idle is replaced, so a restart of Postgres costs nobody an error: the loop saw it close.
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
