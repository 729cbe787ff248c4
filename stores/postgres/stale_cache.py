"""A cache for rows that are read for every message and rarely change."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar

import structlog
from cachetools import FIFOCache

from stores.postgres.circuit_breaker import CircuitOpenError
from stores.postgres.database import DATABASE_ERRORS

FRESH_SECONDS = 10
DEADLINE_SECONDS = 2
MAX_ROWS = 1_000

log = structlog.get_logger()

Key = TypeVar("Key")
Row = TypeVar("Row")


class StaleWhileAwayCache(Generic[Key, Row]):
    """Up to 1,000 rows (FIFO): fresh for 10 s, and used at any age while Postgres is unavailable.

    Concurrent calls for a row share one query.

    `name` is for the log, which must not show keys: some are hashes of API keys.
    """

    def __init__(
        self,
        name: str,
        clock: Callable[[], float] = monotonic,
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
        max_rows: int = MAX_ROWS,
    ) -> None:
        self._name = name
        self._clock = clock
        self._deadline_seconds = deadline_seconds
        self._rows: FIFOCache[Key, tuple[float, Row]] = FIFOCache(max_rows)
        self._loading: dict[Key, asyncio.Future[Row | None]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: Key) -> bool:
        return key in self._rows

    async def get(self, key: Key, load: Callable[[], Awaitable[Row | None]]) -> Row | None:
        """The row, loaded if it is not fresh. None is not cached, because the row may be created at any time.

        With a stale row `load` has 2 s, and a database error returns that row; else no deadline, and it is raised.
        """
        while True:
            seen = self._rows.get(key)
            if seen and self._clock() - seen[0] < FRESH_SECONDS:
                return seen[1]
            loading = self._loading.get(key)
            if loading is None:
                return await self._load(key, load)
            await asyncio.wait([loading])
            if not loading.cancelled():
                return loading.result()

    def forget(self, key: Key) -> None:
        """The next `get` loads the row; the result of a running load is not cached."""
        self._rows.pop(key, None)
        self._loading.pop(key, None)

    async def _load(self, key: Key, load: Callable[[], Awaitable[Row | None]]) -> Row | None:
        loading: asyncio.Future[Row | None] = asyncio.get_running_loop().create_future()
        self._loading[key] = loading
        try:
            loading.set_result(await self._loaded(key, loading, load))
        except DATABASE_ERRORS as error:
            loading.set_exception(error)
        finally:
            # A cancelled load has no result: a waiting caller loads instead.
            loading.cancel()
            if self._loading.get(key) is loading:
                del self._loading[key]
        return loading.result()

    async def _loaded(
        self, key: Key, loading: asyncio.Future[Row | None], load: Callable[[], Awaitable[Row | None]]
    ) -> Row | None:
        seen, now = self._rows.get(key), self._clock()
        try:
            async with asyncio.timeout(self._deadline_seconds if seen else None):
                row = await load()
        except DATABASE_ERRORS as error:
            if not seen:
                raise
            if not isinstance(error, CircuitOpenError):
                log.warning("stale_row_used", name=self._name, age_seconds=round(now - seen[0]), error=repr(error))
            return seen[1]
        if self._loading.get(key) is loading:
            self._rows.pop(key, None)
            if row is not None:
                self._rows[key] = (now, row)
        return row
