"""The real consumer on a scripted Kafka in simulated time: thousands of random schedules (I7–I12, I14)."""

import asyncio
import logging
from dataclasses import replace
from random import Random

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.consuming.consumer import Consumer
from streams.consuming.limits import ConsumerLimits
from streams.consuming.subscription import Subscription
from streams.topics import CHAT_REQUESTED
from tests.support.fakes_broker import ScriptedBroker
from tests.support.fakes_kafka import ScriptedKafka
from tests.support.fakes_runner import ScriptedRunner
from tests.support.jumping_loop import simulate

PARTITIONS, KEYS, BATCH, HIGH_WATER = 3, 4, 8, 12
HEALED_SECONDS = 900


# Bounds that a short schedule reaches. The clock is the simulation's, so their length costs nothing.
LIMITS = ConsumerLimits(
    high_water_records=HIGH_WATER, poll_ms=2_000, commit_interval_seconds=1.0, revoke_budget_seconds=6.0,
    cancel_seconds=1e9,
)  # fmt: skip


@pytest.fixture(autouse=True)
def quiet():
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


class Member:
    """One process of the group: it can be rebalanced, drained, or killed."""

    def __init__(self, broker, script, slots, limits):
        line = Subscription("schedules", CHAT_REQUESTED, None, slots, slots, deadline_seconds=60, limits=limits)
        self.runner = ScriptedRunner(broker, lambda: self.kafka, script)
        self.consumer = Consumer(line, self.runner)
        self.kafka = ScriptedKafka(broker, self.consumer.listener)
        self._tasks = [asyncio.ensure_future(self.consumer.run(self.kafka))]

    def rebalance(self, numbers, *, others_work=False):
        self._tasks.append(asyncio.ensure_future(self.kafka.rebalance(numbers, others_work=others_work)))

    async def settled(self):
        """Waits until all started rebalances have ended."""
        await asyncio.gather(*self._tasks[1:])

    def check(self):
        for task in self._tasks:
            if task.done():
                task.result()

    async def kill(self):
        for task in reversed(self._tasks):
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        wrong = [one for one in ended if isinstance(one, Exception)]
        assert not wrong, wrong


class World:
    """A schedule's log, its current member, and its random source. `script(rng, record)` says how a record runs."""

    def __init__(self, seed, slots, script, limits=LIMITS):
        self._limits = limits
        self.broker, self.rng, self._slots, self._script = (
            ScriptedBroker(PARTITIONS, BATCH),
            Random(seed),
            slots,
            script,
        )
        self.is_healed = False
        self.member = self._join()

    def _join(self):
        member = Member(self.broker, self._run, self._slots, self._limits)
        member.rebalance(range(PARTITIONS))
        return member

    def _run(self, record):
        return (0.1, None, False) if self.is_healed else self._script(self.rng, record)

    async def act(self, name, value):
        match name:
            case "feed":
                for _ in range(value[2]):
                    self.broker.append(value[0], b"%d" % value[1], gap=self.rng.choice((0, 0, 0, 1, 5)))
            case "wait":
                await asyncio.sleep(value)
            case "rebalance":
                self.member.rebalance(value[0], others_work=value[1])
            case "make_anew":
                partition = self.broker.partitions[value[0]]
                self.broker.make_anew(partition, forgets_commit=value[1])
                self.member.kafka.made_anew(partition)
                await self.act("feed", (value[0], *value[2]))
            case "commit_fault":
                self.broker.commit_faults.append(value)
            case "rebalance_in_commit":
                self.broker.commit_faults.append(value[0])
                while self.broker.commit_faults and self.rng.random() < 0.95:
                    await asyncio.sleep(0.05)
                self.member.rebalance(value[1], others_work=True)
            case "restart":
                if value:
                    self.member.kafka.drain()
                    await self.member.consumer.drain(3.0)
                await self.member.kill()
                self.member = self._join()
        self.member.check()

    async def heal(self):
        """From here on nothing fails: every record must be done and committed, and paused partitions must resume."""
        self.is_healed = True
        await self.member.settled()
        if len(self.member.kafka.held) < PARTITIONS:
            self.member.rebalance(range(PARTITIONS))
        await self.until(lambda: self.broker.is_idle, HEALED_SECONDS)
        await self.member.kill()

    async def until(self, condition, seconds):
        async with asyncio.timeout(seconds):
            while not condition():
                self.member.check()
                await asyncio.sleep(2.0)


def at_random(rng, _):
    if rng.random() < 0.1:
        return 30, None, True
    seconds = rng.choice((0, 0, 0.3, 1, 4, 20))
    return seconds, rng.choice((None, None, None, 0.0, 0.5, 10.0)), rng.random() < 0.2


def well(rng, _):
    return rng.choice((0, 0.3, 1, 4)), None, False


def at_once(*_):
    return 0, None, False


def one_endless_key(rng, record):
    return (1e6 if record.key == b"1" else rng.choice((0, 0.3, 1))), None, False


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
