"""Postgres: one engine per process, and what it raises when it is away."""

from functools import partial
from typing import Any

import asyncpg
from pydantic import BaseModel
from pydantic_core import to_json
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DataError, IntegrityError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from stores.postgres.circuit_breaker import CircuitBreaker
from stores.postgres.connections import CONNECT_TIMEOUT_SECONDS, Connections

COMMAND_TIMEOUT_SECONDS = 10
# Beside the 6 plain ones. What is left for SQLAlchemy is rarer: rows that memory keeps for 10 s, leases of long
# answers, what people look at.
POOL_SIZE = 6

DATABASE_ERRORS = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""Whatever a store's call may raise when Postgres, or the way to it, fails: SQLAlchemy wraps what its own statements
raise, but not what connecting raises; a timeout is an `OSError` since Python 3.11."""

REFUSALS = (
    IntegrityError,
    DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.DataError,
)
"""Those of them that say the row can never be."""


class Database(AsyncEngine):
    """SQLAlchemy's engine, and `connections` for the statements of every chat."""

    def __init__(self, engine: AsyncEngine, connections: Connections) -> None:
        super().__init__(engine.sync_engine)
        self.connections = connections

    async def dispose(self, close: bool = True) -> None:  # noqa: FBT001, FBT002 - as SQLAlchemy has it
        """Closes both."""
        await self.connections.close()
        await super().dispose(close)


def create_engine(
    database_url: str,
    *,
    command_timeout_seconds: float | None = COMMAND_TIMEOUT_SECONDS,
    connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS,
) -> Database:
    """An engine for a libpq URL: unix sockets (`?host=/folder`), several hosts and `sslmode` work as in psql.

    No connection is made yet. The owner disposes of it.
    """
    breaker = CircuitBreaker()
    connections = Connections(
        database_url,
        breaker,
        command_timeout_seconds=command_timeout_seconds,
        connect_timeout_seconds=connect_timeout_seconds,
    )
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connections.connect,
        poolclass=_pool(breaker),
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=connect_timeout_seconds,
    )
    event.listen(engine.sync_engine, "checkout", _refuse_dead)
    event.listen(engine.sync_engine, "handle_error", partial(_trip_at_timeouts, breaker))
    return Database(engine, connections)


def _pool(breaker: CircuitBreaker) -> type[AsyncAdaptedQueuePool]:
    class Pool(AsyncAdaptedQueuePool):
        def connect(self) -> Any:
            breaker.check()
            return super().connect()

    return Pool


def _trip_at_timeouts(breaker: CircuitBreaker, context: ExceptionContext) -> None:
    if isinstance(context.original_exception, TimeoutError):
        breaker.trip()


def single_statements(engine: AsyncEngine) -> AsyncEngine:
    """The same pool, for work of one statement: it is its own transaction, at one trip to Postgres instead of three."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _refuse_dead(connection: Any, *_: Any) -> None:
    # A connection that died while idle is replaced before use, so a restart of Postgres costs nobody an error. The loop
    # has seen it close; SQLAlchemy's own ping is three trips for every use (a third of a worker's database time).
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError("closed while idle")


def storable(value: Any) -> Any:
    """The JSON value, shapes included, with U+FFFD for each NUL, which people can send and Postgres cannot store."""
    return _without_nul(value) if _may_hold_nul(value) else value


def _may_hold_nul(value: Any) -> bool:
    # Nearly no value does, and the encoder looks for it faster than a walk.
    try:
        return rb"\u0000" in to_json(value, fallback=str)
    except ValueError:
        # Half a surrogate pair, which only a walk gets past.
        return True


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\0", "\ufffd")
        case dict():
            return {_without_nul(key): _without_nul(item) for key, item in value.items()}
        case list():
            return [_without_nul(item) for item in value]
        case BaseModel():
            return _without_nul(value.model_dump())
        case _:
            return value
