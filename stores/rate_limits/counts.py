"""Sliding window counters in the memory of one process."""

from collections import OrderedDict
from collections.abc import Callable
from math import floor
from time import time

WINDOW_SECONDS = 60
MAX_KEYS = 50_000


class Window:
    """The counts of this minute and of the one before, which weighs less as this minute passes."""

    __slots__ = ("current", "minute", "previous")

    def __init__(self, minute: int) -> None:
        self.minute = minute
        self.current = 0
        self.previous = 0

    def move(self, minute: int) -> None:
        """Advance to this minute."""
        if minute != self.minute:
            self.previous = self.current if minute == self.minute + 1 else 0
            self.current = 0
            self.minute = minute


class Counts:
    """The same arithmetic as the sliding window of `limits`. Bounded: the least recently counted key is dropped.

    Not the `MemoryStorage` of `limits`, because it scans all its keys at each hit (1.8 ms of CPU for three
    limits at 12,000 keys; here 6 µs at any number) and has no bound.
    """

    def __init__(self, clock: Callable[[], float] = time, *, max_keys: int = MAX_KEYS) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._windows: OrderedDict[tuple[str, ...], Window] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def left(self, key: tuple[str, ...], limit: int) -> int:
        """How many more hits are allowed now."""
        window = self._windows.get(key)
        return limit if window is None else max(0, limit - self._weight(window))

    def add(self, key: tuple[str, ...]) -> None:
        """Count one hit."""
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = Window(int(self._clock() // WINDOW_SECONDS))
            if len(self._windows) > self._max_keys:
                self._windows.popitem(last=False)
        self._windows.move_to_end(key)
        self._weight(window)
        window.current += 1

    def reset_seconds(self, key: tuple[str, ...], limit: int) -> float:
        """Seconds until the next hit is allowed, if none is now; else until this minute is over."""
        window = self._windows.get(key)
        if window is None:
            return 0.0
        is_full = self._weight(window) >= limit
        elapsed = self._clock() % WINDOW_SECONDS
        if is_full and window.current < limit:
            return max(0.0, _fade_seconds(window.previous, limit - window.current) - elapsed)
        return WINDOW_SECONDS - elapsed + (_fade_seconds(window.current, limit) if is_full else 0.0)

    def _weight(self, window: Window) -> int:
        minute, elapsed = divmod(self._clock(), WINDOW_SECONDS)
        window.move(int(minute))
        return floor(window.previous * (1 - elapsed / WINDOW_SECONDS)) + window.current


def _fade_seconds(count: int, limit: int) -> float:
    """Seconds into the next minute until less than `limit` is left of `count`."""
    return WINDOW_SECONDS * max(0.0, 1 - limit / count)
