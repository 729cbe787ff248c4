"""Postgres: one engine per process, and what it raises when it is away."""

import json
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

CONNECT_TIMEOUT_SECONDS = 5
COMMAND_TIMEOUT_SECONDS = 10
POOL_SIZE = 10

DATABASE_ERRORS = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
"""Whatever a store's call may raise when Postgres, or the way to it, fails. SQLAlchemy wraps what a statement
raises, but not what connecting raises; a timeout is an `OSError` since Python 3.11."""


def create_engine(database_url: str, *, command_timeout_seconds: float | None = COMMAND_TIMEOUT_SECONDS) -> AsyncEngine:
    """An engine for a libpq URL: unix sockets (`?host=/folder`), several hosts and `sslmode` work as in psql.

    No connection is made yet. The owner disposes of it.
    """

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(
            database_url, timeout=CONNECT_TIMEOUT_SECONDS, command_timeout=command_timeout_seconds
        )

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=CONNECT_TIMEOUT_SECONDS,
    )
    event.listen(engine.sync_engine, "checkout", _refuse_dead)
    return engine


def single_statements(engine: AsyncEngine) -> AsyncEngine:
    """The same pool, for work of one statement: it is its own transaction, at one trip to Postgres instead of three."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _refuse_dead(connection: Any, *_: Any) -> None:
    # A connection that died while idle is replaced before use, so a restart of Postgres costs nobody an error. The loop
    # has seen it close; SQLAlchemy's own ping is three trips for every use (a third of a worker's database time).
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError("closed while idle")


def storable(value: Any) -> Any:
    """The JSON value with U+FFFD for each NUL, which people can send and Postgres cannot store."""
    # Nearly no value has one, and the encoder looks for it faster than a walk.
    return _without_nul(value) if r"\u0000" in json.dumps(value, default=str) else value


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\0", "\ufffd")
        case dict():
            return {_without_nul(key): _without_nul(item) for key, item in value.items()}
        case list():
            return [_without_nul(item) for item in value]
        case _:
            return value
