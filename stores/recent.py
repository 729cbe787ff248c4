"""Rows that are read for every message and change once a month."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar

import structlog

from stores.database import DATABASE_ERRORS

FRESH_SECONDS = 10
DEADLINE_SECONDS = 2
MAX_ROWS = 1_000

log = structlog.get_logger()

Key = TypeVar("Key")
Row = TypeVar("Row")


class Recent(Generic[Key, Row]):
    """The last rows seen: fresh for 10 s, and good enough for as long as Postgres is away. Oldest of 1,000 out.

    `name` is for the log, which must not show keys: some are what a secret is found by.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._rows: dict[Key, tuple[float, Row]] = {}

    async def get(self, key: Key, load: Callable[[], Awaitable[Row | None]]) -> Row | None:
        """The row, loaded if it is not fresh. None is never remembered: what is not there may come at any time.

        Where an older row is there `load` may take 2 s, else as long as it needs; then what it raises is raised.
        """
        seen, now = self._rows.get(key), monotonic()
        if seen and now - seen[0] < FRESH_SECONDS:
            return seen[1]
        try:
            async with asyncio.timeout(DEADLINE_SECONDS if seen else None):
                row = await load()
        except DATABASE_ERRORS as error:
            if not seen:
                raise
            log.warning("stale_row_used", name=self._name, age_seconds=round(now - seen[0]), error=repr(error))
            return seen[1]
        self.forget(key)
        if row is not None:
            self._remember(key, row, now)
        return row

    def forget(self, key: Key) -> None:
        """The next `get` loads."""
        self._rows.pop(key, None)

    def _remember(self, key: Key, row: Row, now: float) -> None:
        if len(self._rows) >= MAX_ROWS:
            del self._rows[next(iter(self._rows))]
        self._rows[key] = (now, row)
