"""Where a key's records go: murmur2, the Java default, so that every producer agrees (`docs/wire.md`)."""

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
    """What aiokafka asks for. A record without a key goes anywhere."""
    if key is None:
        return random.choice(available or partitions)
    return partitions[partition_for(key, len(partitions))]


def hash_of(key: bytes) -> int:
    """What is divided by the number of partitions: the remainder is the key's."""
    return int(murmur2(key) & 0x7FFFFFFF)


# It is computed in Python, a tenth of what a record costs, and an answer's records have one key.
_remembered = lru_cache(REMEMBERED_KEYS)(hash_of)
