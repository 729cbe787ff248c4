"""Every event on the log, past tense. Topics, keys and retention are values in `streams/topics.py`.

A message or session id is unique only within its client: two clients may choose the same one,
so whatever is remembered about either is keyed by `(client_id, id)`.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.bounds import (
    MAX_NUMBER,
    MAX_QUESTION_CHARACTERS,
    Address,
    Amount,
    ClientId,
    Comment,
    Count,
    Dollars,
    EventTime,
    Locale,
    Number,
    SessionId,
    WidgetId,
)
from schemas.passages import Passage, Source
from schemas.shape import Shape

Tier = Literal["free", "paid"]
Outcome = Literal["completed", "failed", "cancelled"]
AnswerState = Literal["running", Outcome]
ENDINGS: dict[str, Outcome] = {"completed": "completed", "failed": "failed", "cancelled": "cancelled"}
"""The events that end an answer, and the state that each leaves it in."""
FinishReason = Literal["stop", "length", "no_answer", "cancelled", "error"]
Rating = Literal["up", "down"]
DocumentStatus = Literal["pending", "parsing", "chunking", "embedding", "indexing", "ready", "failed", "deleted"]
ENDED_STATUSES: frozenset[DocumentStatus] = frozenset({"ready", "failed", "deleted"})
"""Ingestion has ended in these."""


class Usage(Shape):
    """Tokens of one answer. `estimated` says that the provider sent no figures and we counted characters."""

    input_tokens: Count = 0
    output_tokens: Count = 0
    cache_read_tokens: Count = 0
    cache_write_tokens: Count = 0
    estimated: bool = False


class Event(Shape):
    """A fact on the log. `client_id` also travels as the header `client-id`."""

    client_id: ClientId


class ChatRequested(Event):
    """A visitor's message was accepted. The sender chooses `message_id`; sending it again changes nothing.

    `trial`: somebody of the client tries it out, so it is no conversation and no usage.
    """

    message_id: UUID
    session_id: SessionId
    widget_id: WidgetId = None
    text: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION_CHARACTERS)]
    locale: Locale = None
    page_url: Address = None
    trial: bool = False
    requested_at: EventTime


class ChatRetrieved(Event):
    """The request, the query that was searched for, and what was found, best first."""

    request: ChatRequested
    query: str
    passages: list[Passage]
    confidence: float
    retrieval_ms: float
    session_id: SessionId


class AnswerEvent(Event):
    """One step of an answer. Its JSON is the SSE `data:` line, so what the record's envelope carries
    (key: session, header: client) stays out of it. `seq` counts from 0 within an attempt, without gaps.
    """

    client_id: ClientId = Field(exclude=True)
    session_id: SessionId = Field(exclude=True)
    message_id: UUID
    attempt: int = Field(ge=1)
    seq: int = Field(ge=0)


class QuestionAsked(AnswerEvent):
    """The question, for readers of the session that did not ask it. It comes before every attempt, so it has the
    number 0; a later attempt may send it again, unchanged.
    """

    attempt: int = Field(default=0, ge=0, le=0)
    seq: int = Field(default=0, ge=0, le=0)
    question: str
    asked_at: EventTime


class AnswerStarted(AnswerEvent):
    """An attempt began: text of lower attempts is void."""

    model: str
    tier: Tier


class AnswerSources(AnswerEvent):
    """What the answer is drawn from; comes before the first delta."""

    sources: list[Source]


class AnswerDelta(AnswerEvent):
    """A piece of the answer's text; never empty, whole code points."""

    text: str


class AnswerCompleted(AnswerEvent):
    """The answer ended as it should. `citations` are numbers of sources."""

    finish_reason: FinishReason
    citations: list[int]
    usage: Usage
    model: str


class AnswerFailed(AnswerEvent):
    """The answer ended without success. `message` is a sentence for the visitor."""

    code: str
    message: str
    retryable: bool


class AnswerCancelled(AnswerEvent):
    """The answer ended on request; what was said so far stays, and is billed."""

    usage: Usage


class ChatCompleted(Event):
    """Everything about one ended answer: the record that analytics and billing read. A `trial` is nobody's usage."""

    message_id: UUID
    session_id: SessionId
    widget_id: str | None = None
    attempt: Number
    outcome: Outcome
    question: str
    answer: str
    sources: list[Source]
    citations: list[int]
    finish_reason: FinishReason
    failure_code: str | None = None
    provider: str
    model: str
    tier: Tier
    usage: Usage
    cost_usd: Dollars
    retrieval_ms: Amount
    first_token_ms: Amount | None = None
    answer_ms: Amount
    trial: bool = False
    requested_at: EventTime
    completed_at: EventTime


class ChatCancelled(Event):
    """A visitor no longer wants this answer."""

    message_id: UUID
    session_id: SessionId
    cancelled_at: EventTime


class ChatFeedback(Event):
    """A visitor's rating of an answer; the last one counts."""

    message_id: UUID
    session_id: SessionId
    rating: Rating
    comment: Comment = None
    rated_at: EventTime


class DocumentUploaded(Event):
    """A file at `uri` (claim check) is to be ingested. A higher `version` replaces a lower one."""

    document_id: str
    uri: str
    sha256: str
    media_type: str
    size_bytes: Number
    filename: str
    title: str
    description: str | None = None
    tags: list[str] = Field(default_factory=list)
    external_id: str | None = None
    version: Annotated[int, Field(ge=1, le=MAX_NUMBER)] = 1
    uploaded_at: EventTime


class DocumentDeleted(Event):
    """The null value of `document.uploaded`: the key is the document, the header the client."""

    document_id: str


class DocumentProgress(Event):
    """`progress` is 0–100; `stage` is where a failure happened; `warnings` say what was left out or guessed."""

    document_id: str
    version: Number
    status: DocumentStatus
    stage: str
    progress: int = Field(ge=0, le=100)
    current_step: str
    reason: str | None = None
    retryable: bool | None = None
    chunks: Number | None = None
    warnings: list[str] = Field(default_factory=list)
    at: EventTime
