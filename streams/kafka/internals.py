"""What aiokafka has no public API for. `tests/contract/test_library_internals.py` fails when an upgrade changes it."""

from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient


def member_id(consumer: AIOKafkaConsumer) -> str:
    """A consumer's member id in its group; empty before it has joined."""
    name: str = consumer._coordinator.member_id  # noqa: SLF001 - see above
    return name


def client_of(consumer: AIOKafkaConsumer) -> AIOKafkaClient:
    """The client that sends a consumer's requests."""
    return consumer._client  # noqa: SLF001 - see above


def background_components(consumer: AIOKafkaConsumer) -> tuple[Any, ...]:
    """The parts that keep connecting after a failed stop; each has a coroutine `close`."""
    return tuple(part for part in (consumer._fetcher, consumer._client) if part is not None)  # noqa: SLF001 - see above
