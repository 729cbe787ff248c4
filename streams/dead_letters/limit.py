"""Stops a consumer that fails on nearly every record, before its whole topic is dead letters (arroyo's `DlqLimit`).

Only defects count. Failures that a caller's data or a provider causes (a refusal, used-up retries) do not: anybody
could stop the consumer with them.
"""

from collections import deque

from schemas.failures import PermanentError, RetryableError

WINDOW = 500
MAX_SHARE = 0.5


class TooManyDeadLettersError(Exception):
    """The consumer stops: nearly everything ends as a dead letter."""


class DeadLetterLimit:
    """Is reached by `max_in_a_row` dead letters in a row, or by more than half of the last `WINDOW` records."""

    def __init__(self, max_in_a_row: int) -> None:
        self._max_in_a_row = max_in_a_row
        self._in_a_row = 0
        self._recent: deque[bool] = deque(maxlen=WINDOW)
        self._dead = 0

    def done(self) -> None:
        """A record was handled."""
        self._in_a_row = 0
        self._note(is_dead=False)

    def dead(self, error: Exception) -> None:
        """A dead letter was written for this reason. Raises `TooManyDeadLettersError`."""
        if isinstance(error, (PermanentError, RetryableError, TimeoutError)):
            return
        self._in_a_row += 1
        self._note(is_dead=True)
        if self._in_a_row >= self._max_in_a_row:
            raise TooManyDeadLettersError(f"{self._in_a_row} records in a row became dead letters")
        if len(self._recent) == WINDOW and self._dead > WINDOW * MAX_SHARE:
            raise TooManyDeadLettersError(f"{self._dead} of the last {WINDOW} records became dead letters")

    def _note(self, *, is_dead: bool) -> None:
        if len(self._recent) == WINDOW:
            self._dead -= self._recent[0]
        self._recent.append(is_dead)
        self._dead += is_dead
