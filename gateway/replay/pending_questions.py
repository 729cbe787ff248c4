"""Questions that this instance accepted and whose answers have not ended: for metrics, wait times and resume."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from gateway.replay.waiting_lines import WaitEstimate, WaitingLines
from gateway.web.metrics import ANSWER_SECONDS, ANSWERS, FIRST_TOKEN_SECONDS, OLDEST_UNANSWERED_SECONDS, UNANSWERED
from schemas.events import ENDINGS, Tier
from schemas.keys import MessageKey

MAX_QUESTIONS = 50_000
GIVEN_UP_SECONDS = 900.0


@dataclass(slots=True)
class PendingQuestion:
    """A question whose answer has not ended."""

    session_id: str
    accepted_at: float
    has_begun: bool = False
    has_first_token: bool = False


class PendingQuestions:
    """Oldest first. Bounded: the oldest are dropped above `MAX_QUESTIONS`, or after `GIVEN_UP_SECONDS` (`sweep`)."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._lines = WaitingLines(clock)
        self._clock = clock
        self._open: OrderedDict[MessageKey, PendingQuestion] = OrderedDict()
        UNANSWERED.set_function(lambda: len(self))
        OLDEST_UNANSWERED_SECONDS.set_function(self.oldest_seconds)

    def __len__(self) -> int:
        return len(self._open)

    def accept(self, tier: Tier, client_id: str, message_id: str, session_id: str) -> None:
        """Add a question, before it is published. Adding it again has no effect."""
        self._lines.join(tier, client_id, session_id, message_id)
        self._open.setdefault(MessageKey(client_id, message_id), PendingQuestion(session_id, self._clock()))
        if len(self._open) > MAX_QUESTIONS:
            self._drop_oldest()

    def session_of(self, client_id: str, message_id: str) -> str | None:
        """The session of a pending question, or None."""
        question = self._open.get(MessageKey(client_id, message_id))
        return question.session_id if question else None

    def observe(self, client_id: str, message_id: str, event: str) -> None:
        """Called for each frame; most belong to questions of other instances."""
        question = self._open.get(MessageKey(client_id, message_id)) if self._open else None
        if question is None:
            return
        if not question.has_begun:
            question.has_begun = True
            self._lines.begin(client_id, message_id)
        age = self._clock() - question.accepted_at
        if event == "delta" and not question.has_first_token:
            question.has_first_token = True
            FIRST_TOKEN_SECONDS.observe(age)
        elif event in ENDINGS:
            del self._open[MessageKey(client_id, message_id)]
            ANSWER_SECONDS.observe(age)
            ANSWERS.labels(event).inc()

    def is_waiting(self, client_id: str, session_id: str) -> bool:
        """Whether the session has a question whose answer has not begun."""
        return self._lines.waits(client_id, session_id)

    @property
    def is_any_waiting(self) -> bool:
        """Whether any question has not begun to be answered."""
        return len(self._lines) > 0

    def wait_estimates(self, client_id: str, session_id: str) -> list[WaitEstimate]:
        """The estimates of the session's questions that wait, or have waited, at least `MIN_WAIT_SECONDS`."""
        return self._lines.wait_estimates(client_id, session_id)

    def refusal(self, tier: Tier, client_id: str) -> WaitEstimate | None:
        """The wait to report when the client's next question must be refused. None: accept it."""
        return self._lines.refusal(tier, client_id)

    def oldest_seconds(self) -> float:
        """Age of the oldest pending question; 0 when there is none."""
        oldest = next(iter(self._open.values()), None)
        return self._clock() - oldest.accepted_at if oldest else 0.0

    def sweep(self) -> None:
        """Drop the questions that are older than `GIVEN_UP_SECONDS`, and count them as unanswered."""
        while self.oldest_seconds() > GIVEN_UP_SECONDS:
            self._drop_oldest()
            ANSWERS.labels("unanswered").inc()

    def _drop_oldest(self) -> None:
        (client_id, message_id), _ = self._open.popitem(last=False)
        self._lines.leave(client_id, message_id)
