import asyncio

import pytest
from structlog.testing import capture_logs

from stores.postgres.database import DATABASE_ERRORS
from stores.postgres.stale_cache import FRESH_SECONDS, StaleWhileAwayCache
from tests.support.clock import Clock


@pytest.fixture
def clock():
    return Clock()


async def value(row):
    return row


async def away():
    raise ConnectionRefusedError


async def silent():
    await asyncio.Event().wait()


async def test_a_fresh_row_is_not_loaded_again(clock):
    rows = StaleWhileAwayCache("row", clock)
    await rows.get("key", lambda: value("before"))
    clock.now += FRESH_SECONDS - 0.1

    assert await rows.get("key", lambda: value("after")) == "before"
    rows.forget("key")
    assert await rows.get("key", lambda: value("after")) == "after"


async def test_a_deleted_row_is_forgotten_even_if_the_database_goes_away_afterwards(clock):
    rows = StaleWhileAwayCache("row", clock)
    await rows.get("key", lambda: value("row"))
    clock.now += FRESH_SECONDS

    assert await rows.get("key", lambda: value(None)) is None
    with pytest.raises(DATABASE_ERRORS):
        await rows.get("key", away)


async def test_the_cached_row_is_used_while_the_database_is_away_or_silent(clock):
    rows = StaleWhileAwayCache("row", clock, deadline_seconds=0.01)
    await rows.get("key", lambda: value("row"))
    clock.now += FRESH_SECONDS

    async with asyncio.timeout(5):
        assert await rows.get("key", away) == "row"
        assert await rows.get("key", silent) == "row"
    with pytest.raises(DATABASE_ERRORS):
        await rows.get("another", away)


async def test_stale_rows_are_logged_without_their_key(clock):
    rows = StaleWhileAwayCache("key owner", clock)
    await rows.get("digest", lambda: value("row"))
    clock.now += FRESH_SECONDS
    with capture_logs() as logs:
        await rows.get("digest", away)

    assert [(entry["event"], entry["name"]) for entry in logs] == [("stale_row_used", "key owner")]
    assert "digest" not in str(logs)


class Loads:
    """Loads whose results the test sets."""

    def __init__(self):
        self.asked = []

    async def __call__(self):
        self.asked.append(asyncio.get_running_loop().create_future())
        return await self.asked[-1]


def gets(rows, loads, count):
    return [asyncio.create_task(rows.get("key", loads)) for _ in range(count)]


async def begun(loads, count):
    async with asyncio.timeout(5):
        while len(loads.asked) < count:
            await asyncio.sleep(0)


@pytest.mark.parametrize("is_stale", [True, False])
async def test_simultaneous_readers_of_a_row_share_one_query(is_stale, clock):
    rows, loads = StaleWhileAwayCache("row", clock), Loads()
    if is_stale:
        await rows.get("key", lambda: value("before"))
        clock.now += FRESH_SECONDS
    waiting = gets(rows, loads, 50)
    await begun(loads, 1)
    loads.asked[0].set_result("row")

    async with asyncio.timeout(5):
        assert await asyncio.gather(*waiting) == ["row"] * 50
    assert len(loads.asked) == 1


async def test_simultaneous_readers_all_get_the_databases_error():
    rows, loads = StaleWhileAwayCache("row"), Loads()
    waiting = gets(rows, loads, 3)
    await begun(loads, 1)
    loads.asked[0].set_exception(ConnectionRefusedError())

    async with asyncio.timeout(5):
        errors = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in errors] == [ConnectionRefusedError] * 3
    assert await rows.get("key", lambda: value("row")) == "row"


async def test_a_cancelled_reader_does_not_cancel_the_others():
    rows, loads = StaleWhileAwayCache("row"), Loads()
    first, second, third = gets(rows, loads, 3)
    await begun(loads, 1)
    first.cancel()
    second.cancel()
    await begun(loads, 2)
    loads.asked[1].set_result("row")

    assert await third == "row"
    assert first.cancelled()
    assert second.cancelled()


async def test_a_row_forgotten_while_it_loads_is_not_cached():
    rows, loads = StaleWhileAwayCache("row"), Loads()
    (early,) = gets(rows, loads, 1)
    await begun(loads, 1)
    rows.forget("key")
    assert await rows.get("key", lambda: value("after")) == "after"
    loads.asked[0].set_result("before")

    assert await early == "before"
    assert await rows.get("key", loads) == "after"


async def test_the_oldest_rows_are_evicted():
    rows = StaleWhileAwayCache("number", max_rows=3)
    for key in range(10):
        await rows.get(key, lambda key=key: value(key))

    assert len(rows) == 3
    assert all(key in rows for key in (7, 8, 9))
