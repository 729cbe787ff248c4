import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.consuming.offsets import OffsetTracker

gaps = st.lists(st.integers(1, 4), min_size=1, max_size=60)


def test_nothing_is_committable_before_the_first_record():
    tracker = OffsetTracker()

    assert tracker.committable() is None
    assert tracker.pending() is None


@pytest.mark.parametrize("offset", [0, 4, 5])
def test_offsets_that_go_back_are_refused_as_another_log(offset):
    tracker = OffsetTracker()
    tracker.receive(5)
    tracker.finish(5)

    with pytest.raises(AssertionError, match="another log"):
        tracker.receive(offset)
    assert (tracker.position, len(tracker)) == (6, 0)


def test_sizes_and_age_are_those_of_unfinished_records():
    tracker = OffsetTracker()
    tracker.receive(1, 10, 1000)
    tracker.receive(2, 20, 2000)
    tracker.finish(1)

    assert (tracker.size_bytes, tracker.oldest_ms, len(tracker)) == (20, 2000, 1)


@given(first=st.integers(0, 1000), gaps=gaps, data=st.data())
def test_the_commit_never_passes_an_unfinished_record_nor_goes_back(first, gaps, data):
    """I8, with compaction gaps, and records that finish in any order while others arrive."""
    tracker, unfinished, offset, committed = OffsetTracker(), set(), first, -1
    arrivals = list(gaps)
    while arrivals or unfinished:
        if arrivals and (not unfinished or data.draw(st.booleans())):
            tracker.receive(offset)
            unfinished.add(offset)
            offset += arrivals.pop()
        else:
            done = data.draw(st.sampled_from(sorted(unfinished)))
            tracker.finish(done)
            unfinished.discard(done)
        now = tracker.committable()
        assert now <= min(unfinished, default=tracker.position)
        assert now >= committed
        assert len(tracker) == len(unfinished)
        committed = now
    assert tracker.committable() == tracker.position
