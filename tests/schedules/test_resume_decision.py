"""The resume decision: which ids continue with deltas, and which begin with snapshots."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.replay.resume import SendDeltas, SendSnapshots, StreamPosition, decide
from tests.support.fakes_tail import EPOCH

POSITION = StreamPosition(EPOCH, partition=3, floor=10, end=20)


@pytest.mark.parametrize(
    ("event_id", "decision"),
    [
        (f"{EPOCH}.3.10", SendDeltas(10)),
        (f"{EPOCH}.3.19", SendDeltas(19)),
        (f"{EPOCH}.3.9", SendSnapshots()),
        (f"{EPOCH}.3.20", SendSnapshots()),
        (f"{EPOCH}.2.15", SendSnapshots()),
        ("another0.3.15", SendSnapshots()),
        (f"{EPOCH}.3.-1", SendSnapshots()),
        (f"{EPOCH}.3.١٥", SendSnapshots()),
        (f"{EPOCH}.3.15\n", SendSnapshots()),
        (f"{EPOCH}.3.{'0' * 50}15", SendSnapshots()),
        ("", SendSnapshots()),
        (None, SendSnapshots()),
    ],
)
def test_deltas_only_where_nothing_can_be_missing(event_id, decision):
    assert decide(event_id, POSITION) == decision


@given(
    st.one_of(st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")), st.text(), st.from_regex("[a-z0-9.]*"))
)
def test_any_string_gets_one_of_the_two(event_id):
    assert isinstance(decide(event_id, POSITION), SendDeltas | SendSnapshots)


@given(st.integers(-5, 10**25), st.integers(-1, 100), st.integers(0, 100))
def test_an_id_is_resumed_exactly_where_nothing_after_it_is_missing(offset, floor, end):
    position = StreamPosition(EPOCH, 0, floor, end)
    expected = SendDeltas(offset) if max(floor, 0) <= offset < end else SendSnapshots()

    assert decide(position.event_id(offset), position) == expected


def test_the_unfinished_id_always_resets():
    position = StreamPosition(EPOCH, 0, floor=-1, end=5)

    assert decide(position.unfinished_id, position) == SendSnapshots()
