"""Questions that a bench asks, and a handler that runs a given coroutine for each."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from uuid import uuid4

from schemas.events import ChatRequested, Event
from streams.publisher import Publisher
from streams.topics import Topic

SLOTS, CLIENT_SLOTS = 256, 192
DEADLINE_SECONDS = 120.0


class Scripted:
    """Runs a coroutine per event and yields nothing."""

    def __init__(self, script: Callable[[ChatRequested], Awaitable[None]]) -> None:
        self._script = script

    async def handle(self, event: ChatRequested) -> AsyncIterator[Event]:
        """Runs the script."""
        await self._script(event)
        for nothing in tuple[Event, ...]():
            yield nothing

    async def give_up(self, _event: ChatRequested, _error: Exception) -> AsyncIterator[Event]:
        """Yields nothing."""
        for nothing in tuple[Event, ...]():
            yield nothing


async def ask(publisher: Publisher, topic: Topic, sessions: list[str], client: str = "c") -> None:
    """Publishes a question per session; returns when Kafka has acknowledged all."""
    waiting = []
    for session in sessions:
        event = ChatRequested(
            client_id=client, message_id=uuid4(), session_id=session, text="x", requested_at=datetime.now(UTC)
        )
        value = event.model_dump_json().encode()
        waiting.append(await publisher.send_raw(topic.name, session.encode(), value, [("client-id", client.encode())]))
    await asyncio.gather(*waiting)


class Finished:
    """Sets `all` after `number` calls of `one`."""

    def __init__(self, number: int) -> None:
        self._left, self.all = number, asyncio.Event()

    def one(self) -> None:
        """Counts one."""
        self._left -= 1
        if self._left == 0:
            self.all.set()
