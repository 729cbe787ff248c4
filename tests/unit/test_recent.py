import asyncio

import pytest
from structlog.testing import capture_logs

from stores import recent
from stores.database import DATABASE_ERRORS
from stores.recent import Recent


@pytest.fixture
def stale(monkeypatch):
    monkeypatch.setattr(recent, "FRESH_SECONDS", 0)


async def value(row):
    return row


async def away():
    raise ConnectionRefusedError


async def silent():
    await asyncio.Event().wait()


async def test_a_fresh_row_is_not_loaded_again():
    rows = Recent("row")
    await rows.get("key", lambda: value("before"))

    assert await rows.get("key", lambda: value("after")) == "before"
    rows.forget("key")
    assert await rows.get("key", lambda: value("after")) == "after"


async def test_a_row_that_is_gone_is_forgotten_also_when_the_database_goes_afterwards(stale):
    rows = Recent("row")
    await rows.get("key", lambda: value("row"))

    assert await rows.get("key", lambda: value(None)) is None
    with pytest.raises(DATABASE_ERRORS):
        await rows.get("key", away)


async def test_the_last_row_is_good_enough_while_the_database_is_away_or_silent(stale, monkeypatch):
    monkeypatch.setattr(recent, "DEADLINE_SECONDS", 0.01)
    rows = Recent("row")
    await rows.get("key", lambda: value("row"))

    async with asyncio.timeout(5):
        assert await rows.get("key", away) == "row"
        assert await rows.get("key", silent) == "row"
    with pytest.raises(DATABASE_ERRORS):
        await rows.get("another", away)


async def test_the_log_tells_of_stale_rows_and_shows_no_key(stale):
    rows = Recent("key owner")
    await rows.get("digest", lambda: value("row"))
    with capture_logs() as logs:
        await rows.get("digest", away)

    assert [(entry["event"], entry["name"]) for entry in logs] == [("stale_row_used", "key owner")]
    assert "digest" not in str(logs)


async def test_the_oldest_rows_leave(monkeypatch):
    monkeypatch.setattr(recent, "MAX_ROWS", 3)
    rows = Recent("number")
    for key in range(10):
        await rows.get(key, lambda key=key: value(key))

    assert list(rows._rows) == [7, 8, 9]
