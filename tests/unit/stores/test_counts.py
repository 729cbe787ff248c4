from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from stores.rate_limits.counts import WINDOW_SECONDS, Counts
from tests.support.clock import Clock

KEY = ("k",)


def take(counted, limit, key=KEY):
    if counted.left(key, limit) == 0:
        return False
    counted.add(key)
    return True


@given(st.integers(1, 50), st.lists(st.tuples(st.floats(0, 90), st.integers(1, 60)), max_size=20))
def test_no_clock_minute_allows_more_than_the_limit(limit, bursts):
    clock = Clock()
    counted, let_through = Counts(clock), Counter()
    for pause, attempts in bursts:
        clock.now += pause
        let_through[clock.now // WINDOW_SECONDS] += sum(take(counted, limit) for _ in range(attempts))

    assert all(count <= limit for count in let_through.values())


@given(st.integers(1, 50), st.lists(st.tuples(st.floats(0, 90), st.integers(1, 60)), min_size=1, max_size=20))
def test_a_caller_that_waits_for_the_reset_is_allowed(limit, bursts):
    clock = Clock()
    counted = Counts(clock)
    for pause, attempts in bursts:
        clock.now += pause
        for _ in range(attempts):
            take(counted, limit)
    while take(counted, limit):
        pass

    seconds = counted.reset_seconds(KEY, limit)
    clock.now += seconds + 0.01

    assert 0 < seconds <= 2 * WINDOW_SECONDS
    assert take(counted, limit)


def test_a_minutes_count_fades_during_the_next_one():
    clock = Clock(WINDOW_SECONDS * 1_000.0)
    counted = Counts(clock)
    assert all(take(counted, 10) for _ in range(10))
    clock.now += WINDOW_SECONDS
    assert not take(counted, 10)
    clock.now += WINDOW_SECONDS / 2
    assert [take(counted, 10) for _ in range(6)] == [True] * 5 + [False]


def test_every_key_has_its_own_count():
    counted = Counts(Clock())
    assert take(counted, 1, ("a", "b/c"))
    assert take(counted, 1, ("a/b", "c"))
    assert not take(counted, 1, ("a", "b/c"))


def test_memory_is_bounded_and_the_least_recent_key_is_forgotten():
    counted = Counts(Clock(), max_keys=3)
    for name in "abcabd":
        counted.add((name,))

    assert len(counted) == 3
    assert [counted.left((name,), 5) for name in "abcd"] == [3, 3, 5, 4]
