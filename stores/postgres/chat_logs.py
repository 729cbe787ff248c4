"""A log of every ended answer, each once."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Integer, Select, Uuid, bindparam, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from schemas.cursor import PageCursor
from schemas.events import ChatCompleted, ChatFeedback, FinishReason, Outcome, Rating, Tier, Usage
from schemas.passages import Source
from schemas.shape import Shape
from schemas.tables import ChatLogRow, UsageRow
from stores.postgres.database import Database, single_statements, storable
from stores.postgres.statement import Statement

_USAGE_KEY = ("client_id", "day", "model")
_USAGE_SUMS = (
    "answers",
    "failures",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cost_usd",
)


class ChatLog(Shape):
    """One ended answer, with the visitor's rating."""

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
    """The rows of `chat_logs`, and their sums in `usage_stats`."""

    def __init__(self, engine: Database) -> None:
        self._engine = single_statements(engine)
        self._connections = engine.connections

    async def record(self, completed: ChatCompleted) -> bool:
        """Inserts the row and counts it, both or neither. False: the row exists, and nothing is counted."""
        values = {f"row_{name}": value for name, value in _row(completed).items()}
        values |= {f"sum_{name}": value for name, value in _sums(completed).items()}
        return await _RECORD.fetch_one(self._connections, values) is not None

    async def get(self, client_id: str, message_id: UUID) -> ChatLog | None:
        """The row, or None before the answer has ended and its record has arrived."""
        found = await self._read(
            select(ChatLogRow).where(ChatLogRow.client_id == client_id, ChatLogRow.message_id == message_id)
        )
        return found[0] if found else None

    async def page(self, client_id: str, session_id: str, *, before: PageCursor | None, limit: int) -> list[ChatLog]:
        """The session's answers, newest first, starting after `before`."""
        asked = {"client": client_id, "session": storable(session_id), "rows": limit}
        if before is None:
            return await self._read(_PAGE, asked)
        return await self._read(_NEXT_PAGE, asked | {"at": before.at, "message": UUID(before.id)})

    async def turns(self, client_id: str, session_id: str, *, before: datetime, limit: int) -> list[tuple[str, str]]:
        """Question and answer of the session's last completed answers asked before `before`, oldest first."""
        asked = {"client": client_id, "session": storable(session_id), "rows": limit, "before": before}
        rows = await _TURNS.fetch(self._connections, asked)
        return [(question, answer) for question, answer in reversed(rows)]

    async def rate(self, feedback: ChatFeedback) -> bool:
        """Stores the visitor's rating, replacing an earlier one. False: no such row in this session."""
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

    async def _read(self, query: Select[Any], values: dict[str, Any] | None = None) -> list[ChatLog]:
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query, values)).mappings().all()
        return [ChatLog.model_validate(dict(row)) for row in rows]


def _row(completed: ChatCompleted) -> dict[str, Any]:
    row = completed.model_dump(include=set(_RECORDED) - {"sources", "usage"}, by_alias=False)
    stored: dict[str, Any] = storable(row | {"sources": completed.sources, "usage": completed.usage})
    return stored | {"cost_usd": _dollars(completed)}


def _sums(completed: ChatCompleted) -> dict[str, Any]:
    failed = completed.outcome == "failed"
    return {
        "client_id": completed.client_id,
        "day": completed.completed_at.astimezone(UTC).date(),
        "model": completed.model,
        "answers": int(not failed),
        "failures": int(failed),
        "cost_usd": _dollars(completed),
        **completed.usage.model_dump(exclude={"estimated"}, by_alias=False),
    }


def _record() -> Statement:
    """Inserts the row and counts it if it is new: one statement, so both or neither."""
    columns = ChatLogRow.__table__.c
    row = {name: bindparam(f"row_{name}", type_=columns[name].type) for name in _RECORDED}
    added = insert(ChatLogRow).values(row).on_conflict_do_nothing().returning(ChatLogRow.message_id).cte("added")
    sums = UsageRow.__table__.c
    names = [*_USAGE_KEY, *_USAGE_SUMS]
    one = select(*(bindparam(f"sum_{name}", type_=sums[name].type) for name in names)).select_from(added)
    counting = insert(UsageRow).from_select(names, one)
    counted = counting.on_conflict_do_update(
        index_elements=_USAGE_KEY, set_={name: sums[name] + counting.excluded[name] for name in _USAGE_SUMS}
    )
    return Statement(select(added.c.message_id).add_cte(counted.cte("counted")))


def _dollars(completed: ChatCompleted) -> Decimal:
    # `str` gives the shortest decimal that reads back as the float: 0.1 stays 0.1.
    return Decimal(str(completed.cost_usd))


_RECORDED = tuple(name for name in ChatCompleted.model_fields if name != "trial")
# Built once: building a statement costs more than running it.
_RECORD = _record()
_EARLIER = ChatLogRow.requested_at < bindparam("before")


def _newest(*columns: Any) -> Select[Any]:
    """The last rows of a session."""
    return (
        select(*columns)
        .where(ChatLogRow.client_id == bindparam("client"), ChatLogRow.session_id == bindparam("session"))
        .order_by(ChatLogRow.requested_at.desc(), ChatLogRow.message_id.desc())
        .limit(bindparam("rows", type_=Integer))
    )


_PAGE = _newest(ChatLogRow)
# Several rows may have the same time.
_NEXT_PAGE = _PAGE.where(
    tuple_(ChatLogRow.requested_at, ChatLogRow.message_id)
    < tuple_(bindparam("at", type_=DateTime(timezone=True)), bindparam("message", type_=Uuid))
)
_TURNS = Statement(
    _newest(ChatLogRow.question, ChatLogRow.answer).where(
        _EARLIER, ChatLogRow.outcome == "completed", ChatLogRow.answer != ""
    )
)
