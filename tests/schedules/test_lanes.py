"""Thousands of random schedules of `Lanes`, checked against a model with one list per key."""

import itertools
from collections import defaultdict

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from streams.consuming.lanes import Job, Lanes

PARTITIONS, CLIENTS, SESSIONS = 3, (b"a", b"b", b"c"), 4


class Epoch:
    """Stands for the consumer's assignment of a partition."""

    def __init__(self, number):
        self.number, self.is_open = number, True


def job(partition, client, session, offset, tier="free"):
    return Job(lane=(partition.number, client, session), partition=partition, client=client, tier=tier, record=offset)


class Schedules(RuleBasedStateMachine):
    """Completion, failure, revocation and reassignment in any order (I7, I9, I10, I14)."""

    @initialize(slots=st.integers(1, 5), share=st.integers(1, 5))
    def start(self, slots, share):
        self.slots, self.share = slots, min(slots, share)
        self.lanes = Lanes(self.slots, self.share)
        self.epochs = [Epoch(number) for number in range(PARTITIONS)]
        self.offsets = itertools.count()
        self.now = 0.0
        self.out = []
        self.expected = defaultdict(list)
        self.waiting = {}
        self.retried_now = set()

    @rule(number=st.integers(0, PARTITIONS - 1), client=st.sampled_from(CLIENTS), session=st.integers(0, SESSIONS))
    def put(self, number, client, session):
        new = job(self.epochs[number], client, session, next(self.offsets), "paid" if client == b"c" else "free")
        self.expected[new.lane].append(new)
        self.lanes.put(new)

    @rule()
    def take(self):
        taken = self.lanes.take(self.now)
        if taken is None:
            return
        assert taken.lane not in {other.lane for other in self.out}, "a key ran twice at once"
        assert taken.partition.is_open, "a lost partition's job was started"
        assert self.expected[taken.lane][0] is taken, "a key ran out of order"
        assert self.waiting.pop(taken.lane, 0.0) <= self.now, "a retry ran before it was due"
        self.out.append(taken)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def done(self, data):
        ended = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        if ended in self.expected[ended.lane]:
            self.expected[ended.lane].remove(ended)
        self.retried_now.discard(ended)
        self.lanes.done(ended)

    @precondition(lambda self: any(job.partition.is_open for job in self.out))
    @rule(data=st.data(), delay=st.floats(0, 3))
    def fail(self, data, delay):
        failed = data.draw(st.sampled_from([job for job in self.out if job.partition.is_open]))
        self.out.remove(failed)
        self.lanes.retry(failed, self.now + delay)
        if failed in self.retried_now:
            self.retried_now.remove(failed)
            assert self.lanes.next_due() <= self.now, "a running job that should retry now waits"
            delay = 0.0
        self.waiting[failed.lane] = self.now + delay

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def retry_now_what_is_out(self, data):
        wanted = data.draw(st.sampled_from(self.out))
        self.lanes.retry_now(lambda job: job is wanted)
        self.retried_now.add(wanted)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def retry_now(self, data):
        lane = data.draw(st.sampled_from(sorted(self.waiting)))
        self.lanes.retry_now(lambda job: job.lane == lane)
        if self.waiting[lane] > self.now:
            assert self.lanes.next_due() <= self.now, "a retry that was made due still waits"
        self.waiting[lane] = self.now

    @rule(seconds=st.floats(0.1, 4))
    def wait(self, seconds):
        self.now += seconds

    @rule(number=st.integers(0, PARTITIONS - 1))
    def revoke_and_assign_again(self, number):
        lost = self.epochs[number]
        lost.is_open = False
        self.lanes.drop(lambda epoch: not epoch.is_open)
        for lane in [lane for lane in self.expected if lane[0] == number]:
            self.expected[lane].clear()
            self.waiting.pop(lane, None)
        self.epochs[number] = Epoch(number)

    @invariant()
    def within_bounds(self):
        if not hasattr(self, "lanes"):
            return
        assert self.lanes.running == len(self.out) <= self.slots
        for client in CLIENTS:
            assert sum(job.client == client for job in self.out) <= self.share

    def teardown(self):
        if not hasattr(self, "lanes"):
            return
        self.now = 1e9
        while self.out or (taken := self.lanes.take(self.now)) is not None:
            if not self.out:
                self.out.append(taken)
            ended = self.out.pop()
            if ended in self.expected[ended.lane]:
                self.expected[ended.lane].remove(ended)
            self.lanes.done(ended)
        assert not any(self.expected.values()), "a job was never run"
        assert len(self.lanes) == 0
        assert self.lanes.next_due() is None


Schedules.TestCase.settings = settings(max_examples=1_000, stateful_step_count=60, deadline=None)
TestSchedules = Schedules.TestCase


def test_ten_thousand_of_one_client_do_not_delay_another_clients_first():
    lanes, epoch = Lanes(100, 75), Epoch(0)
    for number in range(10_000):
        lanes.put(job(epoch, b"greedy", number, number))
    running = [taken for _ in range(200) if (taken := lanes.take(0.0))]
    lanes.put(job(epoch, b"modest", 0, 10_001))

    assert len(running) == 75
    assert lanes.take(0.0).client == b"modest"


@pytest.mark.parametrize(("first", "second"), [("paid", "free"), ("free", "paid")])
def test_paid_has_three_turns_of_four_and_free_is_never_starved(first, second):
    lanes, epoch = Lanes(1, 1), Epoch(0)
    for number in range(100):
        for tier in (first, second):
            lanes.put(job(epoch, tier.encode(), number, number, tier))
    tiers = []
    for _ in range(80):
        taken = lanes.take(0.0)
        tiers.append(taken.tier)
        lanes.done(taken)

    assert tiers.count("paid") == 60
    assert tiers.count("free") == 20
    assert all("free" in tiers[start : start + 4] for start in range(0, 80, 4))


def test_a_hot_partition_leaves_turns_to_a_quiet_one():
    lanes, hot, quiet = Lanes(1, 1), Epoch(0), Epoch(1)
    for number in range(1_000):
        lanes.put(job(hot, b"c", number, number))
    lanes.put(job(quiet, b"c", 0, 0))
    order = []
    for _ in range(3):
        taken = lanes.take(0.0)
        order.append(taken.partition)
        lanes.done(taken)

    assert quiet in order
