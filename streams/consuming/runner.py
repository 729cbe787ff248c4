"""Runs one record: decode, handle, publish; after the last failed try, an ending and a dead letter."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import aclosing

import structlog

from schemas.events import Event
from schemas.failures import RetryableError
from streams import metrics
from streams.codec import CLIENT_TIER, TRACEPARENT, Record, UndecodableError, decode
from streams.consuming.lanes import Job, P
from streams.consuming.log_limit import LogLimit
from streams.consuming.retry import RetryPolicy
from streams.consuming.subscription import Subscription
from streams.dead_letters.limit import DeadLetterLimit
from streams.dead_letters.salvage import salvage
from streams.dead_letters.writer import DeadLetters
from streams.publisher import Acknowledgement, Publisher, acknowledged
from streams.topics import TOPIC_BY_EVENT

FORWARDED_HEADERS = frozenset({TRACEPARENT, CLIENT_TIER})
MAX_UNACKNOWLEDGED = 256
# An ending that cannot be published is retried for ever; a defect in `give_up` itself must not block the record.
MAX_ENDING_DEFECTS = 5
ENDING_RETRY = RetryPolicy(attempts=1_000_000)

log = structlog.get_logger()


class Runner:
    """Runs a record, and decides whether and when it is run again."""

    def __init__(self, subscription: Subscription, publisher: Publisher) -> None:
        self._subscription = subscription
        self._publisher = publisher
        self._dead_letters = DeadLetters(publisher, subscription.group)
        self._limit = DeadLetterLimit(subscription.limits.max_dead_letters_in_a_row)
        self._log_limit = LogLimit()
        self._seconds = metrics.HANDLER_SECONDS.labels(subscription.name)
        self._done = metrics.RECORDS.labels(subscription.name, "done")

    async def run(self, job: Job[P], record: Record) -> float | None:
        """None: the record is finished. Else seconds until its next run.

        The commit is the caller's last step: everything the handler yielded is acknowledged when this returns None.
        Raises only `TooManyDeadLettersError`.
        """
        name = self._subscription.name
        try:
            with self._seconds.time():
                async with asyncio.timeout(self._subscription.deadline_seconds):
                    await (self._handle(record) if job.failure is None else self._give_up(job, record))
        except Exception as error:  # noqa: BLE001 - the one place that handles every failure of a handler
            return self._delay_after(job, error)
        if job.failure is None:
            self._done.inc()
            self._limit.done()
        else:
            metrics.RECORDS.labels(name, "dead").inc()
            metrics.DEAD_LETTERS.labels(name).inc()
            self._limit.dead(job.failure)
        return None

    async def _handle(self, record: Record) -> None:
        event = decode(self._subscription.topic, record)
        with structlog.contextvars.bound_contextvars(**_context(event)):
            await self._publish_all(self._subscription.handler.handle(event), record)

    async def _give_up(self, job: Job[P], record: Record) -> None:
        error = job.failure
        assert error is not None
        if job.ending_defects < MAX_ENDING_DEFECTS and (event := self._event_to_end(record, error)) is not None:
            with structlog.contextvars.bound_contextvars(**_context(event)):
                await self._publish_all(self._subscription.handler.give_up(event, error), record)
        await self._dead_letters.write(self._subscription.topic, record, error, job.attempts)
        if (left_out := self._log_limit.take()) is not None:
            log.error("dead_letter", handler=self._subscription.name, error=repr(error), left_out=left_out,
                      **_origin(record))  # fmt: skip

    def _event_to_end(self, record: Record, error: Exception) -> Event | None:
        """The event for `give_up`; None when it cannot be reconstructed."""
        if isinstance(error, UndecodableError):
            return salvage(self._subscription.topic, record)
        return decode(self._subscription.topic, record)

    async def _publish_all(self, events: AsyncIterator[Event], record: Record) -> None:
        headers = [(key, value) for key, value in record.headers if key in FORWARDED_HEADERS]
        waiting: deque[Acknowledgement] = deque()
        async with aclosing(events) as yielded:  # type: ignore[type-var]
            async for event in yielded:
                if TOPIC_BY_EVENT[type(event)].best_effort:
                    self._publisher.offer(event, headers=headers)
                    continue
                waiting.append(await self._publisher.send(event, headers=headers))
                while waiting and (waiting[0].done() or len(waiting) > MAX_UNACKNOWLEDGED):
                    await acknowledged(waiting.popleft())
        for acknowledgement in waiting:
            await acknowledged(acknowledgement)

    def _delay_after(self, job: Job[P], error: Exception) -> float:
        name = self._subscription.name
        if job.failure is not None:
            job.endings += 1
            job.ending_defects += not isinstance(error, (RetryableError, TimeoutError))
            if (left_out := self._log_limit.take()) is not None:
                log.warning("ending_failed", handler=name, error=repr(error), endings=job.endings, left_out=left_out)
            return ENDING_RETRY.decide(error, job.endings) or 1.0
        job.attempts += 1
        job.defects += not isinstance(error, RetryableError)
        delay = self._subscription.retry.decide(error, job.attempts, job.defects)
        if delay is None:
            job.failure = error
            return 0.0
        metrics.RETRIES.labels(name).inc()
        if (left_out := self._log_limit.take()) is not None:
            known = isinstance(error, (RetryableError, TimeoutError))
            log.warning("retry", handler=name, attempts=job.attempts, delay_seconds=round(delay, 3), error=repr(error),
                        left_out=left_out, exc_info=None if known else error)  # fmt: skip
        return delay


def _context(event: Event) -> dict[str, str]:
    named = ("message_id", "session_id", "document_id")
    found = {name: str(getattr(event, name)) for name in named if hasattr(event, name)}
    return {"client_id": event.client_id, **found}


def _origin(record: Record) -> dict[str, str | int]:
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset}
