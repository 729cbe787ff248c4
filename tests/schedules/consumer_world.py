"""A group's consumer on a scripted Kafka: its process, its log, and how its records run."""

import asyncio
from random import Random

from streams.consuming.consumer import Consumer
from streams.consuming.limits import ConsumerLimits
from streams.consuming.subscription import Subscription
from streams.topics import CHAT_REQUESTED
from tests.support.fakes_broker import ScriptedBroker
from tests.support.fakes_kafka import ScriptedKafka
from tests.support.fakes_runner import ScriptedRunner

PARTITIONS, KEYS, BATCH, HIGH_WATER = 3, 4, 8, 12
HEALED_SECONDS = 900


# Bounds that a short schedule reaches. The clock is the simulation's, so their length costs nothing.
LIMITS = ConsumerLimits(
    high_water_records=HIGH_WATER, poll_ms=2_000, commit_interval_seconds=1.0, revoke_budget_seconds=6.0,
    cancel_seconds=1e9,
)  # fmt: skip


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
