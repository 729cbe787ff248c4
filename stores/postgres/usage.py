"""What each client used, by day and model: sums of `chat_logs` that `ChatLogs.record` maintains."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from schemas.tables import UsageRow
from stores.postgres.database import single_statements


@dataclass(frozen=True, slots=True)
class UsageDay:
    """A client's use of one model on one UTC day, the day an answer ended. `answers` excludes failures."""

    client_id: str
    day: date
    model: str
    answers: int
    failures: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: Decimal


class UsageStats:
    """The rows of `usage_stats`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = single_statements(engine)

    async def days(self, client_id: str, since: date, until: date) -> list[UsageDay]:
        """The client's days from `since` to `until`, both included, oldest first."""
        query = (
            select(UsageRow)
            .where(UsageRow.client_id == client_id, UsageRow.day.between(since, until))
            .order_by(UsageRow.day, UsageRow.model)
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [UsageDay(**row) for row in rows]
