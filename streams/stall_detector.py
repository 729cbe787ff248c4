"""Distinguishes a stalled reader from a log without new records. Pure."""

from collections.abc import Mapping

from aiokafka import TopicPartition


class ConsumerStalledError(Exception):
    """The consumer is behind the end of the log and receives nothing."""


class StallDetector:
    """Compares positions with the ends of the log, at each check."""

    def __init__(self) -> None:
        self._unmoved: dict[TopicPartition, tuple[int, float]] = {}

    def seconds(
        self, positions: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int], now_seconds: float
    ) -> float:
        """For how long (the longest of all partitions) a position has not moved though its log ends elsewhere; else 0.

        One stalled partition counts even while others move. An end before the position is a log that lost its tail.
        """
        for partition, position in positions.items():
            if ends[partition] == position:
                self._unmoved.pop(partition, None)
            elif self._unmoved.get(partition, (None, 0.0))[0] != position:
                self._unmoved[partition] = position, now_seconds
        return max((now_seconds - since for _, since in self._unmoved.values()), default=0.0)
