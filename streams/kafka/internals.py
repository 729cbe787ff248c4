"""What aiokafka has no public name for. `tests/contract/test_library_internals.py` says when an upgrade moves it."""

from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient


def member_id(consumer: AIOKafkaConsumer) -> str:
    """The name under which the group knows a consumer; empty before it has joined."""
    name: str = consumer._coordinator.member_id  # noqa: SLF001 - see above
    return name


def client_of(consumer: AIOKafkaConsumer) -> AIOKafkaClient:
    """What sends a consumer's requests."""
    return consumer._client  # noqa: SLF001 - see above


def background_parts(consumer: AIOKafkaConsumer) -> tuple[Any, ...]:
    """What goes on connecting after a stop that was broken off; each has a coroutine `close`."""
    return tuple(part for part in (consumer._fetcher, consumer._client) if part is not None)  # noqa: SLF001 - see above
