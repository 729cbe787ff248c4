"""Questions that this instance accepted and whose answers have not begun: positions, wait times, refusals.

Pure, with a clock. Each client has a line per tier. Workers take turns between clients, so a new question's position
follows from the length of each line, not from their sum, and a client is refused only by the wait of its own line.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

from schemas.events import Tier

# Visitors give up by then: refuse early instead. Paid questions get three of four turns.
MAX_WAIT_SECONDS: dict[Tier, float] = {"free": 30.0, "paid": 60.0}
# While questions are refused, one is accepted now and then: if it overtakes a stuck one, the stuck one is dropped.
PROBE_SECONDS = 5.0
OVERTAKEN_SECONDS = 20.0
# Shorter waits are not reported.
MIN_WAIT_SECONDS = 1.5
PACE_SECONDS = 10.0
MIN_PACE_SECONDS = 1.0
RETRY_SECONDS = (1, 60)
MAX_WAITING = 50_000
MAX_STARTS = 2_000

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class WaitingQuestion:
    """A question whose answer has not begun."""

    tier: Tier
    client_id: str
    session_id: str
    message_id: str
    accepted_at: float


@dataclass(frozen=True, slots=True)
class WaitEstimate:
    """`position` counts from 1; `wait_seconds` follows from it and the rate at which answers have begun lately."""

    message_id: str
    position: int
    wait_seconds: float

    @property
    def retry_after_seconds(self) -> int:
        """When to retry instead of waiting (`Retry-After`)."""
        lowest, highest = RETRY_SECONDS
        return max(lowest, min(highest, math.ceil(self.wait_seconds)))


class WaitingLines:
    """The view of one instance. With more gateways the true position and rate are higher, and the wait is the same."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._all: OrderedDict[tuple[str, str], WaitingQuestion] = OrderedDict()
        self._lines: dict[Tier, dict[str, OrderedDict[str, WaitingQuestion]]] = {"free": {}, "paid": {}}
        self._sessions: dict[tuple[str, str], OrderedDict[str, WaitingQuestion]] = {}
        self._starts: dict[Tier, deque[float]] = {tier: deque(maxlen=MAX_STARTS) for tier in self._lines}
        self._busy_since: dict[Tier, float] = dict.fromkeys(self._lines, 0.0)

    def __len__(self) -> int:
        return len(self._all)

    def join(self, tier: Tier, client_id: str, session_id: str, message_id: str) -> None:
        """Add an accepted question. Adding it again has no effect."""
        if (client_id, message_id) in self._all:
            return
        if len(self._all) >= MAX_WAITING:
            self.leave(*next(iter(self._all)))
        question = WaitingQuestion(tier, client_id, session_id, message_id, self._clock())
        if not self._lines[tier]:
            self._busy_since[tier] = question.accepted_at
        self._all[client_id, message_id] = question
        self._lines[tier].setdefault(client_id, OrderedDict())[message_id] = question
        self._sessions.setdefault((client_id, session_id), OrderedDict())[message_id] = question

    def begin(self, client_id: str, message_id: str) -> None:
        """Remove a question whose answer began, and those of its line that it overtook by `OVERTAKEN_SECONDS`."""
        question = self.leave(client_id, message_id)
        if question is None:
            return
        self._starts[question.tier].append(self._clock())
        line = self._lines[question.tier].get(client_id)
        for other in list(line.values()) if line else ():
            if other.accepted_at >= question.accepted_at - OVERTAKEN_SECONDS:
                break
            self.leave(client_id, other.message_id)

    def leave(self, client_id: str, message_id: str) -> WaitingQuestion | None:
        """Remove a question, whatever the reason. None: it did not wait here."""
        question = self._all.pop((client_id, message_id), None)
        if question is not None:
            _remove(self._lines[question.tier], client_id, message_id)
            _remove(self._sessions, (client_id, question.session_id), message_id)
        return question

    def waits(self, client_id: str, session_id: str) -> bool:
        """Whether a question of this session waits."""
        return (client_id, session_id) in self._sessions

    def wait_estimates(self, client_id: str, session_id: str) -> list[WaitEstimate]:
        """The estimates of the session's questions that wait, or have waited, at least `MIN_WAIT_SECONDS`."""
        found = []
        for question in self._sessions.get((client_id, session_id), {}).values():
            line = self._lines[question.tier][client_id]
            ahead = next(index for index, name in enumerate(line) if name == question.message_id)
            estimate = self._estimate(question.tier, client_id, question.message_id, ahead)
            if max(estimate.wait_seconds, self._clock() - question.accepted_at) >= MIN_WAIT_SECONDS:
                found.append(estimate)
        return found

    def refusal(self, tier: Tier, client_id: str) -> WaitEstimate | None:
        """The wait to report when a new question is refused: the oldest of its line waits too long. None: accept."""
        line = self._lines[tier].get(client_id)
        if not line:
            return None
        now, oldest, newest = self._clock(), next(iter(line.values())), next(reversed(line.values()))
        if now - oldest.accepted_at <= MAX_WAIT_SECONDS[tier] or now - newest.accepted_at >= PROBE_SECONDS:
            return None
        return self._estimate(tier, client_id, "", len(line))

    def _estimate(self, tier: Tier, client_id: str, message_id: str, ahead: int) -> WaitEstimate:
        lines = self._lines[tier]
        position = 1 + ahead + sum(min(len(line), ahead + 1) for name, line in lines.items() if name != client_id)
        starts, now = self._starts[tier], self._clock()
        # Only while questions wait do answers begin as fast as the workers can.
        since = max(now - PACE_SECONDS, self._busy_since[tier])
        while starts and starts[0] < since:
            starts.popleft()
        if starts and now - since >= MIN_PACE_SECONDS:
            return WaitEstimate(message_id, position, position * (now - since) / len(starts))
        oldest = min((next(iter(line.values())).accepted_at for line in lines.values()), default=now)
        return WaitEstimate(message_id, position, now - oldest)


def _remove(lines: dict[Key, OrderedDict[str, WaitingQuestion]], key: Key, message_id: str) -> None:
    del lines[key][message_id]
    if not lines[key]:
        del lines[key]
