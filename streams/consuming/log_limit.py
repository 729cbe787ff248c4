"""Limits the log lines that outsiders can cause."""

from collections.abc import Callable
from time import monotonic

MAX_LINES = 20
WINDOW_SECONDS = 60.0


class LogLimit:
    """At most `MAX_LINES` lines in `WINDOW_SECONDS`; the next line says how many were left out."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._lines = 0
        self._left_out = 0

    def take(self) -> int | None:
        """None: do not write the line. Else how many lines before it were left out."""
        if self._clock() - self._since >= WINDOW_SECONDS:
            self._since, self._lines = self._clock(), 0
        if self._lines >= MAX_LINES:
            self._left_out += 1
            return None
        self._lines += 1
        left_out, self._left_out = self._left_out, 0
        return left_out
