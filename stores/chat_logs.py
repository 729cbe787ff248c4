"""Every ended answer, once."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, Select, literal, select, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from schemas.events import ChatCompleted, ChatFeedback, FinishReason, Outcome, Rating, Source, Tier, Usage
from schemas.shape import Shape
from schemas.tables import ChatLogRow, UsageRow
from stores.database import single_statements, storable

_ADDED_UP = (
    "answers",
    "failures",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cost_usd",
)


class ChatLog(Shape):
    """One ended answer as it was recorded, with the visitor's verdict."""

    client_id: str
    message_id: UUID
    session_id: str
    attempt: int
    outcome: Outcome
    question: str
    answer: str
    sources: list[Source]
    citations: list[int]
    finish_reason: FinishReason
    failure_code: str | None
    provider: str
    model: str
    tier: Tier
    usage: Usage
    requested_at: datetime
    completed_at: datetime
    rating: Rating | None
    rating_comment: str | None


class ChatLogs:
    """The rows of `chat_logs`, and the counting of them in `usage_stats`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = single_statements(engine)

    async def record(self, completed: ChatCompleted) -> bool:
        """Adds the row and counts it, both or neither. False: it was there, and nothing was counted."""
        row = insert(ChatLogRow).values(_row(completed)).on_conflict_do_nothing().returning(ChatLogRow.message_id)
        added = row.cte("added")
        statement = select(added.c.message_id).add_cte(_count(completed, added).cte("counted"))
        async with self._engine.connect() as connection:
            return (await connection.execute(statement)).one_or_none() is not None

    async def get(self, client_id: str, message_id: UUID) -> ChatLog | None:
        """The row, or None while the answer runs or its record is on its way."""
        found = await self._read(
            select(ChatLogRow).where(ChatLogRow.client_id == client_id, ChatLogRow.message_id == message_id)
        )
        return found[0] if found else None

    async def page(self, client_id: str, session_id: str, *, before: datetime | None, limit: int) -> list[ChatLog]:
        """The session's answers, newest first; with `before`, those asked earlier than that."""
        query = (
            select(ChatLogRow)
            .where(ChatLogRow.client_id == client_id, ChatLogRow.session_id == storable(session_id))
            .order_by(ChatLogRow.requested_at.desc(), ChatLogRow.message_id.desc())
            .limit(limit)
        )
        return await self._read(query if before is None else query.where(ChatLogRow.requested_at < before))

    async def rate(self, feedback: ChatFeedback) -> bool:
        """Keeps the visitor's verdict in place of an earlier one. False: no such row in this session."""
        statement = (
            update(ChatLogRow)
            .where(
                ChatLogRow.client_id == feedback.client_id,
                ChatLogRow.message_id == feedback.message_id,
                ChatLogRow.session_id == storable(feedback.session_id),
            )
            .values(rating=feedback.rating, rating_comment=storable(feedback.comment))
            .returning(ChatLogRow.message_id)
        )
        async with self._engine.connect() as connection:
            return (await connection.execute(statement)).one_or_none() is not None

    async def _read(self, query: Select[Any]) -> list[ChatLog]:
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [ChatLog.model_validate(dict(row)) for row in rows]


def _row(completed: ChatCompleted) -> dict[str, Any]:
    row = completed.model_dump(exclude={"sources", "usage"}, by_alias=False)
    row["sources"] = [source.model_dump(mode="json") for source in completed.sources]
    row["usage"] = completed.usage.model_dump(mode="json")
    stored: dict[str, Any] = storable(row)
    return stored | {"cost_usd": _dollars(completed)}


def _count(completed: ChatCompleted, added: CTE) -> Insert:
    """Adds to the day's sums if a row was added, in the same statement: both or neither."""
    failed = completed.outcome == "failed"
    columns = UsageRow.__table__.c
    values = {
        "client_id": completed.client_id,
        "day": completed.completed_at.astimezone(UTC).date(),
        "model": completed.model,
        "answers": int(not failed),
        "failures": int(failed),
        "cost_usd": _dollars(completed),
        **completed.usage.model_dump(exclude={"estimated"}, by_alias=False),
    }
    one = select(*(literal(value, columns[name].type) for name, value in values.items())).select_from(added)
    row = insert(UsageRow).from_select(list(values), one)
    sums = {name: columns[name] + row.excluded[name] for name in _ADDED_UP}
    return row.on_conflict_do_update(index_elements=["client_id", "day", "model"], set_=sums)


def _dollars(completed: ChatCompleted) -> Decimal:
    # Through the shortest decimal that reads back as the float: 0.1 stays 0.1.
    return Decimal(str(completed.cost_usd))
