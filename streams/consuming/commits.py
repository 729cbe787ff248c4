"""The commits of one consumer: one at a time, and none that outlives the epoch it was made for."""

import asyncio

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata

from streams import metrics
from streams.consuming.assignment import Assigned

log = structlog.get_logger()


class Commits:
    """Takes one commit after another.

    aiokafka tries a failed commit again, with the generation of that moment: after a rejoin it would put back the
    offset of the partition's next owner. So a revocation, which ends with a commit, waits for the one before it.
    """

    def __init__(self, handler: str, timeout_seconds: float) -> None:
        self._handler = handler
        self._timeout_seconds = timeout_seconds
        self._one_at_a_time = asyncio.Lock()

    async def make(self, kafka: AIOKafkaConsumer, held: list[Assigned]) -> None:
        """Commit what may be committed of these, within `timeout_seconds` after the commit before it.

        No commit that was begun before this one is under way when it returns. A failure is logged and counted.
        """
        async with self._one_at_a_time:
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
            # Uncommitted work is done again after a rebalance, and made harmless by its idempotency.
            metrics.COMMIT_FAILURES.labels(self._handler).inc()
            log.warning("commit_failed", handler=self._handler, error=repr(error))
            return False
        return True
