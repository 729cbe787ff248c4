"""The numbered events of one answer, and their replay."""

import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from handlers.models.pricing import Pricing
from handlers.models.token_counts import estimated_usage
from handlers.ports import Finish, Model
from schemas.events import (
    AnswerCancelled,
    AnswerCompleted,
    AnswerDelta,
    AnswerEvent,
    AnswerFailed,
    AnswerSources,
    AnswerStarted,
    ChatCompleted,
    ChatRequested,
    Event,
    FinishReason,
    Outcome,
    Tier,
    Usage,
)
from schemas.passages import Passage, Source

SNIPPET_CHARACTERS = 240
_CITATION = re.compile(r"\[(\d{1,3})\]")
_REPLAYED_EVENTS: dict[str, type[Event]] = {
    event.__name__: event
    for event in (AnswerStarted, AnswerSources, AnswerCompleted, AnswerFailed, AnswerCancelled, ChatCompleted)
}


class AnswerAttempt:
    """One attempt at an answer: its text so far, and its next event."""

    def __init__(
        self, request: ChatRequested, attempt: int, tier: Tier, pricing: Pricing, *, retrieval_ms: float = 0.0
    ) -> None:
        self.attempt = attempt
        self.text = ""
        self.model = "none"
        self.finish: Finish | None = None
        self._request = request
        self._retrieval_ms = retrieval_ms
        self._tier = tier
        self._pricing = pricing
        self._provider = "local"
        self._sources: list[Source] = []
        self._head: list[AnswerEvent] = []
        self._delta_lengths: list[int] = []
        self._started_at = time.perf_counter()
        self._first_token_ms: float | None = None

    def started(self, model: Model | None) -> AnswerStarted:
        """`model` is None when no model answers. May be sent again until there is text."""
        if model:
            self._provider, self.model = model.provider, model.name
        event = AnswerStarted(**self._position(), model=self.model, tier=self._tier)
        self._head.append(event)
        return event

    def sources(self, passages: Sequence[Passage]) -> AnswerSources:
        """The passages as the visitor sees them, numbered from 1."""
        self._sources = [_source(number, passage) for number, passage in enumerate(passages, start=1)]
        event = AnswerSources(**self._position(), sources=self._sources)
        self._head.append(event)
        return event

    def head(self, model: Model, passages: Sequence[Passage]) -> list[AnswerEvent]:
        """The events before a model's first delta; sources that an earlier model's try sent are not repeated."""
        has_sources = any(isinstance(event, AnswerSources) for event in self._head)
        return [self.started(model)] if has_sources else [self.started(model), self.sources(passages)]

    def delta(self, text: str) -> AnswerDelta:
        """The next piece of text."""
        if self._first_token_ms is None:
            self._first_token_ms = self._elapsed_ms()
        text = text.replace("\0", "\ufffd")  # the one character that Postgres cannot store
        event = AnswerDelta(**self._position(), text=text)
        self._delta_lengths.append(len(text))
        self.text += text
        return event

    def completed(self, finish: Finish) -> tuple[AnswerCompleted, ChatCompleted]:
        """The last event, and the record. Citations are the numbers in the text that sources have."""
        event = AnswerCompleted(
            **self._position(),
            finish_reason=finish.reason,
            citations=self._citations(),
            usage=finish.usage,
            model=self.model,
        )
        return event, self._record("completed", finish.reason, finish.usage)

    def cancelled(self, prompt_characters: int) -> tuple[AnswerCancelled, ChatCompleted]:
        """The last event after a cancel, and the record. The prompt and the text so far are billed, by estimate."""
        usage = self._estimate(prompt_characters)
        return AnswerCancelled(**self._position(), usage=usage), self._record("cancelled", "cancelled", usage)

    def failed(self, code: str, message: str, *, retryable: bool) -> tuple[AnswerFailed, ChatCompleted]:
        """The last event after a failure, and the record. Text that was shown is billed, by estimate."""
        event = AnswerFailed(**self._position(), code=code, message=message, retryable=retryable)
        record = self._record("failed", "error", self._estimate(0))
        return event, record.model_copy(update={"failure_code": code})

    def ending(self, last: AnswerEvent, record: ChatCompleted) -> dict[str, Any]:
        """What `replay_ending` needs, as JSON: the events, and the lengths of the deltas."""
        events = [*self._head, last, record]
        return {
            "events": [{"name": type(event).__name__, "event": event.model_dump(mode="json")} for event in events],
            "delta_lengths": self._delta_lengths,
        }

    def _position(self) -> dict[str, Any]:
        request = self._request
        return {
            "client_id": request.client_id,
            "session_id": request.session_id,
            "message_id": request.message_id,
            "attempt": self.attempt,
            "seq": len(self._head) + len(self._delta_lengths),
        }

    def _record(self, outcome: Outcome, reason: FinishReason, usage: Usage) -> ChatCompleted:
        request = self._request
        return ChatCompleted(
            client_id=request.client_id,
            message_id=request.message_id,
            session_id=request.session_id,
            widget_id=request.widget_id,
            attempt=self.attempt,
            outcome=outcome,
            question=request.text,
            answer=self.text,
            sources=self._sources,
            citations=self._citations(),
            finish_reason=reason,
            provider=self._provider,
            model=self.model,
            tier=self._tier,
            usage=usage,
            cost_usd=self._pricing.cost_usd(self.model, usage),
            retrieval_ms=self._retrieval_ms,
            first_token_ms=self._first_token_ms,
            answer_ms=self._elapsed_ms(),
            trial=request.trial,
            requested_at=request.requested_at,
            completed_at=datetime.now(UTC),
        )

    def _estimate(self, prompt_characters: int) -> Usage:
        if self._provider == "local":
            return Usage()
        return estimated_usage(prompt_characters, len(self.text))

    def _citations(self) -> list[int]:
        named = {int(number) for number in _CITATION.findall(self.text)}
        return [source.n for source in self._sources if source.n in named]

    def _elapsed_ms(self) -> float:
        return (time.perf_counter() - self._started_at) * 1000


def replay_ending(ending: dict[str, Any], request: ChatRequested, attempt: int | None = None) -> Iterator[Event]:
    """The whole answer with its own attempt and sequence numbers: gateways drop the events that they have.

    A worker may die after the ending is stored and before its last deltas reach Kafka. `attempt` replaces the answer's
    own number.
    """
    envelope: dict[str, Any] = {"client_id": request.client_id, "session_id": request.session_id}
    if attempt is not None:
        envelope["attempt"] = attempt
    *head, last, record = (
        _REPLAYED_EVENTS[stored["name"]].model_validate(stored["event"] | envelope) for stored in ending["events"]
    )
    assert isinstance(last, AnswerEvent)
    assert isinstance(record, ChatCompleted)
    yield from head
    yield from _deltas(record.answer, ending["delta_lengths"], last, len(head))
    yield last
    yield record


def attempt_of(ending: dict[str, Any]) -> int:
    """The number of the attempt that ended."""
    return int(ending["events"][-1]["event"]["attempt"])


def _deltas(text: str, lengths: Sequence[int], last: AnswerEvent, first_seq: int) -> Iterator[AnswerDelta]:
    start = 0
    for seq, length in enumerate(lengths, start=first_seq):
        yield AnswerDelta(
            client_id=last.client_id,
            session_id=last.session_id,
            message_id=last.message_id,
            attempt=last.attempt,
            seq=seq,
            text=text[start : start + length],
        )
        start += length


def _source(number: int, passage: Passage) -> Source:
    return Source(
        n=number,
        document_id=passage.document_id,
        title=passage.title,
        page=passage.page,
        page_end=passage.page_end,
        row=passage.row,
        heading=passage.heading,
        snippet=" ".join(passage.text.split())[:SNIPPET_CHARACTERS],
        score=passage.score,
    )
