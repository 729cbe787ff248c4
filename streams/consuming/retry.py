"""When to try again: full jitter over an exponential ceiling (AWS Architecture Blog, 2015), `Retry-After` obeyed."""

from collections.abc import Callable
from dataclasses import dataclass
from random import random

from schemas.failures import PermanentError, RetryableError

# More reach no longer delay, and a float overflows at 1,024: that is an outage of an hour and a half.
MAX_DOUBLINGS = 60


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`attempts` runs in all; the ceiling doubles from `first_seconds` to `longest_seconds`.

    `defect_attempts`: runs that end with something else than `RetryableError`, deadlines included, if that bound is
    lower.
    """

    attempts: int = 5
    defect_attempts: int | None = None
    first_seconds: float = 0.5
    longest_seconds: float = 30.0

    def decide(
        self, error: Exception, failed: int, defects: int = 0, draw: Callable[[], float] = random
    ) -> float | None:
        """Seconds until the next run after `failed` failed ones, `defects` of them by defects; None: give up."""
        if isinstance(error, PermanentError) or failed >= self.attempts:
            return None
        if self.defect_attempts is not None and defects >= self.defect_attempts:
            return None
        doublings = min(failed - 1, MAX_DOUBLINGS)
        delay = draw() * min(self.longest_seconds, self.first_seconds * 2.0**doublings)
        if isinstance(error, RetryableError) and error.retry_after_seconds is not None:
            return error.retry_after_seconds + delay
        return delay
