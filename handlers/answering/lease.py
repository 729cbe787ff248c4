"""The right to answer a message, held while it is answered; answers go on while Postgres is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

import structlog
from cachetools import FIFOCache

from handlers.answering.answer_events import attempt_of
from schemas.failures import PermanentError, RefusedError, RetryableError
from stores.postgres.attempts import Ended, Held, Lease, Taken
from stores.postgres.database import DATABASE_ERRORS, REFUSALS

DEADLINE_SECONDS = 2
MAX_REMEMBERED = 10_000
MAX_UNSTORED = 1_000
NUMBERS_PER_SECOND = 8
# Half of what a column of four bytes holds: the other half is for counting on.
MAX_BY_AGE = 2**30

log = structlog.get_logger()


class AttemptStore(Protocol):
    """`stores.postgres.attempts.Attempts`."""

    lease_seconds: float

    async def begin(
        self, client_id: str, message_id: UUID, session_id: str, *, above: int = 0
    ) -> Lease | Ended | Held | Taken:
        """Takes the message if it is free."""
        ...

    async def renew(self, client_id: str, message_id: UUID, attempt: int) -> bool:
        """False: another worker took over."""
        ...

    async def finish(
        self, client_id: str, message_id: UUID, session_id: str, attempt: int, ending: dict[str, Any]
    ) -> bool:
        """False: publish nothing."""
        ...

    async def ending(self, client_id: str, message_id: UUID, session_id: str) -> dict[str, Any] | None:
        """How the message ended, if it has."""
        ...


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt of this worker. Without a lease another worker may answer, too."""

    client_id: str
    message_id: UUID
    session_id: str
    attempt: int
    is_leased: bool


class MessageTakenError(RefusedError):
    """The message is one of another session of the client."""

    def __init__(self) -> None:
        super().__init__("a message with this id was asked in another session", code="message_id_taken")


class Leases:
    """Attempts that are counted by Postgres, and by the clock while it is away or too slow.

    A higher attempt replaces a lower one at the visitor's, so numbers must rise, also from an attempt that Postgres
    does not know, of a worker that has died, to the next one that it counts. So both begin at the question's age: eight
    numbers a second are more than the tries of one process, and a process that takes over needs longer than a second to
    start. Usually the first attempt is 1.
    """

    def __init__(self, attempts: AttemptStore) -> None:
        self._attempts = attempts
        self._last: FIFOCache[tuple[str, UUID], int] = FIFOCache(MAX_REMEMBERED)
        self._unstored: FIFOCache[tuple[str, UUID], tuple[str, int, dict[str, Any]]] = FIFOCache(MAX_UNSTORED)

    async def begin(
        self, client_id: str, message_id: UUID, session_id: str, asked_at: datetime
    ) -> Begun | Ended | Held:
        """Takes the message, unless it is taken or over. Raises `MessageTakenError` for one of another session, and
        `PermanentError` for what no row can hold.
        """
        if unstored := self._unstored.get((client_id, message_id)):
            if unstored[0] != session_id:
                raise MessageTakenError
            return Ended(unstored[2])
        above = self._highest(client_id, message_id, asked_at)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                begun = await self._attempts.begin(client_id, message_id, session_id, above=above)
        except REFUSALS as error:
            raise PermanentError(f"the message cannot be begun: {error!r}", code="row_refused") from error
        except DATABASE_ERRORS as error:
            log.warning("answering_without_lease", error=repr(error))
            return self._remembered(Begun(client_id, message_id, session_id, above + 1, is_leased=False))
        if isinstance(begun, Taken):
            raise MessageTakenError
        if isinstance(begun, Lease):
            return self._remembered(Begun(client_id, message_id, session_id, begun.attempt, is_leased=True))
        return begun

    def number_above(self, client_id: str, message_id: UUID, asked_at: datetime, attempt: int) -> int | None:
        """The number under which to replay what ended as `attempt`, where a worker without Postgres may have published
        a higher one. None: no higher one was published.
        """
        last = self._last.get((client_id, message_id))
        if last is not None and last <= attempt:
            return None
        return max(attempt, self._highest(client_id, message_id, asked_at)) + 1

    async def ended_before(self, begun: Begun) -> dict[str, Any] | None:
        """After `finish` returned False: the ending of another attempt, if that is a lower one."""
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                ending = await self._attempts.ending(begun.client_id, begun.message_id, begun.session_id)
        except DATABASE_ERRORS as error:
            raise RetryableError("the ending of another attempt cannot be read") from error
        return ending if ending and attempt_of(ending) < begun.attempt else None

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
        """Stores the ending. False: publish nothing. True also without Postgres, for an ending may be published twice;
        it is remembered here, and stored after the next one that can be.
        """
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                is_ours = await self._attempts.finish(
                    begun.client_id, begun.message_id, begun.session_id, begun.attempt, ending
                )
        except REFUSALS:
            # Postgres will never take it: publish it, and do not try again.
            log.exception("ending_refused", message_id=str(begun.message_id))
            return True
        except DATABASE_ERRORS as error:
            log.warning("ending_not_stored", error=repr(error))
            self._unstored[begun.client_id, begun.message_id] = begun.session_id, begun.attempt, ending
            return True
        await self._store_late()
        return is_ours

    async def _store_late(self) -> None:
        """The oldest of those that could not be stored: one at a time, so that no answer waits for all of them."""
        if not self._unstored:
            return
        client_id, message_id = key = next(iter(self._unstored))
        session_id, attempt, ending = self._unstored[key]
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await self._attempts.finish(client_id, message_id, session_id, attempt, ending)
        except REFUSALS:
            log.exception("ending_refused", message_id=str(message_id))
        except DATABASE_ERRORS as error:
            log.warning("ending_not_stored", error=repr(error))
            # The next one's turn: whatever is wrong with this one holds up no other.
            if key in self._unstored:
                self._unstored[key] = self._unstored.pop(key)
            return
        self._unstored.pop(key, None)

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

    def _highest(self, client_id: str, message_id: UUID, asked_at: datetime) -> int:
        """No number was used above this one."""
        age_seconds = int((datetime.now(UTC) - asked_at).total_seconds())
        by_age = min(MAX_BY_AGE, NUMBERS_PER_SECOND * max(0, age_seconds))
        return max(self._last.get((client_id, message_id), 0), by_age)

    def _remembered(self, begun: Begun) -> Begun:
        self._last[begun.client_id, begun.message_id] = begun.attempt
        return begun
