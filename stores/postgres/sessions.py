"""Whose each session is. The first who names a session owns it, at every gateway: one statement decides."""

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

_GIVEN = ("client_id", "session_id", "visitor_id", "message_id")


@dataclass(frozen=True, slots=True)
class SessionOwner:
    """`visitor`: who opened it with `message_id`, or, without one, was given a ticket by the client's server."""

    kind: OwnerKind
    visitor_id: str | None = None
    message_id: UUID | None = None


def _claim() -> Statement:
    # What was said in a session that nobody has named came from a server that writes to the log itself.
    is_begun = exists().where(
        ChatLogRow.client_id == bindparam("in_client"), ChatLogRow.session_id == bindparam("in_session")
    )
    row = insert(SessionRow).values(owner=case((is_begun, "server"), else_=bindparam("unless_begun", type_=Text)))
    # The row that stands is wanted either way, and an update that changes nothing returns it.
    upsert = row.on_conflict_do_update(
        index_elements=["client_id", "session_id"], set_={"client_id": row.excluded.client_id}
    )
    is_new = literal_column("(xmax = 0)", Boolean).label("is_new")
    return Statement(
        upsert.returning(SessionRow.owner, SessionRow.visitor_id, SessionRow.message_id, is_new), columns=_GIVEN
    )


# Made once: to put a statement together costs more than to run it.
_CLAIM = _claim()


class Sessions:
    """The rows of `sessions`."""

    def __init__(self, engine: Database) -> None:
        self._engine = single_statements(engine)
        self._connections = engine.connections

    async def claim(self, client_id: str, session_id: str, owner: SessionOwner) -> tuple[SessionOwner, bool]:
        """Whose it is afterwards, and whether it is new: of two who claim it at once one is told the other."""
        row = {
            "client_id": client_id,
            "session_id": storable(session_id),
            "in_client": client_id,
            "in_session": storable(session_id),
            "unless_begun": owner.kind,
            "visitor_id": owner.visitor_id,
            "message_id": owner.message_id,
        }
        found = await _CLAIM.fetch_one(self._connections, row)
        assert found is not None, "a row is inserted or returned"
        return _owner(found), bool(found["is_new"])

    async def find(self, client_id: str, session_id: str) -> SessionOwner | None:
        """Whose it is; None: nobody has named it."""
        query = select(SessionRow.owner, SessionRow.visitor_id, SessionRow.message_id).where(
            *_is(client_id, session_id)
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return _owner(row) if row else None

    async def give(self, client_id: str, session_id: str, visitor_id: str) -> bool:
        """A server's session is this visitor's from now on. False: it is a visitor's already."""
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
