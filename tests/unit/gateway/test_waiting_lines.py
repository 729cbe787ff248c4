"""How long a question waits, and when a new one is refused with Retry-After instead (G9)."""

from collections import defaultdict

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.replay.waiting_lines import MAX_WAIT_SECONDS, MIN_WAIT_SECONDS, PROBE_SECONDS, WaitingLines


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def ask(queue, *messages, client="acme", tier="free", session="s"):
    for message in messages:
        queue.join(tier, client, session, message)


def test_a_short_wait_is_not_reported():
    queue = WaitingLines(clock := Clock())
    ask(queue, "m")
    clock.now += MIN_WAIT_SECONDS / 2

    assert queue.waits("acme", "s")
    assert queue.wait_estimates("acme", "s") == []


def test_the_wait_is_the_position_at_the_pace_of_the_last_ten_seconds():
    queue = WaitingLines(clock := Clock())
    ask(queue, *(f"done{number}" for number in range(20)))
    ask(queue, *(f"m{number}" for number in range(9)))
    ask(queue, "mine", session="mine")
    for number in range(20):
        clock.now += 0.5
        queue.begin("acme", f"done{number}")

    (found,) = queue.wait_estimates("acme", "mine")
    assert (found.position, found.wait_seconds) == (10, 5.0)
    clock.now += 11
    (found,) = queue.wait_estimates("acme", "mine")
    assert (found.position, found.wait_seconds) == (10, 21.0), "when nothing begins, the oldest question's wait counts"


def test_few_questions_are_not_mistaken_for_a_slow_line():
    queue = WaitingLines(clock := Clock())
    for number in range(3):
        clock.now += 3
        ask(queue, f"m{number}")
        clock.now += 0.1
        assert queue.wait_estimates("acme", "s") == []
        queue.begin("acme", f"m{number}")


def test_another_clients_ten_thousand_questions_delay_a_first_one_by_one_turn():
    queue = WaitingLines(clock := Clock())
    ask(queue, *(f"m{number}" for number in range(10_000)), client="greedy")
    ask(queue, "mine", client="modest")
    clock.now += 5

    (found,) = queue.wait_estimates("modest", "s")
    assert found.position == 2
    assert queue.refusal("free", "modest") is None


def test_a_stalled_line_refuses_with_a_wait_and_accepts_a_probe_now_and_then():
    queue = WaitingLines(clock := Clock())
    ask(queue, "oldest")
    clock.now += MAX_WAIT_SECONDS["free"] + 1
    assert queue.refusal("free", "acme") is None, "no probe was accepted"
    ask(queue, "probe")

    refused = queue.refusal("free", "acme")
    assert (refused.position, refused.retry_after_seconds) == (3, 31)
    assert queue.refusal("paid", "acme") is None
    assert queue.refusal("free", "other") is None
    clock.now += PROBE_SECONDS
    assert queue.refusal("free", "acme") is None


def test_a_stuck_question_refuses_nobody_once_a_later_one_began():
    queue = WaitingLines(clock := Clock())
    ask(queue, "stuck")
    clock.now += MAX_WAIT_SECONDS["free"] + 1
    ask(queue, "later")
    queue.begin("acme", "later")
    ask(queue, "next")

    assert queue.refusal("free", "acme") is None
    assert len(queue) == 1


class Model(RuleBasedStateMachine):
    """Joins, begins and leaves in any order: a question waits in all three indexes or in none."""

    def __init__(self):
        super().__init__()
        self.clock = Clock()
        self.queue = WaitingLines(self.clock)
        self.waiting = {}

    @rule(client=st.sampled_from("ab"), session=st.sampled_from("xy"), message=st.integers(0, 6))
    def join(self, client, session, message):
        self.queue.join("paid" if client == "b" else "free", client, session, str(message))
        self.waiting.setdefault((client, str(message)), (session, self.clock.now))

    @rule(client=st.sampled_from("ab"), message=st.integers(0, 6))
    def begin(self, client, message):
        self.queue.begin(client, str(message))
        began = self.waiting.pop((client, str(message)), None)
        if began:
            late = [key for key, (_, at) in self.waiting.items() if key[0] == client and at < began[1] - 20]
            for key in late:
                del self.waiting[key]

    @rule(client=st.sampled_from("ab"), message=st.integers(0, 6))
    def leave(self, client, message):
        self.queue.leave(client, str(message))
        self.waiting.pop((client, str(message)), None)

    @rule(seconds=st.floats(0, 30))
    def wait(self, seconds):
        self.clock.now += seconds

    @invariant()
    def agrees(self):
        assert len(self.queue) == len(self.waiting)
        sessions = defaultdict(int)
        for (client, _), (session, at) in self.waiting.items():
            sessions[client, session] += self.clock.now - at >= MIN_WAIT_SECONDS
        for client in "ab":
            for session in "xy":
                found = self.queue.wait_estimates(client, session)
                assert len(found) >= sessions[client, session]
                assert all(1 <= one.position <= len(self.waiting) for one in found)


Model.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestModel = Model.TestCase
