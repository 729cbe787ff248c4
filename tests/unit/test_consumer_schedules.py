"""The real consumer over a scripted Kafka and a clock that jumps: thousands of random schedules (I7–I12, I14)."""

import asyncio
import logging
from random import Random

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from streams import assignment, consumer
from streams.consumer import Consumer
from streams.subscription import Subscription
from streams.topics import CHAT_REQUESTED
from tests.fakes_kafka import ScriptedBroker, ScriptedKafka, ScriptedRunner, simulate

PARTITIONS, KEYS, BATCH, HIGH_WATER = 3, 4, 8, 12
HEALED_SECONDS = 900


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch):
    """Bounds that a short schedule reaches; the clock is the simulation's, so their length costs nothing."""
    monkeypatch.setattr(assignment, "HIGH_WATER_RECORDS", HIGH_WATER)
    monkeypatch.setattr(consumer, "POLL_MS", 2_000)
    monkeypatch.setattr(consumer, "COMMIT_SECONDS", 1.0)
    monkeypatch.setattr(consumer, "COMMIT_TIMEOUT_SECONDS", 5.0)
    monkeypatch.setattr(consumer, "REVOKE_BUDGET_SECONDS", 6.0)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


class Member:
    """One process of the group: started, rebalanced, drained, or cut off."""

    def __init__(self, broker, script, slots):
        line = Subscription("schedules", CHAT_REQUESTED, None, slots, slots, deadline_seconds=60)
        self.runner = ScriptedRunner(broker, lambda: self.kafka, script)
        self.consumer = Consumer(line, self.runner)
        self.kafka = ScriptedKafka(broker, self.consumer.listener)
        self._tasks = [asyncio.ensure_future(self.consumer.run(self.kafka))]

    def rebalance(self, numbers):
        self._tasks.append(asyncio.ensure_future(self.kafka.rebalance(numbers)))

    async def settled(self):
        """All rebalances that were begun have ended."""
        await asyncio.gather(*self._tasks[1:])

    def check(self):
        for task in self._tasks:
            if task.done():
                task.result()

    async def cut_off(self):
        for task in reversed(self._tasks):
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        wrong = [one for one in ended if isinstance(one, Exception)]
        assert not wrong, wrong


class World:
    """A schedule's log, its present member, and its dice. `script(dice, record)` says how a record runs."""

    def __init__(self, seed, slots, script):
        self.broker, self._dice, self._slots, self._script = (
            ScriptedBroker(PARTITIONS, BATCH),
            Random(seed),
            slots,
            script,
        )
        self.is_healed = False
        self.member = self._join()

    def _join(self):
        member = Member(self.broker, self._run, self._slots)
        member.rebalance(range(PARTITIONS))
        return member

    def _run(self, record):
        return (0.1, None, False) if self.is_healed else self._script(self._dice, record)

    async def act(self, name, value):
        match name:
            case "feed":
                for _ in range(value[2]):
                    self.broker.append(value[0], b"%d" % value[1], gap=self._dice.choice((0, 0, 0, 1, 5)))
            case "wait":
                await asyncio.sleep(value)
            case "rebalance":
                self.member.rebalance(value)
            case "commit_fault":
                self.broker.commit_faults.append(value)
            case "restart":
                if value:
                    self.member.kafka.close()
                    await self.member.consumer.drain(3.0)
                await self.member.cut_off()
                self.member = self._join()
        self.member.check()

    async def heal(self):
        """From here on nothing fails: everything must be done, committed, and read on after every pause."""
        self.is_healed = True
        await self.member.settled()
        if len(self.member.kafka.held) < PARTITIONS:
            self.member.rebalance(range(PARTITIONS))
        await self.until(lambda: self.broker.is_idle, HEALED_SECONDS)
        await self.member.cut_off()

    async def until(self, condition, seconds):
        async with asyncio.timeout(seconds):
            while not condition():
                self.member.check()
                await asyncio.sleep(2.0)


def at_random(dice, _):
    if dice.random() < 0.1:
        return 30, None, True
    seconds = dice.choice((0, 0, 0.3, 1, 4, 20))
    return seconds, dice.choice((None, None, None, 0.0, 0.5, 10.0)), dice.random() < 0.2


def well(dice, _):
    return dice.choice((0, 0.3, 1, 4)), None, False


def one_key_for_ever(dice, record):
    return (1e6 if record.key == b"1" else dice.choice((0, 0.3, 1))), None, False


numbers, seeds = st.integers(0, PARTITIONS - 1), st.integers(0, 2**32)
feed = st.tuples(st.just("feed"), st.tuples(numbers, st.integers(1, KEYS), st.integers(1, 20)))
wait = st.tuples(st.just("wait"), st.sampled_from((0.01, 0.3, 1.5, 5.0, 12.0)))
rebalance = st.tuples(st.just("rebalance"), st.sets(numbers))
commit_fault = st.tuples(st.just("commit_fault"), st.sampled_from(("refused", "lost", "unanswered", "late")))
restart = st.tuples(st.just("restart"), st.booleans())


@settings(max_examples=600, deadline=None)
@given(
    schedule=st.lists(st.one_of(feed, wait, rebalance, commit_fault, restart), min_size=3, max_size=12),
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


@settings(max_examples=200, deadline=None)
@given(schedule=st.lists(st.one_of(feed, wait, rebalance), min_size=3, max_size=10), seed=seeds)
def test_work_that_ends_within_the_budget_of_a_rebalance_is_not_done_again(schedule, seed):
    """Drain first, fence second."""

    async def live():
        world = World(seed, 6, well)
        for name, value in schedule:
            await world.act(name, value)
        await world.heal()
        return world.broker

    broker = simulate(live())
    assert (broker.interrupted, broker.uncommitted) == (0, 0)


@settings(max_examples=200, deadline=None)
@given(schedule=st.lists(st.one_of(feed, wait, commit_fault), min_size=3, max_size=10), seed=seeds)
def test_a_key_that_never_ends_delays_no_other(schedule, seed):
    """I10: up to the high water of its partition, which is why that is 16,384 and not 12."""

    async def live():
        world = World(seed, KEYS * PARTITIONS, one_key_for_ever)
        for name, value in schedule:
            await world.act(name, value)
        others = [one for log in world.broker.log.values() for one in log if one.key != b"1"]
        await world.until(lambda: all(one.offset in world.broker.done[one.topic_partition] for one in others), 900)
        await world.member.cut_off()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assignment, "HIGH_WATER_RECORDS", 1_000)
        simulate(live())
