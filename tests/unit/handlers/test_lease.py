"""Attempt numbers always rise, whether Postgres, the clock, this process or the next one counts them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.answering.lease import Leases
from stores.postgres.attempts import Lease

MESSAGE = ("acme", UUID("0192f0c0-0000-7000-8000-000000000001"), "s")


class Table:
    """`stores.postgres.attempts.Attempts` in memory; while `is_away`, calls fail."""

    lease_seconds = 15.0

    def __init__(self):
        self.attempt, self.is_away = 0, False

    async def begin(self, _client_id, _message_id, _session_id, *, above=0):
        if self.is_away:
            raise ConnectionRefusedError
        self.attempt = max(self.attempt, above) + 1
        return Lease(self.attempt)


def aged(seconds):
    return datetime.now(UTC) - timedelta(seconds=seconds)


async def test_the_first_attempt_has_number_one():
    begun = await Leases(Table()).begin(*MESSAGE, aged(0.1))

    assert (begun.attempt, begun.is_leased) == (1, True)


async def test_a_worker_that_died_while_postgres_was_away_is_followed_by_a_higher_number():
    """A visitor keeps the highest attempt, and would wait forever for a lower one."""
    table = Table()
    table.is_away = True
    lost = await Leases(table).begin(*MESSAGE, aged(3))
    table.is_away = False

    successor = await Leases(table).begin(*MESSAGE, aged(5))

    assert not lost.is_leased
    assert successor.attempt > lost.attempt


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0, 3)), min_size=1, max_size=12))
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_numbers_rise_through_any_deaths_and_outages(steps):
    """Each step: (is Postgres away, did the process die before it, duration of this try in s)."""
    import asyncio

    async def run():
        table, age, numbers, tries = Table(), 0.0, [], 0
        leases = Leases(table)
        for is_away, has_died, took in steps:
            tries = 0 if has_died else tries + 1
            if tries > 5:
                return
            # A successor process takes more than a second to start.
            age += took + (1.5 if has_died else 0.0)
            leases = Leases(table) if has_died else leases
            table.is_away = is_away
            numbers.append((await leases.begin(*MESSAGE, aged(age))).attempt)
        assert numbers == sorted(set(numbers))

    asyncio.run(run())
