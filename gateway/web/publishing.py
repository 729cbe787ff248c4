"""Publishes events, with a deadline that a caller can wait for."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from gateway.web.problems import unavailable
from schemas.events import Event

PUBLISH_TIMEOUT_SECONDS = 5.0


class EventLog(Protocol):
    """What `EventPublisher` needs of `streams.publisher.Publisher`."""

    async def publish(self, event: Event, *, headers: Iterable[tuple[str, bytes]] = ()) -> None:
        """Returns once the event is on the log."""
        ...


class EventPublisher:
    """Publishes events to the log."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def publish(self, event: Event, *, headers: Iterable[tuple[str, bytes]] = ()) -> None:
        """Returns once it is on the log. Raises `Problem` 503 after 5 s: the event may or may not be on the log."""
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_SECONDS):
                await self._log.publish(event, headers=headers)
        except TimeoutError as error:
            raise unavailable("The event log is slow right now: send this again with the same messageId.") from error
