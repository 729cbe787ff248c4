"""Where a key's records go: murmur2, the Java default, so that every producer agrees (`wire.md`)."""

from aiokafka.partitioner import murmur2


def partition_for(key: bytes, partitions: int) -> int:
    """The partition of a key in a topic of that many partitions."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions
