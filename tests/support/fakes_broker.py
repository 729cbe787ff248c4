"""The scripted log behind `fakes_kafka`: its records, its commits, and the invariants of both."""

import asyncio
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field

from aiokafka import TopicPartition


@dataclass(frozen=True, slots=True)
class ScriptedRecord:
    """The fields of a record that the consumer reads."""

    topic: str
    partition: int
    offset: int
    key: bytes
    log: int = 0
    value: bytes = b"x"
    timestamp: int = 0
    headers: tuple = ()

    @property
    def topic_partition(self):
        return TopicPartition(self.topic, self.partition)


@dataclass(eq=False)
class Held:
    """One assignment of one log: the offsets given to the consumer, those finished, and each key's next ones.

    `former` is the log before the topic was recreated; the consumer notices that with the first new records.
    """

    position: int
    log: int
    former: "Held | None" = None
    is_noticed: bool = True
    given: set = field(default_factory=set)
    finished: set = field(default_factory=set)
    by_key: dict = field(default_factory=lambda: defaultdict(deque))
    is_open: bool = True
    closed_at: float = -1.0

    @property
    def unfinished(self):
        return self.given - self.finished

    def close(self):
        """From here on none of its records may be started."""
        self.is_open, self.closed_at = False, asyncio.get_running_loop().time()


class ScriptedBroker:
    """The log and the commits; asserts the invariants I7, I8, I9, I11 and I14."""

    def __init__(self, partitions, batch=8):
        self.partitions = [TopicPartition("t", number) for number in range(partitions)]
        self.batch = batch
        self.log = {partition: [] for partition in self.partitions}
        self.logs = dict.fromkeys(self.partitions, 0)
        self.committed = dict.fromkeys(self.partitions, (0, 0))
        self.done = {partition: Counter() for partition in self.partitions}
        self.commit_faults = deque()
        self.most_unfinished = 0
        self.interrupted = self.uncommitted = 0
        self.appended = asyncio.Event()

    def append(self, number, key, gap=0):
        """`gap` offsets before it were compacted away, except at the head of a new log."""
        partition = self.partitions[number]
        log = self.logs[partition]
        offset = self.end(partition) + (gap if self.log[partition] or log == 0 else 0)
        self.log[partition].append(ScriptedRecord("t", number, offset, key, log))
        self.appended.set()

    def make_anew(self, partition, forgets_commit):
        """The topic was deleted, and its commits with it; or the log lost its tail."""
        self.logs[partition] += 1
        self.log[partition], self.done[partition] = [], Counter()
        if forgets_commit:
            self.committed[partition] = (self.logs[partition], 0)

    def start(self, partition):
        """Begins at the committed offset, or at the start of the log when that is out of range."""
        log, offset = self.committed[partition]
        return Held(offset if log == self.logs[partition] else 0, self.logs[partition])

    def serve(self, partition):
        """Another member of the group finishes and commits every record."""
        self.done[partition].update(one.offset for one in self.log[partition])
        self.committed[partition] = (self.logs[partition], self.end(partition))

    def end(self, partition):
        return self.log[partition][-1].offset + 1 if self.log[partition] else 0

    def commit(self, partition, held, offset):
        if held.log != self.logs[partition]:
            return
        assert (held.log, offset) >= self.committed[partition], "a commit went back"
        assert offset <= min(held.unfinished, default=offset), "a commit passed an unfinished record"
        assert offset <= max(held.given, default=-1) + 1, "a commit is beyond the last record read"
        lost = [
            one.offset for one in self.log[partition] if one.offset < offset and one.offset not in self.done[partition]
        ]
        assert not lost, "a commit passed a record that nobody has processed"
        self.committed[partition] = (held.log, offset)

    def look_back(self, revoked):
        """Counts the partitions whose finished records below the lowest unfinished one are not committed."""
        for partition, held in revoked.items():
            due = min(held.unfinished, default=max(held.given, default=-1) + 1)
            self.uncommitted += bool(held.given) and self.committed[partition] != (held.log, due)

    @property
    def is_idle(self):
        ends = {one: (self.logs[one], self.end(one)) for one in self.partitions}
        return all(self.committed[one] == end or not self.log[one] for one, end in ends.items())
