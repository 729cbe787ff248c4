"""The plain connections on a real Postgres: few, replaced when dead, and waited for with a timeout."""

import asyncio
from contextlib import asynccontextmanager

import asyncpg
import pytest

from stores.postgres.circuit_breaker import CircuitBreaker, CircuitOpenError
from stores.postgres.connections import MAX_CONNECTIONS, Connections
from stores.postgres.database import DATABASE_ERRORS, create_engine

PID = "SELECT pg_backend_pid()"
# Waits while another connection holds the exclusive lock.
LOCKED = "SELECT pg_advisory_lock_shared(1)"
COUNT = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture
async def connections(database_url):
    connections = Connections(database_url, CircuitBreaker(), command_timeout_seconds=10)
    yield connections
    await connections.close()


@pytest.fixture
async def impatient_connections(database_url):
    """Those that wait 0.2 s for a connection."""
    breaker = CircuitBreaker()
    connections = Connections(database_url, breaker, command_timeout_seconds=10, connect_timeout_seconds=0.2)
    yield connections
    await connections.close()


@pytest.fixture
async def observer(database_url):
    observer = await asyncpg.connect(database_url)
    yield observer
    await observer.close()


async def pids(connections, times):
    rows = await asyncio.gather(*(connections.fetch(PID, ()) for _ in range(times)))
    return {row["pg_backend_pid"] for [row] in rows}


async def becomes(observer, query, value):
    async with asyncio.timeout(10):
        while await observer.fetchval(query) != value:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def held(observer, connections, times):
    """Tasks of `times` statements that block until the block is left."""
    await observer.execute("SELECT pg_advisory_lock(1)")
    tasks = [asyncio.create_task(connections.fetch(LOCKED, ())) for _ in range(times)]
    try:
        await becomes(observer, WAITING, times)
        yield tasks
    finally:
        await observer.execute("SELECT pg_advisory_unlock(1)")
        await asyncio.wait(tasks, timeout=10)


async def test_many_statements_share_few_connections(connections):
    first = await pids(connections, 50)

    assert len(first) <= MAX_CONNECTIONS
    assert await pids(connections, 50) == first


async def test_connections_killed_while_idle_cost_nobody_an_error(connections, observer):
    first = await pids(connections, MAX_CONNECTIONS)
    assert connections.idle == len(first)
    for pid in first:
        await observer.execute("SELECT pg_terminate_backend($1)", pid)
    async with asyncio.timeout(10):
        while connections.idle:
            await asyncio.sleep(0.01)

    assert not first & await pids(connections, MAX_CONNECTIONS)


async def test_waiting_for_a_connection_times_out(impatient_connections, observer):
    connections = impatient_connections
    async with asyncio.timeout(10), held(observer, connections, MAX_CONNECTIONS) as holders:
        with pytest.raises(TimeoutError) as raised:
            await connections.fetch(PID, ())
        assert isinstance(raised.value, DATABASE_ERRORS)
        assert not any(holder.done() for holder in holders)

    assert len(await pids(connections, 50)) == MAX_CONNECTIONS


async def test_cancelled_statement_does_not_disturb_the_next(connections, observer):
    async with held(observer, connections, MAX_CONNECTIONS) as holders:
        for holder in holders:
            holder.cancel()
        await asyncio.wait(holders, timeout=10)
        async with asyncio.timeout(10):
            found = await pids(connections, MAX_CONNECTIONS)

    assert all(holder.cancelled() for holder in holders)
    assert len(found) == MAX_CONNECTIONS


async def test_failed_statement_costs_its_connection_only(connections):
    [before] = await pids(connections, 1)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await connections.fetch("SELECT 1 / 0", ())
    [after] = await pids(connections, 1)

    assert after != before


async def test_closing_ends_idle_connections_and_busy_ones_when_done(connections, observer):
    await pids(connections, MAX_CONNECTIONS)
    async with held(observer, connections, 1) as holders:
        await connections.close()
        await becomes(observer, COUNT, 1)
        assert not holders[0].done()

    assert len(holders[0].result()) == 1
    await becomes(observer, COUNT, 0)


async def test_disposing_the_engine_closes_its_plain_connections(database_url, observer):
    engine = create_engine(database_url)
    await pids(engine.connections, MAX_CONNECTIONS)
    async with engine.connect():
        await becomes(observer, COUNT, MAX_CONNECTIONS + 1)
    await engine.dispose()

    await becomes(observer, COUNT, 0)


async def test_refused_connection_raises_at_once_each_time():
    away = Connections("postgresql://postgres@127.0.0.1:1/postgres", CircuitBreaker(), command_timeout_seconds=10)
    async with asyncio.timeout(3):
        for _ in range(2 * MAX_CONNECTIONS):
            with pytest.raises(ConnectionRefusedError):
                await away.fetch(PID, ())


async def test_silent_server_times_out_and_opens_the_circuit():
    over = asyncio.Event()

    async def say_nothing(_, writer):
        await over.wait()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        silent = Connections(
            f"postgresql://postgres@127.0.0.1:{port}/postgres",
            CircuitBreaker(),
            command_timeout_seconds=10,
            connect_timeout_seconds=0.2,
        )
        try:
            async with asyncio.timeout(3):
                with pytest.raises(TimeoutError):
                    await silent.fetch(PID, ())
                async with asyncio.timeout(0.15):
                    for _ in range(100):
                        with pytest.raises(CircuitOpenError):
                            await silent.fetch(PID, ())
        finally:
            over.set()
