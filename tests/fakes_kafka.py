"""A Kafka whose every move is scripted, and a clock that jumps: thousands of schedules of the consumer in seconds.

It behaves as aiokafka does: partitions are taken and given all at once, nothing is read between the two, a commit
takes a while and may be refused, lost, or done without an answer.
"""

import asyncio
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from types import SimpleNamespace

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaConnectionError

NETWORK_SECONDS = 0.02


class JumpingLoop(asyncio.BaseEventLoop):
    """An event loop that never waits: when nothing is ready its clock jumps to the next timer."""

    def __init__(self):
        super().__init__()
        self._now = 0.0
        self._selector = self

    def time(self):
        return self._now

    def select(self, timeout):
        assert timeout is not None, "everything waits and no timer will ever wake it"
        self._now += timeout
        return []

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass


def simulate(work):
    """Run a coroutine on a clock of its own."""
    loop = JumpingLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


@dataclass(frozen=True, slots=True)
class ScriptedRecord:
    """What the consumer reads of a record."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes = b"x"
    timestamp: int = 0
    headers: tuple = ()

    @property
    def topic_partition(self):
        return TopicPartition(self.topic, self.partition)


@dataclass(eq=False)
class Held:
    """One assignment of one partition: what was handed out, what is finished of it, and what comes next of each key."""

    position: int
    given: set = field(default_factory=set)
    finished: set = field(default_factory=set)
    by_key: dict = field(default_factory=lambda: defaultdict(deque))
    is_open: bool = True
    closed_at: float = -1.0

    @property
    def unfinished(self):
        return self.given - self.finished


class ScriptedBroker:
    """The log, what is committed, and everything that must hold (I7, I8, I9, I11, I14)."""

    def __init__(self, partitions, batch=8):
        self.partitions = [TopicPartition("t", number) for number in range(partitions)]
        self.batch = batch
        self.log = {partition: [] for partition in self.partitions}
        self.committed = dict.fromkeys(self.partitions, 0)
        self.done = {partition: Counter() for partition in self.partitions}
        self.commit_faults = deque()
        self.most_unfinished = 0
        self.interrupted = self.uncommitted = 0
        self.appended = asyncio.Event()

    def append(self, number, key, gap=0):
        """`gap` offsets before it were compacted away."""
        partition = self.partitions[number]
        offset = self.end(partition) + gap
        self.log[partition].append(ScriptedRecord("t", number, offset, key))
        self.appended.set()

    def end(self, partition):
        return self.log[partition][-1].offset + 1 if self.log[partition] else 0

    def commit(self, partition, held, offset):
        assert offset >= self.committed[partition], "a commit went back"
        assert offset <= min(held.unfinished, default=offset), "a commit passed an unfinished record"
        assert offset <= max(held.given, default=-1) + 1, "a commit passed what was read"
        lost = [
            one.offset for one in self.log[partition] if one.offset < offset and one.offset not in self.done[partition]
        ]
        assert not lost, "a commit passed a record that nobody has done"
        self.committed[partition] = offset

    def look_back(self, revoked):
        """Finished work is committed by now, up to the lowest unfinished record."""
        for partition, held in revoked.items():
            due = min(held.unfinished, default=max(held.given, default=-1) + 1)
            self.uncommitted += bool(held.given) and self.committed[partition] != due

    @property
    def is_idle(self):
        return all(self.committed[partition] == self.end(partition) for partition in self.partitions)


class ScriptedKafka:
    """What the runtime uses of an `AIOKafkaConsumer`. Its owner calls `rebalance` as a coordinator would."""

    def __init__(self, broker, listener):
        self._broker, self._listener = broker, listener
        self.held = {}
        self._paused = set()
        self._is_joined = asyncio.Event()
        self._rebalancing = asyncio.Lock()
        self._coordinator = SimpleNamespace(member_id="the only one")
        self._commits = asyncio.Lock()

    async def rebalance(self, numbers):
        """Everything is taken, then `numbers` are given. One at a time, as the group's coordinator does."""
        async with self._rebalancing:
            self._is_joined.clear()
            self.close()
            await self._listener.on_partitions_revoked(set(self.held))
            self._broker.look_back(self.held)
            self.held.clear()
            self._paused.clear()
            await asyncio.sleep(NETWORK_SECONDS)
            given = [self._broker.partitions[number] for number in numbers]
            self.held.update({one: Held(self._broker.committed[one]) for one in given})
            await self._listener.on_partitions_assigned(set(given))
            self._is_joined.set()

    def close(self):
        """Nothing of what is held may be started any more."""
        for held in self.held.values():
            held.is_open, held.closed_at = False, asyncio.get_running_loop().time()

    async def getmany(self, *, timeout_ms, max_records):
        await self._is_joined.wait()
        await asyncio.sleep(NETWORK_SECONDS)
        if not self._is_joined.is_set() or not (found := self._read(min(max_records, self._broker.batch))):
            self._broker.appended.clear()
            try:
                async with asyncio.timeout(timeout_ms / 1000):
                    await self._broker.appended.wait()
            except TimeoutError:
                pass
            return {}
        return found

    def _read(self, room):
        found = {}
        for partition, held in self.held.items():
            if partition in self._paused:
                continue
            found[partition] = [one for one in self._broker.log[partition] if one.offset >= held.position][:room]
            for record in found[partition]:
                held.position = record.offset + 1
                held.given.add(record.offset)
                held.by_key[record.key].append(record.offset)
            if held.is_open:
                self._broker.most_unfinished = max(self._broker.most_unfinished, len(held.unfinished))
        return {partition: records for partition, records in found.items() if records}

    async def commit(self, offsets):
        at = {partition: self.held.get(partition) for partition in offsets}
        if not all(at.values()):
            raise IllegalStateError("a partition is not assigned")
        async with self._commits:
            await asyncio.sleep(NETWORK_SECONDS)
            fault = self._broker.commit_faults.popleft() if self._broker.commit_faults else None
            if fault == "refused" or any(self.held.get(one) is not held for one, held in at.items()):
                raise CommitFailedError("the group has rebalanced")
            if fault != "lost":
                for partition, offset in offsets.items():
                    self._broker.commit(partition, at[partition], offset.offset)
            if fault == "unanswered":
                await asyncio.sleep(3600)
            if fault is not None:
                raise KafkaConnectionError("no answer")

    def pause(self, *partitions):
        assert set(partitions) <= set(self.held), "paused what is not held"
        self._paused.update(partitions)

    def resume(self, *partitions):
        assert set(partitions) <= set(self.held), "resumed what is not held"
        self._paused.difference_update(partitions)

    def paused(self):
        return set(self._paused)

    def highwater(self, partition):
        return self._broker.end(partition)

    async def end_offsets(self, partitions):
        return {partition: self._broker.end(partition) for partition in partitions}

    async def position(self, partition):
        return self.held[partition].position


class ScriptedRunner:
    """`script(record)` gives (seconds, delay or None, ignores a cancel); what must not happen is asserted."""

    def __init__(self, broker, kafka, script):
        self._broker, self._kafka, self._script = broker, kafka, script
        self._held, self._running = {}, set()

    async def run(self, job, record):
        partition = record.topic_partition
        held = self._held.setdefault(job.partition, self._kafka().held.get(partition))
        assert held is not None, "a record was started of a partition that is gone"
        # A task that was made just before begins just after: the drain waits for it.
        is_due = held.is_open or held.closed_at == asyncio.get_running_loop().time()
        assert is_due, "a record was started while its partition is taken away"
        assert (partition, record.key) not in self._running, "a key ran twice at once"
        assert held.by_key[record.key][0] == record.offset, "a key ran out of order, or a record twice"
        self._running.add((partition, record.key))
        try:
            seconds, delay, is_deaf = self._script(record)
            await _sleep(seconds, is_deaf)
        except asyncio.CancelledError:
            self._broker.interrupted += 1
            raise
        finally:
            self._running.discard((partition, record.key))
        if delay is None:
            held.by_key[record.key].popleft()
            held.finished.add(record.offset)
            self._broker.done[partition][record.offset] += 1
        return delay


async def _sleep(seconds, is_deaf):
    ends = asyncio.get_running_loop().time() + seconds
    while (left := ends - asyncio.get_running_loop().time()) > 0:
        try:
            await asyncio.sleep(left)
        except asyncio.CancelledError:
            if not is_deaf:
                raise
