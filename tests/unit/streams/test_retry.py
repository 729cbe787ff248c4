import pytest

from schemas.failures import PermanentError, RetryableError
from streams.consuming.retry import RetryPolicy

POLICY = RetryPolicy(attempts=4, first_seconds=1.0, longest_seconds=3.0)


@pytest.mark.parametrize(
    ("error", "failed", "draw", "expected"),
    [
        (RetryableError("busy"), 1, 1.0, 1.0),
        (RetryableError("busy"), 2, 1.0, 2.0),
        (RetryableError("busy"), 3, 1.0, 3.0),
        (RetryableError("busy"), 1, 0.0, 0.0),
        (RetryableError("busy"), 4, 1.0, None),
        (RetryableError("429", retry_after_seconds=7.0), 1, 0.5, 7.5),
        (TimeoutError(), 1, 0.5, 0.5),
        (KeyError("a defect"), 1, 0.5, 0.5),
        (PermanentError("never"), 1, 0.5, None),
    ],
)
def test_the_decision(error, failed, draw, expected):
    assert POLICY.decide(error, failed, draw=lambda: draw) == expected


@pytest.mark.parametrize("failed", [61, 1_025, 999_999])
def test_the_longest_delay_is_that_of_every_later_retry(failed):
    policy = RetryPolicy(attempts=1_000_000, longest_seconds=10.0)

    assert policy.decide(RetryableError("away"), failed, draw=lambda: 1.0) == 10.0


@pytest.mark.parametrize(("failed", "defects", "expected"), [(3, 0, 1.5), (3, 1, 1.5), (3, 2, None)])
def test_defects_are_tried_less_often_than_a_dependency_that_is_away(failed, defects, expected):
    policy = RetryPolicy(attempts=4, first_seconds=1.0, longest_seconds=3.0, defect_attempts=2)

    assert policy.decide(KeyError("a defect"), failed, defects, lambda: 0.5) == expected
