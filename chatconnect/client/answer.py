"""An answer assembled from events by a client: deduplicated, restartable, replaceable by a snapshot."""

from dataclasses import dataclass, field
from typing import Any

from schemas.events import ENDINGS


class GapError(Exception):
    """An event is missing: resume from the last applied id."""


@dataclass(slots=True)
class Answer:
    """`apply` every event of the message; `text` is then the exact generated text, without duplicates.

    `state` is `waiting`, `running`, `completed`, `failed` or `cancelled`.
    """

    message_id: str
    text: str = ""
    sources: list[dict[str, Any]] = field(default_factory=list)
    state: str = "waiting"
    attempt: int = 0
    seq: int = -1
    citations: list[int] = field(default_factory=list)
    usage: dict[str, Any] | None = None
    model: str | None = None
    finish_reason: str | None = None
    failure: str | None = None

    @property
    def is_ended(self) -> bool:
        """Whether no event can change the answer."""
        return self.state in ENDINGS

    def apply(self, event: str, data: dict[str, Any]) -> bool:
        """Whether the event changed the answer. Raises `GapError` when an earlier event is missing."""
        if self.is_ended or data.get("messageId") != self.message_id or "seq" not in data:
            return False
        attempt, seq = int(data["attempt"]), int(data["seq"])
        if event == "snapshot":
            return self._replace(attempt, seq, data)
        if (attempt, seq) <= (self.attempt, self.seq):
            return False
        if attempt > self.attempt:
            self._restart(attempt)
        # These carry no text, so they are accepted after a gap.
        if seq != self.seq + 1 and event not in ("failed", "cancelled"):
            raise GapError
        self.seq = seq
        self._take(event, data)
        return True

    def _restart(self, attempt: int) -> None:
        self.attempt, self.seq, self.text, self.sources = attempt, -1, "", []

    def _replace(self, attempt: int, seq: int, data: dict[str, Any]) -> bool:
        is_older = (attempt, seq) <= (self.attempt, self.seq)
        if attempt < self.attempt or (is_older and data["state"] not in ENDINGS):
            return False
        self.attempt, self.seq = attempt, seq
        self.text, self.sources, self.state = data["text"], data["sources"], data["state"]
        self._note(data)
        return True

    def _take(self, event: str, data: dict[str, Any]) -> None:
        if event == "delta":
            self.text += data["text"]
        elif event == "sources":
            self.sources = data["sources"]
        self.state = event if event in ENDINGS else "running"
        self._note(data)

    def _note(self, data: dict[str, Any]) -> None:
        self.citations = data.get("citations", self.citations)
        self.usage = data.get("usage", self.usage)
        self.model = data.get("model", self.model)
        self.finish_reason = data.get("finishReason", self.finish_reason)
        self.failure = data.get("message", self.failure)
