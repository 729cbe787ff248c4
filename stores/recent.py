"""Rows that are read for every message and change once a month."""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar

import structlog

from stores.database import DATABASE_ERRORS

FRESH_SECONDS = 10
MAX_ROWS = 1_000

log = structlog.get_logger()

Key = TypeVar("Key")
Row = TypeVar("Row")


class Recent(Generic[Key, Row]):
    """The last rows seen: fresh for 10 s, and good enough for as long as Postgres is away. Oldest of 1,000 out."""

    def __init__(self) -> None:
        self._rows: dict[Key, tuple[float, Row]] = {}

    async def get(self, key: Key, load: Callable[[], Awaitable[Row | None]]) -> Row | None:
        """The row, loaded if it is not fresh. None is never remembered: what is not there may come at any time."""
        seen = self._rows.get(key)
        if seen and monotonic() - seen[0] < FRESH_SECONDS:
            return seen[1]
        try:
            row = await load()
        except DATABASE_ERRORS as error:
            if not seen:
                raise
            log.warning("stale_row_used", key=key, age_seconds=round(monotonic() - seen[0]), error=repr(error))
            return seen[1]
        self.forget(key)
        if row is not None:
            self._remember(key, row)
        return row

    def forget(self, key: Key) -> None:
        """The next `get` loads."""
        self._rows.pop(key, None)

    def _remember(self, key: Key, row: Row) -> None:
        if len(self._rows) >= MAX_ROWS:
            del self._rows[next(iter(self._rows))]
        self._rows[key] = (monotonic(), row)
