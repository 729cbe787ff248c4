"""Makes aiokafka skip a batch that it cannot read.

A header name that is not UTF-8 makes aiokafka raise `UnicodeDecodeError`, again after every restart: one record would
stop every reader of the partition. Its batch, which is one producer's, is skipped, counted and logged instead; its
bytes stay on the log. aiokafka offers no hook for this, so a subclass replaces its class.
"""

from typing import Any

import structlog
from aiokafka.consumer import fetcher
from prometheus_client import Counter

UNREADABLE_BATCHES = Counter(
    "chatconnect_unreadable_batches_total", "Batches passed over, for a header's name in them is not UTF-8.", ["topic"]
)

log = structlog.get_logger()


class PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """aiokafka's records of one fetch, without the batches that it cannot read."""

    def __init__(self, tp: Any, records: Any, *rest: Any) -> None:
        self._batches = _TrackedBatches(records)
        self.next_fetch_offset: int
        super().__init__(tp, self._batches, *rest)

    def __next__(self) -> Any:
        while True:
            try:
                return super().__next__()
            except UnicodeDecodeError:
                self._skip_batch()

    def _skip_batch(self) -> None:
        UNREADABLE_BATCHES.labels(self._tp.topic).inc()
        log.error("batch_unreadable", topic=self._tp.topic, partition=self._tp.partition, offset=self.next_fetch_offset)
        self.next_fetch_offset = self._batches.latest.next_offset
        self._records_iterator = self._unpack_records()


class _TrackedBatches:
    """aiokafka's batches, and the one that is being read."""

    def __init__(self, records: Any) -> None:
        self._records = records
        self.latest: Any = None

    def has_next(self) -> bool:
        return bool(self._records.has_next())

    def next_batch(self) -> Any:
        self.latest = self._records.next_batch()
        return self.latest


def pass_over_unreadable_batches() -> None:
    """Patches aiokafka for every consumer of this process. Idempotent."""
    fetcher.PartitionRecords = PartitionRecords
