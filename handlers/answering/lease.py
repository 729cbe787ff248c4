"""The lease of a message, held while it is answered; answers go on while Postgres is unavailable."""

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
# Half of what a four-byte column holds: the other half is for counting up from there.
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
        """The message's ending, or None."""
        ...


@dataclass(frozen=True, slots=True)
class StartedAttempt:
    """An attempt of this worker. Without a lease another worker may answer too."""

    client_id: str
    message_id: UUID
    session_id: str
    attempt: int
    is_leased: bool


class MessageTakenError(RefusedError):
    """The message id belongs to another session of the client."""

    def __init__(self) -> None:
        super().__init__("a message with this id was asked in another session", code="message_id_taken")


class Leases:
    """Attempts that Postgres numbers, or the clock while Postgres is unavailable or too slow.

    Visitors see a higher attempt replace a lower one, so numbers must rise, also after an attempt of a dead worker that
    Postgres does not know. So both count from the question's age, eight numbers a second: more than the tries of one
    process, and another one needs longer than a second to take over. Usually the first attempt is 1.
    """

    def __init__(self, attempts: AttemptStore, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._attempts = attempts
        self._deadline_seconds = deadline_seconds
        self._last: FIFOCache[tuple[str, UUID], int] = FIFOCache(MAX_REMEMBERED)
        self._unstored: FIFOCache[tuple[str, UUID], tuple[str, int, dict[str, Any]]] = FIFOCache(MAX_UNSTORED)

    async def begin(
        self, client_id: str, message_id: UUID, session_id: str, asked_at: datetime
    ) -> StartedAttempt | Ended | Held:
        """Takes the message, unless it is held or has ended. Raises `MessageTakenError` for one of another session, and
        `PermanentError` when Postgres refuses the row.
        """
        if unstored := self._unstored.get((client_id, message_id)):
            if unstored[0] != session_id:
                raise MessageTakenError
            return Ended(unstored[2])
        above = self._highest(client_id, message_id, asked_at)
        try:
            async with asyncio.timeout(self._deadline_seconds):
                result = await self._attempts.begin(client_id, message_id, session_id, above=above)
        except REFUSALS as error:
            raise PermanentError(f"the attempt cannot be stored: {error!r}", code="row_refused") from error
        except DATABASE_ERRORS as error:
            log.warning("answering_without_lease", error=repr(error))
            return self._remembered(StartedAttempt(client_id, message_id, session_id, above + 1, is_leased=False))
        if isinstance(result, Taken):
            raise MessageTakenError
        if isinstance(result, Lease):
            return self._remembered(StartedAttempt(client_id, message_id, session_id, result.attempt, is_leased=True))
        return result

    def number_above(self, client_id: str, message_id: UUID, asked_at: datetime, attempt: int) -> int | None:
        """The number for replaying what ended as `attempt`, if a worker without Postgres may have published a higher
        one; else None.
        """
        last = self._last.get((client_id, message_id))
        if last is not None and last <= attempt:
            return None
        return max(attempt, self._highest(client_id, message_id, asked_at)) + 1

    async def ended_before(self, started: StartedAttempt) -> dict[str, Any] | None:
        """After `finish` returned False: the ending of a lower attempt, or None."""
        try:
            async with asyncio.timeout(self._deadline_seconds):
                ending = await self._attempts.ending(started.client_id, started.message_id, started.session_id)
        except DATABASE_ERRORS as error:
            raise RetryableError("the ending of another attempt cannot be read") from error
        return ending if ending and attempt_of(ending) < started.attempt else None

    @asynccontextmanager
    async def renewing(self, started: StartedAttempt, on_lost: Callable[[], None]) -> AsyncIterator[None]:
        """Renews the lease while the block runs, and calls `on_lost` once if another worker took over."""
        if not started.is_leased:
            yield
            return
        task = asyncio.create_task(self._renew(started, on_lost))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def finish(self, started: StartedAttempt, ending: dict[str, Any]) -> bool:
        """Stores the ending. False: publish nothing. True also without Postgres, as an ending may be published twice;
        it is kept here, and stored after the next one that succeeds.
        """
        try:
            async with asyncio.timeout(self._deadline_seconds):
                is_ours = await self._attempts.finish(
                    started.client_id, started.message_id, started.session_id, started.attempt, ending
                )
        except REFUSALS:
            # Postgres will never take it: publish it, and do not try again.
            log.exception("ending_refused", message_id=str(started.message_id))
            return True
        except DATABASE_ERRORS as error:
            log.warning("ending_not_stored", error=repr(error))
            self._unstored[started.client_id, started.message_id] = started.session_id, started.attempt, ending
            return True
        await self._store_oldest()
        return is_ours

    async def _store_oldest(self) -> None:
        """Stores the oldest unstored ending: one at a time, so that no answer waits for all of them."""
        if not self._unstored:
            return
        client_id, message_id = key = next(iter(self._unstored))
        session_id, attempt, ending = self._unstored[key]
        try:
            async with asyncio.timeout(self._deadline_seconds):
                await self._attempts.finish(client_id, message_id, session_id, attempt, ending)
        except REFUSALS:
            log.exception("ending_refused", message_id=str(message_id))
        except DATABASE_ERRORS as error:
            log.warning("ending_not_stored", error=repr(error))
            # To the end of the queue: whatever is wrong with this one must not hold up the others.
            if key in self._unstored:
                self._unstored[key] = self._unstored.pop(key)
            return
        self._unstored.pop(key, None)

    async def _renew(self, started: StartedAttempt, on_lost: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(self._attempts.lease_seconds / 3)
            try:
                if await self._attempts.renew(started.client_id, started.message_id, started.attempt):
                    continue
            except DATABASE_ERRORS as error:
                log.warning("lease_not_renewed", error=repr(error))
                continue
            log.info("lease_lost", attempt=started.attempt)
            on_lost()
            return

    def _highest(self, client_id: str, message_id: UUID, asked_at: datetime) -> int:
        """No attempt has a number above this one."""
        age_seconds = int((datetime.now(UTC) - asked_at).total_seconds())
        by_age = min(MAX_BY_AGE, NUMBERS_PER_SECOND * max(0, age_seconds))
        return max(self._last.get((client_id, message_id), 0), by_age)

    def _remembered(self, started: StartedAttempt) -> StartedAttempt:
        self._last[started.client_id, started.message_id] = started.attempt
        return started
