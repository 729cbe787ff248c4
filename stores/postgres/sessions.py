"""Who owns each session: the first to name it at any gateway, because one SQL statement decides."""

from dataclasses import dataclass
from typing import Any, Literal, cast
from uuid import UUID

import asyncpg
from sqlalchemy import Boolean, Text, bindparam, case, exists, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from schemas.tables import ChatLogRow, SessionRow
from stores.postgres.database import Database, single_statements, storable
from stores.postgres.statement import Statement

OwnerKind = Literal["visitor", "server"]

_COLUMNS = ("client_id", "session_id", "visitor_id", "message_id")


@dataclass(frozen=True, slots=True)
class SessionOwner:
    """A `visitor` opened it with `message_id` or, without one, got a ticket from the client's server."""

    kind: OwnerKind
    visitor_id: str | None = None
    message_id: UUID | None = None


def _claim() -> Statement:
    # A session with chat logs but without a row comes from a server that writes to Kafka itself.
    has_answers = exists().where(
        ChatLogRow.client_id == bindparam("in_client"), ChatLogRow.session_id == bindparam("in_session")
    )
    row = insert(SessionRow).values(owner=case((has_answers, "server"), else_=bindparam("unless_answered", type_=Text)))
    # An update that changes nothing returns the existing row; `DO NOTHING` would not.
    upsert = row.on_conflict_do_update(
        index_elements=["client_id", "session_id"], set_={"client_id": row.excluded.client_id}
    )
    is_new = literal_column("(xmax = 0)", Boolean).label("is_new")
    return Statement(
        upsert.returning(SessionRow.owner, SessionRow.visitor_id, SessionRow.message_id, is_new), columns=_COLUMNS
    )


# Built once: building a statement costs more than running it.
_CLAIM = _claim()


class Sessions:
    """The rows of `sessions`."""

    def __init__(self, engine: Database) -> None:
        self._engine = single_statements(engine)
        self._connections = engine.connections

    async def claim(self, client_id: str, session_id: str, owner: SessionOwner) -> tuple[SessionOwner, bool]:
        """The owner after this call, and whether the session is new. Concurrent claims all get the first owner."""
        row = {
            "client_id": client_id,
            "session_id": storable(session_id),
            "in_client": client_id,
            "in_session": storable(session_id),
            "unless_answered": owner.kind,
            "visitor_id": owner.visitor_id,
            "message_id": owner.message_id,
        }
        found = await _CLAIM.fetch_one(self._connections, row)
        assert found is not None, "a row is inserted or returned"
        return _owner(found), bool(found["is_new"])

    async def find(self, client_id: str, session_id: str) -> SessionOwner | None:
        """The owner, or None for an unknown session."""
        query = select(SessionRow.owner, SessionRow.visitor_id, SessionRow.message_id).where(
            *_is(client_id, session_id)
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return _owner(row) if row else None

    async def transfer(self, client_id: str, session_id: str, visitor_id: str) -> bool:
        """Transfers a server's session to this visitor. False: the server does not own it."""
        given = (
            update(SessionRow)
            .where(*_is(client_id, session_id), SessionRow.owner == "server")
            .values(owner="visitor", visitor_id=visitor_id, message_id=None)
            .returning(SessionRow.owner)
        )
        async with self._engine.connect() as connection:
            return (await connection.execute(given)).one_or_none() is not None


def _is(client_id: str, session_id: str) -> tuple[Any, Any]:
    return SessionRow.client_id == client_id, SessionRow.session_id == storable(session_id)


def _owner(row: Any | asyncpg.Record) -> SessionOwner:
    return SessionOwner(cast("OwnerKind", row["owner"]), row["visitor_id"], row["message_id"])
