"""How often a consumer that went silent may be built anew."""

import time
from collections import deque

from streams.stall_detector import SilentError

MAX_REBUILDS = 5
WITHIN_SECONDS = 3_600.0


class Rebuilds:
    """Counts within an hour, so that a process that lives for months does not end at its fifth bad moment."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._at: deque[float] = deque(maxlen=MAX_REBUILDS)

    def begin(self, reason: str) -> None:
        """One more. Raises `SilentError` when that helped too often in vain."""
        now = time.monotonic()
        if len(self._at) == MAX_REBUILDS and now - self._at[0] < WITHIN_SECONDS:
            raise SilentError(f"{self._what} was rebuilt {MAX_REBUILDS} times in vain: {reason}")
        self._at.append(now)
