"""The partition of a key's records: murmur2, the Java default, so that every producer agrees (`docs/wire.md`)."""

import random
from collections.abc import Sequence
from functools import lru_cache

from aiokafka.partitioner import murmur2

REMEMBERED_KEYS = 4_096
MAX_REMEMBERED_BYTES = 128


def partition_for(key: bytes, partitions: int) -> int:
    """The partition of a key in a topic of that many partitions."""
    number = _remembered(key) if len(key) <= MAX_REMEMBERED_BYTES else hash_of(key)
    return number % partitions


def choose_partition(key: bytes | None, partitions: Sequence[int], available: Sequence[int]) -> int:
    """The partitioner that aiokafka calls. A record without a key goes to any partition."""
    if key is None:
        return random.choice(available or partitions)
    return partitions[partition_for(key, len(partitions))]


def hash_of(key: bytes) -> int:
    """The key's positive hash; modulo the number of partitions it is the key's partition."""
    return int(murmur2(key) & 0x7FFFFFFF)


# Computed in Python, it is a tenth of a record's cost, and an answer's records share one key.
_remembered = lru_cache(REMEMBERED_KEYS)(hash_of)
