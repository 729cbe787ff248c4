import gc

import pytest

from gateway.replay.buffer import ANSWER_OVERHEAD_BYTES
from gateway.replay.buffers import RETENTION_SECONDS, STALLED_SECONDS, ReplayBuffers
from schemas.keys import SessionKey
from tests.support.fakes_tail import CLIENT, answer_frames, frame, message_id

KEY = SessionKey(CLIENT, "s")


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def rings_with(*frames, clock=None, **limits):
    buffers = ReplayBuffers(clock or Clock(), **limits)
    for made in frames:
        buffers.append(KEY, 0, made)
    return buffers


def offsets(buffers, cursor=-1, name=None):
    return [held.offset for held in buffers.get(KEY).after(cursor, name)]


def test_the_garbage_collector_tracks_no_frame():
    assert not gc.is_tracked(frame(1))


def test_frames_add_up_to_the_answer():
    buffers = rings_with(*answer_frames("hello"))

    [answer] = buffers.answers(KEY)
    assert (answer.text, answer.state, answer.is_whole) == ("hello", "completed", True)
    assert answer.ending["finishReason"] == "stop"


@pytest.mark.parametrize(
    "repetition",
    [
        pytest.param(frame(9, attempt=2, seq=3, text="e"), id="the same seq"),
        pytest.param(frame(9, attempt=2, seq=1, text="x"), id="a lower seq"),
        pytest.param(frame(9, attempt=1, seq=40, text="x"), id="a lower attempt"),
    ],
)
def test_repetitions_and_lower_attempts_are_dropped(repetition):
    before = answer_frames("he", attempt=2, is_ended=False)
    buffers = rings_with(*before)

    assert not buffers.append(KEY, 0, repetition)
    [answer] = buffers.answers(KEY)
    assert (answer.text, answer.is_whole) == ("he", True)


def test_a_higher_attempt_restarts_the_text():
    buffers = rings_with(*answer_frames("draft", is_ended=False), *answer_frames("final", attempt=2, start=10))

    [answer] = buffers.answers(KEY)
    assert (answer.text, answer.attempt, answer.is_whole) == ("final", 2, True)


def test_frames_after_a_messages_ending_are_dropped(clock):
    buffers = rings_with(*answer_frames("done"), clock=clock)

    assert not buffers.append(KEY, 0, frame(20, "completed", attempt=2, seq=9))
    buffers.append(KEY, 0, frame(21, "started", message=2, model="m", tier="free"))
    clock.now = RETENTION_SECONDS + 1
    buffers.sweep()
    assert not buffers.append(KEY, 0, frame(22, "completed", attempt=3, seq=9)), "an ended message was started again"


def test_an_answer_whose_beginning_was_not_seen_is_not_whole():
    assert not rings_with(frame(5, seq=3, text="lo")).answers(KEY)[0].is_whole


def test_an_answer_with_a_hole_is_not_whole():
    frames = answer_frames("hole", is_ended=False)

    assert not rings_with(*frames[:3], *frames[4:]).answers(KEY)[0].is_whole


def test_an_ended_answer_leaves_two_minutes_after_its_end(clock):
    buffers = rings_with(*answer_frames("bye"), clock=clock)
    clock.now = RETENTION_SECONDS - 1
    buffers.sweep()
    assert buffers.get(KEY)
    clock.now = RETENTION_SECONDS + 1
    buffers.sweep()

    assert buffers.get(KEY) is None
    assert buffers.size_bytes == 0
    assert buffers.floor(KEY, 0) == 5, "the floor did not rise to the last evicted frame"
    assert buffers.session_of(CLIENT, message_id(1)) is None


def test_a_running_answer_stays_until_it_has_been_silent_for_long(clock):
    frames = answer_frames("slow", is_ended=False)
    buffers = rings_with(*frames[:3], clock=clock)
    clock.now = STALLED_SECONDS - 1
    buffers.append(KEY, 0, frames[3])
    clock.now += STALLED_SECONDS - 1
    buffers.sweep()
    assert buffers.get(KEY)
    clock.now += 2
    buffers.sweep()
    assert buffers.get(KEY) is None


def test_a_running_answer_keeps_its_text_when_its_frames_leave():
    text = "abcdefghij" * 10
    buffers = rings_with(*answer_frames(text, is_ended=False), session_bytes=2_000)

    buffer = buffers.get(KEY)
    assert buffer.answer(message_id(1)).text == text
    assert len(buffer.frames) < 10
    assert buffer.floor == buffer.frames[0].offset - 1
    assert buffer.size_bytes <= 2_000


def test_an_ended_answer_leaves_whole_when_the_session_is_full():
    frames = [*answer_frames("first"), *answer_frames("second one", message=2, start=100, is_ended=False)]
    buffers = rings_with(*frames, session_bytes=4_000)

    assert [answer.text for answer in buffers.answers(KEY)] == ["second one"]
    assert buffers.floor(KEY, 0) >= 0


def test_when_memory_is_short_ended_answers_are_evicted_oldest_first():
    def filled(total_bytes):
        buffers = ReplayBuffers(Clock(), total_bytes)
        for number in range(4):
            for made in answer_frames("text", message=number, start=100 * number, is_ended=number > 0):
                buffers.append(SessionKey(CLIENT, str(number)), 0, made)
        return buffers

    full = filled(10**6).size_bytes
    buffers = filled(full - 1)

    assert [number for number in range(4) if buffers.get(SessionKey(CLIENT, str(number)))] == [0, 2, 3]
    assert buffers.size_bytes < full
    assert buffers.floor(SessionKey(CLIENT, "1"), 0) == 106


def test_running_answers_give_up_their_frames_before_their_text():
    buffers = ReplayBuffers(Clock(), total_bytes=5_000)
    for made in answer_frames("x" * 50, is_ended=False):
        buffers.append(KEY, 0, made)

    [answer] = buffers.answers(KEY)
    assert (answer.text, answer.is_whole) == ("x" * 50, True)
    assert buffers.size_bytes <= 5_000


def test_a_running_answer_that_lost_text_is_not_whole():
    buffers = ReplayBuffers(Clock(), total_bytes=ANSWER_OVERHEAD_BYTES + 80)
    for made in answer_frames("x" * 50, is_ended=False):
        buffers.append(KEY, 0, made)

    assert not buffers.answers(KEY)[0].is_whole
    assert buffers.size_bytes <= ANSWER_OVERHEAD_BYTES + 400


def test_a_new_ring_starts_with_the_floor_of_its_partition(clock):
    buffers = ReplayBuffers(clock)
    buffers.begin({0: 50, 1: 7})
    for made in answer_frames("gone", start=50):
        buffers.append(KEY, 0, made)
    clock.now = RETENTION_SECONDS + 1
    buffers.sweep()

    assert buffers.floor(SessionKey("other", "session"), 0) == 56
    assert buffers.floor(SessionKey("other", "session"), 1) == 6


def test_a_frame_wakes_waiters():
    buffers, woken = ReplayBuffers(), []

    def wake():
        woken.append(1)

    buffer = buffers.join(KEY, 0, wake)
    buffers.append(KEY, 0, frame(0, "started", model="m", tier="free"))
    buffers.leave(buffer, wake)
    buffers.append(KEY, 0, frame(1, seq=1, text="nobody waits"))

    assert woken == [1]


def test_an_empty_ring_is_removed_with_its_last_waiter():
    buffers = ReplayBuffers()
    buffer = buffers.join(KEY, 0, print)
    assert len(buffers) == 1
    buffers.leave(buffer, print)
    assert len(buffers) == 0
