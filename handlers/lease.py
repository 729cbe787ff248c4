"""The right to answer a message, held while it is answered; answers go on while Postgres is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

import structlog

from stores.attempts import Ended, Held, Lease
from stores.database import DATABASE_ERRORS

DEADLINE_SECONDS = 2
MAX_REMEMBERED = 10_000
NUMBERS_PER_SECOND = 8

log = structlog.get_logger()


class AttemptStore(Protocol):
    """`stores.attempts.Attempts`."""

    lease_seconds: float

    async def begin(self, client_id: str, message_id: UUID, *, above: int = 0) -> Lease | Ended | Held:
        """Takes the message if it is free."""
        ...

    async def renew(self, client_id: str, message_id: UUID, attempt: int) -> bool:
        """False: somebody took over."""
        ...

    async def finish(self, client_id: str, message_id: UUID, attempt: int, ending: dict[str, Any]) -> bool:
        """False: publish nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt of ours. Without a lease nothing keeps another worker from answering too."""

    client_id: str
    message_id: UUID
    attempt: int
    is_leased: bool


class Leases:
    """Attempts that are counted by Postgres, and by the clock while it is away or too slow.

    A higher attempt replaces a lower one at the visitor's, so numbers must rise, also from one that Postgres never
    heard of, by a worker that has died, to the next that it counts (a soak found such answers stuck). So both begin
    at the question's age: eight numbers a second are more than the tries of one process, and a process that takes
    over needs longer than a second to start. Usually the first attempt is 1.
    """

    def __init__(self, attempts: AttemptStore) -> None:
        self._attempts = attempts
        self._last: dict[tuple[str, UUID], int] = {}

    async def begin(self, client_id: str, message_id: UUID, asked_at: datetime) -> Begun | Ended | Held:
        """Takes the message, unless it is taken or over."""
        age_seconds = int((datetime.now(UTC) - asked_at).total_seconds())
        above = max(self._last.get((client_id, message_id), 0), NUMBERS_PER_SECOND * max(0, age_seconds))
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                begun = await self._attempts.begin(client_id, message_id, above=above)
        except DATABASE_ERRORS as error:
            log.warning("answering_without_lease", error=repr(error))
            return self._remembered(Begun(client_id, message_id, above + 1, is_leased=False))
        if isinstance(begun, Lease):
            return self._remembered(Begun(client_id, message_id, begun.attempt, is_leased=True))
        return begun

    @asynccontextmanager
    async def kept(self, begun: Begun, lost: Callable[[], None]) -> AsyncIterator[None]:
        """Renews the lease while the block runs, and calls `lost` once if another worker took over."""
        if not begun.is_leased:
            yield
            return
        renewing = asyncio.create_task(self._renew(begun, lost))
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])

    async def finish(self, begun: Begun, ending: dict[str, Any]) -> bool:
        """Stores the ending. False: it is not ours to tell. True without Postgres: better told twice than never."""
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await self._attempts.finish(begun.client_id, begun.message_id, begun.attempt, ending)
        except DATABASE_ERRORS as error:
            log.warning("ending_not_stored", error=repr(error))
            return True

    async def _renew(self, begun: Begun, lost: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(self._attempts.lease_seconds / 3)
            try:
                if await self._attempts.renew(begun.client_id, begun.message_id, begun.attempt):
                    continue
            except DATABASE_ERRORS as error:
                log.warning("lease_not_renewed", error=repr(error))
                continue
            log.info("lease_lost", attempt=begun.attempt)
            lost()
            return

    def _remembered(self, begun: Begun) -> Begun:
        key = begun.client_id, begun.message_id
        self._last.pop(key, None)
        if len(self._last) >= MAX_REMEMBERED:
            del self._last[next(iter(self._last))]
        self._last[key] = begun.attempt
        return begun
