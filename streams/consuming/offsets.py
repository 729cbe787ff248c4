"""Which offset may be committed when records of a partition finish out of order.

Pure and synchronous. Each assignment of a partition, and each new log of it, gets a new tracker, so a result of an old
one can never move an offset (I14).
"""

from collections import OrderedDict
from typing import NamedTuple


class Unfinished(NamedTuple):
    """What is kept of an unfinished record: its size and when it was written (ms since 1970)."""

    size_bytes: int
    written_ms: int


class OffsetTracker:
    """Received and unfinished offsets of one partition.

    Guarantees: `committable()` never passes an unfinished record (I8) and never goes back. Offsets that were never
    received (compacted away, transaction markers) count as done. The buffer size is a sum over the unfinished
    records, so it cannot leak (parallel-consumer #547, #832).
    """

    __slots__ = ("_position", "_unfinished", "committed")

    def __init__(self) -> None:
        self._unfinished: OrderedDict[int, Unfinished] = OrderedDict()
        self._position: int | None = None
        self.committed: int | None = None

    def receive(self, offset: int, size_bytes: int = 0, written_ms: int = 0) -> None:
        """Add a record. Offsets of one log ascend; lower ones need a new tracker."""
        assert self._position is None or offset >= self._position, "the offset is of another log"
        self._unfinished[offset] = Unfinished(size_bytes, written_ms)
        self._position = offset + 1

    def finish(self, offset: int) -> None:
        """The record was handled, or its dead letter is written. Idempotent."""
        self._unfinished.pop(offset, None)

    def committable(self) -> int | None:
        """Where to resume after a crash: the lowest unfinished offset, else the position; None before any record."""
        return next(iter(self._unfinished), self._position)

    def pending(self) -> int | None:
        """`committable()` when it is ahead of what was committed, else None."""
        offset = self.committable()
        return offset if offset is not None and offset != self.committed else None

    @property
    def position(self) -> int | None:
        """The offset after the last received one."""
        return self._position

    def __len__(self) -> int:
        """Records received and not finished: queued, running, or waiting to be tried again."""
        return len(self._unfinished)

    @property
    def size_bytes(self) -> int:
        """Bytes of the unfinished records, in O(n)."""
        return sum(record.size_bytes for record in self._unfinished.values())

    @property
    def oldest_ms(self) -> int | None:
        """When the lowest unfinished record was written, or None."""
        first = next(iter(self._unfinished.values()), None)
        return None if first is None else first.written_ms
