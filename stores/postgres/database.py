"""Postgres: one engine per process, and its errors when Postgres is unavailable."""

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
# In addition to the 6 of `Connections`. SQLAlchemy runs the rarer statements: rows cached for 10 s, leases of long
# answers, pages that people look at.
POOL_SIZE = 6

DATABASE_ERRORS = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""What a store may raise when Postgres, or the connection to it, fails: SQLAlchemy wraps the errors of its statements
but not those of connecting; a timeout is an `OSError` since Python 3.11."""

REFUSALS = (
    IntegrityError,
    DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.DataError,
)
"""Those that mean that the row can never be stored."""


class Database(AsyncEngine):
    """SQLAlchemy's engine, and `connections` for the statements that every chat runs."""

    def __init__(self, engine: AsyncEngine, connections: Connections) -> None:
        super().__init__(engine.sync_engine)
        self.connections = connections

    async def dispose(self, close: bool = True) -> None:  # noqa: FBT001, FBT002 - SQLAlchemy's signature
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

    Opens no connection yet. The caller disposes of it.
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
    """The same pool in autocommit, for single statements: one round trip to Postgres instead of three."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _refuse_dead(connection: Any, *_: Any) -> None:
    # A connection that died while idle is replaced before use, so a restart of Postgres causes no error. The loop has
    # seen it close; SQLAlchemy's own ping is three round trips per use (a third of a worker's database time).
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError("closed while idle")


def storable(value: Any) -> Any:
    """The JSON value, models included, with U+FFFD for each NUL, which Postgres cannot store."""
    return _without_nul(value) if _may_hold_nul(value) else value


def _may_hold_nul(value: Any) -> bool:
    # Almost no value does, and encoding finds out faster than a walk over the value.
    try:
        return rb"\u0000" in to_json(value, fallback=str)
    except ValueError:
        # A lone surrogate, which cannot be encoded.
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
