"""The key-ordered scheduler: one lane per key, many lanes at once, fair between clients and partitions.

Pure and synchronous: it holds no task, no clock and no Kafka, so that thousands of schedules can be tried in a test.
It chooses tier → client → partition → lane, round robin at each step; weights make paid turns more frequent, never
exclusive. One client has at most `client_slots` slots, so that another client's first question finds a free one.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import chain, count
from math import inf
from typing import Generic, TypeVar

from schemas.events import Tier
from streams.codec import Record

TURNS: dict[Tier, int] = {"paid": 3, "free": 1}

LaneKey = Hashable
P = TypeVar("P", bound=Hashable)


@dataclass(slots=True, eq=False)
class Job(Generic[P]):
    """A record that is not finished.

    `attempts` counts failed runs, `defects` those that no dependency caused; `failure` is why it is given up;
    `endings` counts failed tries to publish its ending, `ending_defects` those that a retry cannot fix.
    `retries_at_once`: its next retry has no delay.
    """

    lane: LaneKey
    partition: P
    client: bytes
    tier: Tier
    record: Record
    attempts: int = 0
    defects: int = 0
    failure: Exception | None = None
    endings: int = 0
    ending_defects: int = 0
    retries_at_once: bool = False


@dataclass(slots=True)
class _Lane(Generic[P]):
    jobs: deque[Job[P]] = field(default_factory=deque)
    is_closed: bool = False


_Ring = OrderedDict[bytes, OrderedDict[P, deque[LaneKey]]]


class Lanes(Generic[P]):
    """FIFO per key: at most one job of a lane runs at a time (I7), and at most `slots` jobs in all."""

    def __init__(self, slots: int, client_slots: int) -> None:
        self._slots = slots
        self._client_slots = client_slots
        self._lanes: dict[LaneKey, _Lane[P]] = {}
        self._ready: dict[Tier, _Ring[P]] = {tier: OrderedDict() for tier in TURNS}
        self._capped: dict[Tier, _Ring[P]] = {tier: OrderedDict() for tier in TURNS}
        self._running: dict[bytes, set[Job[P]]] = {}
        self._waiting: list[tuple[float, int, Job[P]]] = []
        self._ticket = count()
        self._turns: deque[Tier] = deque(tier for tier, turns in TURNS.items() for _ in range(turns))

    def put(self, job: Job[P]) -> None:
        """Add a job at the end of its lane."""
        lane = self._lanes.setdefault(job.lane, _Lane())
        lane.jobs.append(job)
        if len(lane.jobs) == 1 and not lane.is_closed:
            self._offer(job)

    def take(self, now: float) -> Job[P] | None:
        """The next job to run, or None: all slots are taken, or nothing is ready at `now` (seconds, any clock)."""
        self._wake(now)
        if self.running >= self._slots:
            return None
        for _ in range(len(self._turns)):
            self._turns.rotate(-1)
            job = self._take_from(self._turns[-1])
            if job is not None:
                return job
        return None

    def done(self, job: Job[P]) -> None:
        """The job is finished; the next one of its lane becomes ready."""
        self._leave(job)
        lane = self._lanes[job.lane]
        lane.is_closed = False
        if lane.jobs:
            self._offer(lane.jobs[0])
        else:
            del self._lanes[job.lane]

    def retry(self, job: Job[P], due: float) -> None:
        """Keep the job at the head of its lane until `due`; its slot is free meanwhile, its lane is not."""
        self._leave(job)
        heappush(self._waiting, (-inf if job.retries_at_once else due, next(self._ticket), job))
        job.retries_at_once = False

    def retry_now(self, is_wanted: Callable[[Job[P]], bool]) -> None:
        """Retry wanted jobs without delay: waiting ones are due now, running ones as soon as they fail.

        A running one may have failed already and be about to wait.
        """
        for job in chain.from_iterable(self._running.values()):
            job.retries_at_once = job.retries_at_once or is_wanted(job)
        self._waiting = [(-inf if is_wanted(job) else due, ticket, job) for due, ticket, job in self._waiting]
        heapify(self._waiting)

    def drop(self, is_lost: Callable[[P], bool]) -> None:
        """Drop queued and waiting jobs of lost partitions. Running jobs keep their lane closed until `done`."""
        for _, _, job in self._waiting:
            self._lanes[job.lane].is_closed = not is_lost(job.partition)
        self._waiting = [entry for entry in self._waiting if not is_lost(entry[2].partition)]
        heapify(self._waiting)
        for key, lane in list(self._lanes.items()):
            if lane.jobs and is_lost(lane.jobs[0].partition):
                lane.jobs.clear()
            if not lane.jobs and not lane.is_closed:
                del self._lanes[key]
        for ring in (*self._ready.values(), *self._capped.values()):
            _drop_from(ring, is_lost)

    def next_due(self) -> float | None:
        """When the earliest waiting job becomes ready, or None."""
        return self._waiting[0][0] if self._waiting else None

    @property
    def running(self) -> int:
        """Jobs that run now."""
        return sum(map(len, self._running.values()))

    @property
    def depth(self) -> int:
        """Jobs that are queued."""
        return sum(len(lane.jobs) for lane in self._lanes.values())

    def __len__(self) -> int:
        """Lanes that hold anything."""
        return len(self._lanes)

    def _wake(self, now: float) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            job = heappop(self._waiting)[2]
            lane = self._lanes[job.lane]
            lane.jobs.appendleft(job)
            lane.is_closed = False
            self._offer(job)

    def _offer(self, job: Job[P]) -> None:
        capped = self._capped[job.tier]
        ring = capped if job.client in capped else self._ready[job.tier]
        ring.setdefault(job.client, OrderedDict()).setdefault(job.partition, deque()).append(job.lane)

    def _take_from(self, tier: Tier) -> Job[P] | None:
        ring = self._ready[tier]
        while ring:
            client, partitions = next(iter(ring.items()))
            if len(self._running.get(client, ())) >= self._client_slots:
                self._capped[tier][client] = ring.pop(client)
                continue
            ring.move_to_end(client)
            partition, lanes = next(iter(partitions.items()))
            partitions.move_to_end(partition)
            job = self._enter(lanes.popleft())
            if not lanes:
                del partitions[partition]
            if not partitions:
                del ring[client]
            return job
        return None

    def _enter(self, key: LaneKey) -> Job[P]:
        lane = self._lanes[key]
        lane.is_closed = True
        job = lane.jobs.popleft()
        self._running.setdefault(job.client, set()).add(job)
        return job

    def _leave(self, job: Job[P]) -> None:
        running = self._running[job.client]
        running.remove(job)
        if not running:
            del self._running[job.client]
        for tier, capped in self._capped.items():
            if job.client in capped:
                self._ready[tier][job.client] = capped.pop(job.client)


def _drop_from(ring: _Ring[P], is_lost: Callable[[P], bool]) -> None:
    for client, partitions in list(ring.items()):
        for partition in [partition for partition in partitions if is_lost(partition)]:
            del partitions[partition]
        if not partitions:
            del ring[client]
