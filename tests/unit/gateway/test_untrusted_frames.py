"""Arbitrary records on `chat.token` neither stop the tail nor spoil another answer."""

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from gateway.replay.buffers import ReplayBuffers
from gateway.replay.pending_questions import PendingQuestions
from gateway.replay.tail import Tail
from schemas.keys import SessionKey
from tests.support.fakes_tail import CLIENT, EVENT_TYPES, FakeLog, answer_frames, frame, message_id, record

KEY = SessionKey(CLIENT, "s")


def tail_of(*records):
    buffers = ReplayBuffers()
    tail = Tail(FakeLog(), buffers, PendingQuestions())
    for one in records:
        tail.take(one)
    return buffers


def with_value(made, value):
    one = record(made)
    one.value = value
    return one


UNREADABLE = [
    b"{bad json", b"{}", b"[]", b"null", b"\xff\xfe", b"", None, b"[" * 100_000, b'{"x":' * 100_000,
    b'{"messageId":"%s","attempt":1,"seq":2}' % message_id(1).encode(),
    b'{"messageId":"%s","attempt":1,"seq":2,"text":5}' % message_id(1).encode(),
    b'{"messageId":"%s","attempt":1,"seq":2,"text":"\\ud800"}' % message_id(1).encode(),
    b'{"messageId":"%s","attempt":1,"seq":7,"text":"another place"}' % message_id(1).encode(),
    b'{"messageId":"%s","attempt":1,"seq":2,"text":"another message"}' % message_id(2).encode(),
]  # fmt: skip


@pytest.mark.parametrize("value", UNREADABLE, ids=range(len(UNREADABLE)))
def test_an_answer_with_an_unreadable_record_comes_only_from_the_database(value):
    frames = answer_frames("hello" + "x" * 100)
    big = [frame(made.offset, made.event, seq=made.seq, text="x" * 40_000) for made in frames[3:-1]]
    buffers = tail_of(*map(record, frames[:2]), with_value(frames[2], value), *map(record, big), record(frames[-1]))

    [answer] = buffers.answers(KEY)
    assert not answer.is_whole
    assert buffers.get(KEY).after(buffers.floor(KEY, 0), None) == [], "frames after a gap would be sent"
    assert buffers.floor(KEY, 0) == frames[-1].offset


def test_a_stream_that_ends_before_the_hole_is_behind_the_floor():
    frames = answer_frames("hello")
    buffers = tail_of(*map(record, frames[:4]), with_value(frames[4], b"{}"))

    assert buffers.floor(KEY, 0) > frames[3].offset


def test_an_unreadable_repetition_spoils_nothing():
    frames = answer_frames("hello")
    forged = [with_value(frame(90, seq=1), b"{}"), with_value(frame(91, attempt=1, seq=0), b"{}")]
    buffers = tail_of(*map(record, frames[:4]), *forged, *map(record, frames[4:]))

    [answer] = buffers.answers(KEY)
    assert (answer.text, answer.is_whole) == ("hello", True)


def test_a_higher_attempt_is_whole_again():
    frames = answer_frames("hello", is_ended=False)
    second = answer_frames("again", attempt=2, start=50)
    buffers = tail_of(*map(record, frames[:3]), with_value(frames[3], b"{}"), *map(record, second))

    [answer] = buffers.answers(KEY)
    assert (answer.text, answer.is_whole) == ("again", True)


def test_a_message_is_found_in_the_session_that_it_was_answered_in_first():
    frames = answer_frames("hello")
    buffers = tail_of(*map(record, frames), *(record(made, session="thief") for made in frames))

    assert buffers.session_of(CLIENT, message_id(1)) == "s"


HONEST = answer_frames("an honest answer")
names = st.sampled_from([b"s", b"other", None, b"", b"\xff\xfe", b"k" * 5_000])
events = st.sampled_from([*EVENT_TYPES.values(), b"", b"\xff", b"AnswerAsked"])
places = st.one_of(
    st.builds(
        lambda message, attempt, seq: f"{message}/{attempt}/{seq}".encode(),
        st.sampled_from([message_id(2), message_id(3), "x", "", message_id(2).upper()]),
        st.one_of(st.integers(), st.just(10**30), st.sampled_from(["", "1e3", "٣", "-1", " 1"])),
        st.one_of(st.integers(), st.just(10**30), st.sampled_from(["", "1.0", "٣"])),
    ),
    st.binary(max_size=40),
)
values = st.one_of(
    st.none(),
    st.binary(max_size=60),
    st.sampled_from([value for value in UNREADABLE if value is None or len(value) < 1_000]),
    st.builds(lambda made: made.data, st.sampled_from(answer_frames("hi", message=2))),
)
forgeries = st.builds(
    lambda key, client, event, place, value, has: SimpleNamespace(
        topic="chat.token", partition=0, offset=500, timestamp=0, key=key, value=value,
        headers=[
            pair
            for pair, is_there in zip(
                (("client-id", client), ("event-type", event), ("answer", place)), has, strict=True
            )
            if is_there
        ],
    ),
    names, st.sampled_from([CLIENT.encode(), b"\xff\xff", b"", b"c" * 300]), events, places, values,
    st.tuples(*[st.sampled_from([True, True, True, False])] * 3),
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, len(HONEST)), forgeries), max_size=12))
def test_no_bytes_on_the_topic_stop_the_tail_or_change_an_honest_answer(forged):
    records = []
    for place in range(len(HONEST) + 1):
        records += [one for at, one in forged if at == place]
        records += [record(made) for made in HONEST[place : place + 1]]
    buffers = tail_of(*records)

    honest = next(answer for answer in buffers.answers(KEY) if answer.message_id == message_id(1))
    assert (honest.text, honest.state, honest.is_whole) == ("an honest answer", "completed", True)
    for buffer in buffers:
        buffers.answers(buffer.key)
        assert buffers.session_of(buffer.key.client_id, message_id(2)) in (None, "s", "other")


def test_an_unreadable_record_of_a_higher_attempt_voids_no_honest_one():
    buffers, frames = ReplayBuffers(), answer_frames("hello")
    for made in frames[:3]:
        buffers.append(KEY, 0, made)
    buffers.skip(KEY, 0, frame(50, attempt=9, seq=7))
    for made in frames[3:]:
        buffers.append(KEY, 0, structs.replace(made, offset=made.offset + 60))
    progress = buffers.get(KEY).progress[frames[0].message_id]

    assert (progress.attempt, progress.is_running, progress.has_gap) == (1, False, True)


def test_an_unreadable_record_of_an_unknown_message_holds_up_no_session():
    buffers = ReplayBuffers()
    buffers.skip(KEY, 0, frame(5, message=99, seq=3))
    for made in answer_frames("hello", start=10):
        buffers.append(KEY, 0, made)

    assert [answer.text for answer in buffers.answers(KEY)] == ["hello"]
    assert buffers.floor(KEY, 0) == 5


def test_an_attempt_with_an_unreadable_beginning_cannot_be_joined():
    buffers, first, second = (
        ReplayBuffers(),
        answer_frames("void", is_ended=False),
        answer_frames("hello", attempt=2, start=20),
    )
    for made in first:
        buffers.append(KEY, 0, made)
    buffers.skip(KEY, 0, second[0])
    for made in second[1:]:
        buffers.append(KEY, 0, made)

    assert not [made for made in buffers.get(KEY).frames if made.attempt == 2]
    assert not buffers.answers(KEY)[0].is_whole


def test_an_unreadable_record_on_a_foreign_partition_does_not_affect_a_session():
    """Its huge offset would raise the session's floor above every cursor."""
    frames = answer_frames("hello")
    foreign = with_value(structs.replace(frames[0], offset=10**9), b"{")
    foreign.partition = 1
    buffers = tail_of(foreign, *(record(made) for made in frames))

    assert buffers.floor(KEY, 0) == -1
    assert [answer.text for answer in buffers.answers(KEY)] == ["hello"]


def test_an_answer_on_a_foreign_partition_comes_from_the_database():
    frames = answer_frames("hello")
    records = [record(made) for made in frames]
    for one in records:
        one.partition = 1
    buffers = tail_of(*records)

    assert buffers.floor(KEY, 0) > 10**12
    assert not buffers.answers(KEY)[0].is_whole
