"""The real consumer on a scripted Kafka in simulated time: thousands of random schedules (I7–I12, I14)."""

import logging
from dataclasses import replace

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.schedules.consumer_world import (
    BATCH,
    HEALED_SECONDS,
    HIGH_WATER,
    KEYS,
    LIMITS,
    PARTITIONS,
    World,
    at_once,
    at_random,
    one_endless_key,
    well,
)
from tests.support.jumping_loop import simulate


@pytest.fixture(autouse=True)
def quiet():
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


numbers, seeds = st.integers(0, PARTITIONS - 1), st.integers(0, 2**32)
feed = st.tuples(st.just("feed"), st.tuples(numbers, st.integers(1, KEYS), st.integers(1, 20)))
wait = st.tuples(st.just("wait"), st.sampled_from((0.01, 0.3, 1.5, 5.0, 12.0)))
rebalance = st.tuples(st.just("rebalance"), st.tuples(st.sets(numbers), st.booleans()))
some = st.tuples(st.integers(1, KEYS), st.integers(1, 5))
make_anew = st.tuples(st.just("make_anew"), st.tuples(numbers, st.booleans(), some))
faults = st.sampled_from(("refused", "lost", "unanswered", "late"))
commit_fault = st.tuples(st.just("commit_fault"), faults)
rebalance_in_commit = st.tuples(st.just("rebalance_in_commit"), st.tuples(faults, st.sets(numbers)))
restart = st.tuples(st.just("restart"), st.booleans())
steps = feed, feed, wait, wait, make_anew, rebalance, rebalance_in_commit, commit_fault, restart


@settings(max_examples=1_400, deadline=None)
@given(
    schedule=st.lists(st.one_of(steps), min_size=3, max_size=12),
    seed=seeds,
    slots=st.integers(1, 6),
)
def test_every_record_is_done_in_order_and_no_commit_passes_an_unfinished_one(schedule, seed, slots):
    """I7, I8, I9, I11, I12, I14: completion, failure, revocation, reassignment, crash, failed commits in any order."""

    async def live():
        world = World(seed, slots, at_random)
        for name, value in schedule:
            await world.act(name, value)
        await world.heal()
        return world.broker

    broker = simulate(live())
    assert all({one.offset for one in broker.log[held]} <= set(broker.done[held]) for held in broker.partitions)
    assert broker.most_unfinished < HIGH_WATER + BATCH


@pytest.mark.parametrize("forgets_commit", [True, False], ids=["made anew", "its tail is lost"])
def test_records_of_a_log_whose_offsets_go_back_are_all_done(forgets_commit):
    """They are below the old log's position and commit, so a lower offset must be committed."""

    async def live():
        world = World(0, 6, well)
        await world.act("feed", (0, 1, 20))
        await world.until(lambda: world.broker.is_idle, HEALED_SECONDS)
        await world.act("make_anew", (0, forgets_commit, (1, 5)))
        await world.heal()
        return world.broker

    broker = simulate(live())
    held = broker.partitions[0]
    assert list(broker.done[held]) == [one.offset for one in broker.log[held]]
    assert broker.committed[held] == (1, broker.end(held))


@pytest.mark.parametrize(
    ("seconds", "faults"),
    [(1.03, ["lost"]), (0.5, ["lost"] * 20 + ["refused", "lost"])],
    ids=["a commit under way", "a commit that waits for a failing one"],
)
def test_a_commit_is_not_tried_again_after_the_partition_has_gone(seconds, faults):
    """I14: the group would accept it, and it would put back the next owner's offset."""

    async def live():
        world = World(0, 6, at_once)
        await world.act("feed", (0, 1, 8))
        world.broker.commit_faults.extend(faults)
        await world.act("wait", seconds)
        is_begun = len(world.broker.commit_faults) < len(faults)
        await world.act("feed", (0, 1, 8))
        await world.act("rebalance", ({1}, True))
        await world.act("wait", 12)
        await world.heal()
        return is_begun

    assert simulate(live()) == (len(faults) == 1)


@settings(max_examples=300, deadline=None)
@given(schedule=st.lists(st.one_of(feed, wait, rebalance), min_size=3, max_size=10), seed=seeds)
def test_work_that_ends_within_the_budget_of_a_rebalance_is_not_done_again(schedule, seed):
    """The consumer drains before it gives up the partition."""

    async def live():
        world = World(seed, 6, well)
        for name, value in schedule:
            await world.act(name, value)
        await world.heal()
        return world.broker

    broker = simulate(live())
    assert (broker.interrupted, broker.uncommitted) == (0, 0)


@settings(max_examples=300, deadline=None)
@given(schedule=st.lists(st.one_of(feed, wait, commit_fault), min_size=3, max_size=10), seed=seeds)
def test_a_key_that_never_ends_delays_no_other(schedule, seed):
    """I10 holds up to the partition's high water; so that is 16,384 in production, not 12."""

    async def live():
        world = World(seed, KEYS * PARTITIONS, one_endless_key, replace(LIMITS, high_water_records=1_000))
        for name, value in schedule:
            await world.act(name, value)
        others = [one for log in world.broker.log.values() for one in log if one.key != b"1"]
        await world.until(lambda: all(one.offset in world.broker.done[one.topic_partition] for one in others), 900)
        await world.member.kill()

    simulate(live())
