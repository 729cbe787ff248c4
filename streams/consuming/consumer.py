"""The consumer runtime: poll, schedule, run, commit. At least once, in order per key, keys in parallel.

FastStream builds and owns the aiokafka consumer (group, security, listener, start and stop). Its own consume loop is
not used: it decodes every header before it calls a handler, so one bad byte drops a batch; it sleeps after an empty
poll instead of waiting for records; and it costs more per record than this whole runtime (`bench/lanes.py`).
"""

import asyncio
from collections.abc import Callable, Iterable
from time import time

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from schemas.events import Tier
from streams import metrics
from streams.codec import CLIENT_ID, CLIENT_TIER, header
from streams.consuming.assignment import Assigned, Assignments
from streams.consuming.commits import Commits
from streams.consuming.lanes import Job, Lanes
from streams.consuming.poll import poll
from streams.consuming.runner import Runner
from streams.consuming.subscription import Subscription
from streams.consuming.watchdog import Watchdog
from streams.dead_letters.limit import TooManyDeadLettersError
from streams.kafka.internals import member_id
from streams.topics import Topic

ERROR_PAUSE_SECONDS = 1.0

log = structlog.get_logger()


class Consumer:
    """One subscription's records in this process.

    Guarantees: one record of a key at a time and in offset order; a record is committed only after everything its
    handler yielded is acknowledged; a failing key delays only itself; results of an old epoch move no offset.
    """

    def __init__(self, subscription: Subscription, runner: Runner) -> None:
        self._subscription = subscription
        self._runner = runner
        self._lanes: Lanes[Assigned] = Lanes(subscription.slots, subscription.client_slots)
        self.limits = limits = subscription.limits
        self._assignments = Assignments(limits.high_water_records)
        self._commits = Commits(subscription.name, limits.commit_timeout_seconds)
        self._watchdog = Watchdog(self._assignments, limits)
        self._running: dict[asyncio.Task[None], Assigned] = {}
        self._kafka: AIOKafkaConsumer | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_draining = False

    @property
    def listener(self) -> ConsumerRebalanceListener:
        """Kafka's callbacks for assigned and revoked partitions."""
        return _Listener(self, self.limits.revoke_budget_seconds)

    async def run(self, kafka: AIOKafkaConsumer) -> None:
        """Consume until cancelled. Raises an exception group of its tasks' errors, such as `ConsumerStalledError`."""
        self._kafka = kafka
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._commit_forever())
                tasks.create_task(self._watch(kafka))
                try:
                    await self._poll_forever(kafka)
                finally:
                    self._tasks = None
        finally:
            self._watchdog.ended()
            if self._timer is not None:
                self._timer.cancel()

    async def drain(self, budget_seconds: float) -> None:
        """Start no more records, wait for the running ones within the budget, commit."""
        self._is_draining = True
        await self.revoke([assigned.partition for assigned in self._assignments], budget_seconds)

    def retry_now(self, topic: Topic, is_wanted: Callable[[ConsumerRecord], bool]) -> None:
        """Retry wanted records of this topic without their remaining delay."""
        self._lanes.retry_now(lambda job: topic == self._subscription.topic and is_wanted(job.record))
        self.dispatch()

    def forget(self) -> None:
        """Drop all state after `run` has ended, so that a new Kafka consumer can be run."""
        self._assignments.end([assigned.partition for assigned in self._assignments])
        self._lanes = Lanes(self._subscription.slots, self._subscription.client_slots)
        self._kafka = None

    async def revoke(self, partitions: Iterable[TopicPartition], budget_seconds: float) -> None:
        """Drain first, fence second: finished work must not be done again (PostHog #80897)."""
        if self._kafka is not None and not self._is_draining:
            await self._watchdog.revoked(member_id(self._kafka))
        lost = self._assignments.close(partitions)
        self._lanes.drop(lambda held: not held.is_open)
        running = [task for task, held in self._running.items() if held in lost]
        if running:
            log.info("revoke_drains", handler=self._subscription.name, running=len(running))
            await asyncio.wait(running, timeout=budget_seconds)
        await self._commit(lost)
        self._assignments.end([held.partition for held in lost])
        for task in running:
            task.cancel()
        self._lanes.drop(lambda held: not held.is_open)

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """Start a new epoch of these at the committed offsets."""
        if not self._is_draining:
            self._assignments.assign(partitions)

    async def _poll_forever(self, kafka: AIOKafkaConsumer) -> None:
        while True:
            try:
                batches = await poll(kafka, self.limits)
            except KafkaError as error:
                log.warning("poll_failed", handler=self._subscription.name, error=repr(error))
                self._watchdog.polled(error)
                await asyncio.sleep(ERROR_PAUSE_SECONDS)
                continue
            self._watchdog.polled(None)
            for partition, records in batches.items():
                self._receive(kafka, partition, records)
            self.dispatch()

    def _receive(self, kafka: AIOKafkaConsumer, partition: TopicPartition, records: list[ConsumerRecord]) -> None:
        assigned = self._assignments.get(partition)
        self._watchdog.received()
        if assigned is None or not assigned.is_open:
            return
        if records[0].offset < (assigned.tracker.position or 0):
            assigned = self._begin_new_log(assigned, records[0].offset)
        for record in records:
            assigned.tracker.receive(record.offset, len(record.value or b""), record.timestamp)
            self._lanes.put(_job(assigned, record))
        if assigned.is_full:
            kafka.pause(partition)
            log.info("paused", handler=self._subscription.name, partition=partition.partition)

    def _begin_new_log(self, old: Assigned, offset: int) -> Assigned:
        """Offsets that go back mean a new log: the topic was recreated, or lost its tail."""
        log.warning("log_replaced", handler=self._subscription.name, partition=old.partition.partition, offset=offset)
        assigned = self._assignments.begin(old.partition)
        self._lanes.drop(lambda held: not held.is_open)
        return assigned

    def dispatch(self) -> None:
        """Start every job that may run now; call again when the next retry is due."""
        loop = asyncio.get_running_loop()
        if self._tasks is None:
            return
        while (job := self._lanes.take(loop.time())) is not None:
            task = self._tasks.create_task(self._work(job))
            self._running[task] = job.partition
            task.add_done_callback(self._running.pop)
        if self._timer is not None:
            self._timer.cancel()
        due = self._lanes.next_due()
        self._timer = loop.call_at(due, self.dispatch) if due is not None else None

    async def _watch(self, kafka: AIOKafkaConsumer) -> None:
        try:
            await self._watchdog.watch(kafka)
        finally:
            self._tasks = None

    async def _work(self, job: Job[Assigned]) -> None:
        delay: float | None = 0.0
        try:
            delay = await self._runner.run(job, job.record)
        except TooManyDeadLettersError:
            self._tasks = None  # an ending task group accepts no task
            raise
        finally:
            self._settle(job, delay)
        self.dispatch()

    def _settle(self, job: Job[Assigned], delay: float | None) -> None:
        assigned = job.partition
        if delay is None:
            assigned.tracker.finish(job.record.offset)
            self._lanes.done(job)
        elif assigned.is_open:
            self._lanes.retry(job, asyncio.get_running_loop().time() + delay)
        else:
            self._lanes.done(job)

    async def _commit_forever(self) -> None:
        while True:
            await asyncio.sleep(self.limits.commit_interval_seconds)
            await self._commit(list(self._assignments))
            self._resume()
            self._measure()

    async def _commit(self, held: list[Assigned]) -> None:
        if self._kafka is not None:
            await self._commits.commit(self._kafka, held)

    def _resume(self) -> None:
        if self._kafka is None:
            return
        for partition in self._kafka.paused():
            assigned = self._assignments.get(partition)
            if assigned is not None and assigned.has_room:
                self._kafka.resume(partition)
                log.info("resumed", handler=self._subscription.name, partition=partition.partition)

    def _measure(self) -> None:
        name = self._subscription.name
        metrics.LANES.labels(name).set(len(self._lanes))
        metrics.LANE_DEPTH.labels(name).set(self._lanes.depth)
        metrics.RUNNING.labels(name).set(len(self._running))
        metrics.UNCOMMITTED.labels(name).set(sum(len(held.tracker) for held in self._assignments))
        metrics.COMMIT_LAG.labels(name).set(self._lag())
        metrics.OLDEST_SECONDS.labels(name).set(self._oldest_seconds())

    def _oldest_seconds(self) -> float:
        written = [ms for held in self._assignments if (ms := held.tracker.oldest_ms) is not None]
        return max(0.0, time() - min(written) / 1000) if written else 0.0

    def _lag(self) -> int:
        if self._kafka is None:
            return 0
        ends = ((held, self._kafka.highwater(held.partition)) for held in self._assignments)
        return sum(max(0, end - (held.tracker.committed or end)) for held, end in ends if end is not None)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, consumer: Consumer, revoke_budget_seconds: float) -> None:
        self._consumer = consumer
        self._revoke_budget_seconds = revoke_budget_seconds

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self._consumer.revoke(revoked, self._revoke_budget_seconds)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._consumer.assign(assigned)


def _job(assigned: Assigned, record: ConsumerRecord) -> Job[Assigned]:
    client = header(record, CLIENT_ID) or b""
    tier: Tier = "paid" if header(record, CLIENT_TIER) == b"paid" else "free"
    # A record without a key needs no order: it gets a lane of its own.
    lane = (assigned.partition, client, record.key if record.key is not None else record.offset)
    return Job(lane=lane, partition=assigned, client=client, tier=tier, record=record)
