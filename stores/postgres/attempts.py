"""Leases on messages, and how each message ended: what makes redelivery harmless (`docs/architecture.md`).

A lease lasts seconds and is renewed while the answer is generated. All times are the database's, so the clocks of
the workers do not matter.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, Interval, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from schemas.tables import AttemptRow
from stores.postgres.database import Database, single_statements, storable
from stores.postgres.statement import Statement

_COLUMNS = ("client_id", "message_id", "session_id", "attempt", "holder")
_LEASE_END = func.now() + bindparam("lease", type_=Interval)


def _is_in_session(session_id: Any) -> Any:
    # Rows of an earlier version have no session id.
    return AttemptRow.session_id.is_(None) | (AttemptRow.session_id == session_id)


def _begin() -> Statement:
    row = insert(AttemptRow).values(lease_until=_LEASE_END)
    is_free = or_(AttemptRow.lease_until <= func.now(), AttemptRow.holder == row.excluded.holder)
    taken = row.on_conflict_do_update(
        index_elements=["client_id", "message_id"],
        set_={
            "attempt": func.greatest(AttemptRow.attempt, row.excluded.attempt - 1) + 1,
            "holder": row.excluded.holder,
            "lease_until": row.excluded.lease_until,
            "updated_at": func.now(),
        },
        where=AttemptRow.ending.is_(None) & is_free & _is_in_session(row.excluded.session_id),
    )
    return Statement(taken.returning(AttemptRow.attempt), columns=_COLUMNS)


def _finish() -> Statement:
    row = insert(AttemptRow).values(lease_until=func.now())
    ended = row.on_conflict_do_update(
        index_elements=["client_id", "message_id"],
        set_={"attempt": row.excluded.attempt, "ending": row.excluded.ending, "updated_at": func.now()},
        where=AttemptRow.ending.is_(None)
        & (AttemptRow.attempt <= row.excluded.attempt)
        & _is_in_session(row.excluded.session_id),
    )
    return Statement(ended.returning(AttemptRow.attempt), columns=[*_COLUMNS, "ending"])


# Built once: building a statement costs more than running it.
_BEGIN, _FINISH = _begin(), _finish()


@dataclass(frozen=True, slots=True)
class Lease:
    """We answer the message, as this attempt."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The message has ended: publish this ending again."""

    ending: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """Another worker holds an unexpired lease."""

    retry_after_seconds: float


@dataclass(frozen=True, slots=True)
class Taken:
    """The message id belongs to another session: do not answer it in this one."""


class Attempts:
    """The rows of `answer_attempts`. `holder` names this process; a restart under the same name keeps its leases."""

    def __init__(self, engine: Database, holder: str, lease_seconds: float = 15) -> None:
        self.lease_seconds = lease_seconds
        self._engine = single_statements(engine)
        self._connections = engine.connections
        self._holder = holder
        self._lease = {"lease": timedelta(seconds=lease_seconds)}

    async def begin(
        self, client_id: str, message_id: UUID, session_id: str, *, above: int = 0
    ) -> Lease | Ended | Held | Taken:
        """Acquires the lease if it is free. The attempt is higher than every earlier one and than `above`."""
        row = self._row(client_id, message_id, session_id, above + 1)
        while True:
            if taken := await _BEGIN.fetch_one(self._connections, {**row, **self._lease}):
                return Lease(taken["attempt"])
            if found := await self._conflict(client_id, message_id, row["session_id"]):
                return found

    def _row(self, client_id: str, message_id: UUID, session_id: str, attempt: int) -> dict[str, Any]:
        return {
            "client_id": client_id,
            "message_id": message_id,
            "session_id": storable(session_id),
            "attempt": attempt,
            "holder": self._holder,
        }

    async def _conflict(self, client_id: str, message_id: UUID, session_id: str) -> Ended | Held | Taken | None:
        """None if the row has been purged."""
        query = select(
            AttemptRow.session_id,
            AttemptRow.ending,
            func.extract("epoch", AttemptRow.lease_until - func.now()).label("seconds"),
        ).where(AttemptRow.client_id == client_id, AttemptRow.message_id == message_id)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        if row.session_id not in (None, session_id):
            return Taken()
        return Held(max(0.0, float(row.seconds))) if row.ending is None else Ended(row.ending)

    async def renew(self, client_id: str, message_id: UUID, attempt: int) -> bool:
        """Extends the lease. False: another worker has taken over or the message has ended; stop."""
        statement = (
            update(AttemptRow)
            .where(
                AttemptRow.client_id == client_id,
                AttemptRow.message_id == message_id,
                AttemptRow.attempt == attempt,
                AttemptRow.ending.is_(None),
            )
            .values(lease_until=_LEASE_END)
            .returning(AttemptRow.attempt)
        )
        async with self._engine.connect() as connection:
            return (await connection.execute(statement, self._lease)).one_or_none() is not None

    async def finish(
        self, client_id: str, message_id: UUID, session_id: str, attempt: int, ending: dict[str, Any]
    ) -> bool:
        """Stores the ending. False: a newer attempt has begun or the message has already ended; publish nothing.

        An attempt without a row (begun while Postgres was unavailable) is stored too.
        """
        row = self._row(client_id, message_id, session_id, attempt) | {"ending": storable(ending)}
        return await _FINISH.fetch_one(self._connections, row) is not None

    async def ending(self, client_id: str, message_id: UUID, session_id: str) -> dict[str, Any] | None:
        """The ending of this session's message, or None."""
        query = select(AttemptRow.ending).where(
            AttemptRow.client_id == client_id,
            AttemptRow.message_id == message_id,
            _is_in_session(storable(session_id)),
        )
        async with self._engine.connect() as connection:
            found: dict[str, Any] | None = (await connection.execute(query)).scalar_one_or_none()
        return found

    async def purge(self, older_than: timedelta) -> int:
        """Deletes the rows of all clients that have not changed for `older_than`; returns how many."""
        statement = delete(AttemptRow).where(AttemptRow.updated_at < func.now() - older_than)
        async with self._engine.connect() as connection:
            deleted: CursorResult[Any] = await connection.execute(statement)
        return deleted.rowcount
