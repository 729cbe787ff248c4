"""The partitions assigned to this process. An `Assigned` is one epoch of one partition and is never reused."""

from collections.abc import Iterable, Iterator

from aiokafka import TopicPartition

from streams.consuming.offsets import OffsetTracker

HIGH_WATER_BYTES = 32 * 1024 * 1024


class Assigned:
    """A partition from its assignment, or the start of a new log, until either ends.

    `is_open` while its records may be started, `is_current` while its offset may be committed.
    """

    __slots__ = ("_high_water", "is_current", "is_open", "partition", "tracker")

    def __init__(self, partition: TopicPartition, high_water_records: int) -> None:
        self.partition = partition
        self._high_water = high_water_records
        self.tracker = OffsetTracker()
        self.is_open = True
        self.is_current = True

    @property
    def is_full(self) -> bool:
        """Unfinished records have reached the high-water mark: pause reading."""
        return len(self.tracker) >= self._high_water or self.tracker.size_bytes >= HIGH_WATER_BYTES

    @property
    def has_room(self) -> bool:
        """Unfinished records are down to half of the high-water mark: resume reading."""
        return len(self.tracker) <= self._high_water // 2 and self.tracker.size_bytes <= HIGH_WATER_BYTES // 2


class Assignments:
    """Partition → its current epoch."""

    def __init__(self, high_water_records: int) -> None:
        self._high_water_records = high_water_records
        self._held: dict[TopicPartition, Assigned] = {}

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """Start a new epoch of each."""
        for partition in partitions:
            self.begin(partition)

    def begin(self, partition: TopicPartition) -> Assigned:
        """Start a new epoch of a partition and end its previous one."""
        self.end([partition])
        self._held[partition] = Assigned(partition, self._high_water_records)
        return self._held[partition]

    def close(self, partitions: Iterable[TopicPartition]) -> list[Assigned]:
        """Let no more records of these start; running ones may still be committed."""
        closed = [self._held[partition] for partition in partitions if partition in self._held]
        for assigned in closed:
            assigned.is_open = False
        return closed

    def end(self, partitions: Iterable[TopicPartition]) -> None:
        """End the epoch: later results move no offset."""
        for partition in partitions:
            assigned = self._held.pop(partition, None)
            if assigned is not None:
                assigned.is_open = assigned.is_current = False

    def get(self, partition: TopicPartition) -> Assigned | None:
        """The current epoch of a partition, if we hold it."""
        return self._held.get(partition)

    def __iter__(self) -> Iterator[Assigned]:
        return iter(list(self._held.values()))

    def __len__(self) -> int:
        return len(self._held)
