from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from streams.stall_detector import StallDetector

FIRST, SECOND = TopicPartition("t", 0), TopicPartition("t", 1)


def test_a_stall_is_counted_from_the_first_check_that_saw_new_records():
    stall = StallDetector()

    seen = [stall.seconds({FIRST: position}, {FIRST: end}, now) for now, position, end in [
        (0.0, 5, 5), (2.0, 5, 6), (4.0, 5, 9), (6.0, 5, 9), (8.0, 7, 9), (10.0, 7, 9), (12.0, 9, 9), (14.0, 9, 10),
    ]]  # fmt: skip

    assert seen == [0, 0, 2, 4, 0, 2, 0, 0]


def test_one_stalled_partition_counts_although_others_advance():
    stall = StallDetector()

    for now in range(5):
        seconds = stall.seconds({FIRST: now, SECOND: 3}, {FIRST: 100, SECOND: 4}, float(now))

    assert seconds == 4


def test_a_log_that_ends_before_the_position_is_a_stall():
    stall = StallDetector()
    stall.seconds({FIRST: 5}, {FIRST: 0}, 0.0)

    assert stall.seconds({FIRST: 5}, {FIRST: 0}, 3.0) == 3


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_a_consumer_that_advances_or_is_at_the_end_is_never_stalled(steps):
    stall, position = StallDetector(), 0
    for now, (step, more) in enumerate(steps):
        position += step
        seconds = stall.seconds({FIRST: position}, {FIRST: position + more}, float(now))
        assert seconds == 0 or (step == 0 and more)
