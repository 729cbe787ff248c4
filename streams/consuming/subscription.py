"""One line of the wiring table: which topic, which handler, how much at once, for how long."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from schemas.events import Event
from streams.consuming.limits import ConsumerLimits
from streams.consuming.retry import RetryPolicy
from streams.topics import Topic


class Handler(Protocol):
    """Handles events without knowing Kafka; the events it yields are published in that order."""

    def handle(self, event: Any) -> AsyncIterator[Event]:
        """The events that follow from one event. May run again for the same event: must be idempotent."""
        ...

    def give_up(self, event: Any, error: Exception) -> AsyncIterator[Event]:
        """The events to publish when the runtime gives up on one."""
        ...


@dataclass(frozen=True, slots=True)
class Subscription:
    """`slots` handlers run at once, at most `client_slots` of them for one client."""

    name: str
    topic: Topic
    handler: Handler
    slots: int
    client_slots: int
    deadline_seconds: float
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    limits: ConsumerLimits = field(default_factory=ConsumerLimits)

    @property
    def group(self) -> str:
        """The consumer group: one per handler and topic, so that each scales, fails and replays alone."""
        return f"chatconnect.{self.name}.{self.topic.name}"
