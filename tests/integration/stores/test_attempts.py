"""The attempt lease on a real Postgres: one holder at a time, and one final ending."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from stores.postgres.attempts import Attempts, Ended, Held, Lease, Taken

SESSION = "s"


@pytest.fixture
def message():
    return "acme", uuid4()


async def test_first_delivery_gets_the_lease_and_another_worker_waits(engine, message):
    ours, other = Attempts(engine, "a"), Attempts(engine, "b", lease_seconds=5)

    assert await ours.begin(*message, SESSION) == Lease(1)
    held = await other.begin(*message, SESSION)
    assert isinstance(held, Held)
    assert 13 < held.retry_after_seconds <= 15


async def test_same_holder_goes_on_at_once_with_the_next_attempt(engine, message):
    assert await Attempts(engine, "a").begin(*message, SESSION) == Lease(1)
    assert await Attempts(engine, "a").begin(*message, SESSION) == Lease(2)


async def test_expired_lease_is_taken_over_and_the_zombies_renewal_fails(engine, message):
    zombie, successor = Attempts(engine, "a"), Attempts(engine, "b")
    await zombie.begin(*message, SESSION)
    await expire(engine)

    assert await successor.begin(*message, SESSION) == Lease(2)
    assert not await zombie.renew(*message, 1)
    assert not await zombie.finish(*message, SESSION, 1, {"said": "zombie"})
    assert await successor.finish(*message, SESSION, 2, {"said": "successor"})
    assert await zombie.begin(*message, SESSION) == Ended({"said": "successor"})


async def test_renewed_lease_is_not_taken(engine, message):
    ours = Attempts(engine, "a")
    await ours.begin(*message, SESSION)
    await expire(engine)

    assert await ours.renew(*message, 1)
    assert isinstance(await Attempts(engine, "b").begin(*message, SESSION), Held)


async def test_hundred_workers_at_once_get_one_lease(engine, message):
    got = await asyncio.gather(*(Attempts(engine, f"w{i}").begin(*message, SESSION) for i in range(100)))

    assert [one for one in got if isinstance(one, Lease)] == [Lease(1)]
    assert sum(isinstance(one, Held) for one in got) == 99


async def test_only_the_first_ending_is_stored(engine, message):
    attempts = Attempts(engine, "a")
    await attempts.begin(*message, SESSION)
    stored = await asyncio.gather(*(attempts.finish(*message, SESSION, 1, {"said": i}) for i in range(10)))

    assert stored.count(True) == 1
    assert await attempts.ending(*message, SESSION) == {"said": stored.index(True)}
    assert await attempts.begin(*message, SESSION) == Ended({"said": stored.index(True)})
    assert not await attempts.renew(*message, 1)


async def test_message_ids_are_unique_only_within_a_client(engine, message):
    attempts = Attempts(engine, "a")
    await attempts.begin(*message, SESSION)
    await attempts.finish(*message, SESSION, 1, {"said": "secret of acme"})

    assert await attempts.begin("rival", message[1], SESSION) == Lease(1)
    assert await attempts.finish("rival", message[1], SESSION, 1, {"said": "rival"})


async def test_attempt_from_the_clock_is_stored_and_counted_on(engine, message):
    attempts = Attempts(engine, "a")

    assert await attempts.begin(*message, SESSION, above=1_700_000_000) == Lease(1_700_000_001)
    assert await attempts.finish(*message, SESSION, 1_700_000_005, {})
    assert await attempts.finish("acme", uuid4(), SESSION, 1_700_000_000, {})


async def test_clock_attempt_does_not_undo_a_newer_one(engine, message):
    attempts = Attempts(engine, "a")
    await attempts.begin(*message, SESSION, above=9)

    assert not await attempts.finish(*message, SESSION, 9, {})


async def test_nul_in_an_ending_is_replaced(engine, message):
    attempts = Attempts(engine, "a")
    await attempts.begin(*message, SESSION)
    await attempts.finish(*message, SESSION, 1, {"events": [{"text": "a\0b"}]})

    assert await attempts.begin(*message, SESSION) == Ended({"events": [{"text": "a\ufffdb"}]})


async def test_purge_deletes_old_attempts_only(engine, message):
    attempts = Attempts(engine, "a")
    await attempts.begin(*message, SESSION)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE answer_attempts SET updated_at = now() - interval '8 days'"))
    await attempts.begin("acme", uuid4(), SESSION)

    assert await attempts.purge(timedelta(days=7)) == 1
    assert await attempts.begin(*message, SESSION) == Lease(1)


async def expire(engine):
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE answer_attempts SET lease_until = now() - interval '1 second'"))


async def test_a_message_of_another_session_is_neither_begun_nor_revealed(engine, message):
    attempts = Attempts(engine, "a")
    await attempts.begin(*message, SESSION)

    assert await attempts.begin(*message, "another") == Taken()
    assert not await attempts.finish(*message, "another", 9, {"said": "by a thief"})
    assert await attempts.finish(*message, SESSION, 1, {"said": "ours"})
    assert await attempts.begin(*message, "another") == Taken()
    assert await attempts.ending(*message, "another") is None
    assert await attempts.begin(*message, SESSION) == Ended({"said": "ours"})
