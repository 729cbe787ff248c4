"""The commits of one consumer: one at a time, and none outlives its epoch."""

import asyncio

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata

from streams import metrics
from streams.consuming.assignment import Assigned

log = structlog.get_logger()


class Commits:
    """Runs one commit after another.

    aiokafka retries a failed commit with the group generation of that moment: after a rejoin it would reset the
    offset of the partition's next owner. So a revocation, which ends with a commit, waits for the commit before it.
    """

    def __init__(self, handler: str, timeout_seconds: float) -> None:
        self._handler = handler
        self._timeout_seconds = timeout_seconds
        self._lock = asyncio.Lock()

    async def commit(self, kafka: AIOKafkaConsumer, held: list[Assigned]) -> None:
        """Commit the finished records of these, within `timeout_seconds` after the commit before it.

        When it returns, no earlier commit is still running. A failure is logged and counted.
        """
        async with self._lock:
            # An epoch may have ended while this commit waited for its turn.
            pending = {one: offset for one in held if one.is_current and (offset := one.tracker.pending()) is not None}
            if pending and await self._commit(kafka, pending):
                for one, offset in pending.items():
                    one.tracker.committed = offset

    async def _commit(self, kafka: AIOKafkaConsumer, pending: dict[Assigned, int]) -> bool:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await kafka.commit({one.partition: OffsetAndMetadata(offset, "") for one, offset in pending.items()})
        except (KafkaError, IllegalStateError, TimeoutError) as error:
            # Uncommitted records are handled again after a rebalance; handlers are idempotent.
            metrics.COMMIT_FAILURES.labels(self._handler).inc()
            log.warning("commit_failed", handler=self._handler, error=repr(error))
            return False
        return True
