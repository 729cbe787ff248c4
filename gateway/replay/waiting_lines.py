"""The questions that were accepted here and have not begun to be answered: who waits, how long, and when to say no.

Pure, with a clock. Workers take turns between clients, so a newcomer's place follows from the others' lengths, not
from their sum, and only a client's own line says that its next question would wait too long.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

from schemas.events import Tier

# Who has waited longer has left: better to be told at once. Paid questions have three turns of four.
MAX_WAIT_SECONDS: dict[Tier, float] = {"free": 30.0, "paid": 60.0}
# While questions are refused one is let in now and then: it would overtake a stuck one, which then counts no more.
PROBE_SECONDS = 5.0
OVERTAKEN_SECONDS = 20.0
# From here on a wait is worth a word.
MIN_WAIT_SECONDS = 1.5
PACE_SECONDS = 10.0
MIN_PACE_SECONDS = 1.0
RETRY_SECONDS = (1, 60)
MAX_WAITING = 50_000
MAX_BEGUN = 2_000

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question whose answer has not begun."""

    tier: Tier
    client_id: str
    session_id: str
    message_id: str
    accepted_at: float


@dataclass(frozen=True, slots=True)
class WaitEstimate:
    """`position` counts from 1; `wait_seconds` is what the pace makes of it, at which the line has moved lately."""

    message_id: str
    position: int
    wait_seconds: float

    @property
    def retry_after_seconds(self) -> int:
        """When to come back instead of waiting."""
        lowest, highest = RETRY_SECONDS
        return max(lowest, min(highest, math.ceil(self.wait_seconds)))


class WaitingLines:
    """One instance's view: with more gateways the true position is higher, the true pace too, and the wait the same."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._all: OrderedDict[tuple[str, str], Waiting] = OrderedDict()
        self._lines: dict[Tier, dict[str, OrderedDict[str, Waiting]]] = {"free": {}, "paid": {}}
        self._sessions: dict[tuple[str, str], OrderedDict[str, Waiting]] = {}
        self._begun: dict[Tier, deque[float]] = {tier: deque(maxlen=MAX_BEGUN) for tier in self._lines}
        self._busy_since: dict[Tier, float] = dict.fromkeys(self._lines, 0.0)

    def __len__(self) -> int:
        return len(self._all)

    def join(self, tier: Tier, client_id: str, session_id: str, message_id: str) -> None:
        """A question was accepted. Again: nothing."""
        if (client_id, message_id) in self._all:
            return
        if len(self._all) >= MAX_WAITING:
            self.leave(*next(iter(self._all)))
        one = Waiting(tier, client_id, session_id, message_id, self._clock())
        if not self._lines[tier]:
            self._busy_since[tier] = one.accepted_at
        self._all[client_id, message_id] = one
        self._lines[tier].setdefault(client_id, OrderedDict())[message_id] = one
        self._sessions.setdefault((client_id, session_id), OrderedDict())[message_id] = one

    def begin(self, client_id: str, message_id: str) -> None:
        """Its answer began."""
        one = self.leave(client_id, message_id)
        if one is None:
            return
        self._begun[one.tier].append(self._clock())
        line = self._lines[one.tier].get(client_id)
        for other in list(line.values()) if line else ():
            if other.accepted_at >= one.accepted_at - OVERTAKEN_SECONDS:
                break
            self.leave(client_id, other.message_id)

    def leave(self, client_id: str, message_id: str) -> Waiting | None:
        """It waits no longer, whatever became of it. None: it did not wait here."""
        one = self._all.pop((client_id, message_id), None)
        if one is not None:
            _remove(self._lines[one.tier], client_id, message_id)
            _remove(self._sessions, (client_id, one.session_id), message_id)
        return one

    def waits(self, client_id: str, session_id: str) -> bool:
        """Whether a question of this session waits."""
        return (client_id, session_id) in self._sessions

    def wait_estimates(self, client_id: str, session_id: str) -> list[WaitEstimate]:
        """Of the session's questions that wait long enough to be worth a word."""
        found = []
        for one in self._sessions.get((client_id, session_id), {}).values():
            line = self._lines[one.tier][client_id]
            ahead = next(place for place, name in enumerate(line) if name == one.message_id)
            estimate = self._estimate(one.tier, client_id, one.message_id, ahead)
            if max(estimate.wait_seconds, self._clock() - one.accepted_at) >= MIN_WAIT_SECONDS:
                found.append(estimate)
        return found

    def refusal(self, tier: Tier, client_id: str) -> WaitEstimate | None:
        """What to tell a newcomer who must not join, since the oldest of its line waits too long. None: welcome."""
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
        begun, now = self._begun[tier], self._clock()
        # Only while somebody waited did answers begin as fast as they can.
        since = max(now - PACE_SECONDS, self._busy_since[tier])
        while begun and begun[0] < since:
            begun.popleft()
        if begun and now - since >= MIN_PACE_SECONDS:
            return WaitEstimate(message_id, position, position * (now - since) / len(begun))
        oldest = min((next(iter(line.values())).accepted_at for line in lines.values()), default=now)
        return WaitEstimate(message_id, position, now - oldest)


def _remove(lines: dict[Key, OrderedDict[str, Waiting]], key: Key, message_id: str) -> None:
    del lines[key][message_id]
    if not lines[key]:
        del lines[key]
