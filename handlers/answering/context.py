"""What an answer uses besides its passages; defaults while Postgres is unavailable or slow."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

import structlog

from handlers.ports import Turn
from schemas.events import ChatRequested, Tier
from stores.postgres.clients import Client, Widget
from stores.postgres.database import DATABASE_ERRORS

MAX_TURNS = 6
DEADLINE_SECONDS = 1

log = structlog.get_logger()

Found = TypeVar("Found")


class ClientStore(Protocol):
    """`stores.postgres.clients.Clients`."""

    async def get(self, client_id: str) -> Client | None:
        """The client, or None."""
        ...

    async def widget(self, client_id: str, widget_id: str | None) -> Widget:
        """The widget, or the client's first, or the defaults."""
        ...


class ChatLogStore(Protocol):
    """`stores.postgres.chat_logs.ChatLogs`."""

    async def turns(self, client_id: str, session_id: str, *, before: datetime, limit: int) -> list[tuple[str, str]]:
        """Question and answer of the session's completed answers, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """The client's tier, the widget, and the earlier turns of the session, oldest first."""

    tier: Tier
    widget: Widget
    turns: Sequence[Turn]


async def load_answer_context(
    clients: ClientStore, request: ChatRequested, turns: Awaitable[Sequence[Turn]]
) -> AnswerContext:
    """Reads client and widget concurrently, each ≤ 1 s; defaults replace what cannot be read."""
    async with asyncio.TaskGroup() as group:
        widget = group.create_task(
            _read_or(clients.widget(request.client_id, request.widget_id), Widget(request.client_id, "default"))
        )
        found = await _read_or(clients.get(request.client_id), None)
    return AnswerContext(found.tier if found else "free", widget.result(), await turns)


async def load_turns(chat_logs: ChatLogStore, request: ChatRequested) -> Sequence[Turn]:
    """The turns of the session before this message, oldest first; none if they cannot be read within 1 s."""
    # A replayed question must not read the turns after it.
    reading = chat_logs.turns(request.client_id, request.session_id, before=request.requested_at, limit=MAX_TURNS)
    return [Turn(question, answer) for question, answer in await _read_or(reading, [])]


async def _read_or(reading: Awaitable[Found], default: Found) -> Found:
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await reading
    except DATABASE_ERRORS as error:
        log.warning("answering_without", missing=type(default).__name__, error=repr(error))
        return default
