# ruff: noqa: A005 - it is only ever imported as schemas.http
"""Bodies of requests and responses (`docs/wire.md`)."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints

from schemas.bounds import (
    MAX_QUESTION_CHARACTERS,
    MAX_VISITOR_ID_CHARACTERS,
    Address,
    ClientId,
    Comment,
    Locale,
    MessageId,
    SessionName,
    UtcDatetime,
    WidgetId,
)
from schemas.cursor import Cursor
from schemas.events import DocumentStatus, FinishReason, Outcome, Rating, Tier, Usage
from schemas.passages import Source
from schemas.shape import Shape

OneLine = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class PageContext(Shape):
    """Where the visitor is."""

    url: Address = None


def _object_or_none(given: object) -> object:
    return given if isinstance(given, dict) else None


class ChatRequest(Shape):
    """A visitor's message. Without `session_id` a new session begins; `message_id` makes the request repeatable."""

    message: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUESTION_CHARACTERS)]
    session_id: SessionName | None = None
    message_id: MessageId | None = None
    widget_id: WidgetId = None
    locale: Locale = None
    context: Annotated[PageContext | None, BeforeValidator(_object_or_none)] = None


class ChatAccepted(Shape):
    """The question is on its way; the session's stream carries the answer."""

    message_id: UUID
    session_id: str
    ticket: str | None = None


class ChatReply(ChatAccepted):
    """The whole answer."""

    reply: str
    sources: list[Source]
    usage: Usage
    model: str
    finish_reason: FinishReason


class CancelRequest(Shape):
    """`session_id` is needed only when the question was asked elsewhere and its answer has not begun."""

    session_id: SessionName | None = None


class FeedbackRequest(Shape):
    """A rating, and why."""

    rating: Rating
    comment: Comment = None


class HistoryMessage(Shape):
    """One exchange of a session."""

    message_id: UUID
    question: str
    answer: str
    state: Outcome
    sources: list[Source]
    created_at: datetime
    rating: Rating | None = None


class HistoryPage(Shape):
    """Which page: messages asked earlier than a time, or what is behind the `next` of another page."""

    before: UtcDatetime | Cursor | None = None


class History(Shape):
    """A page of a session, oldest first; `next` is the `before` of the page that is further back."""

    messages: list[HistoryMessage]
    next: str | None = None
    ticket: str | None = None


class PolledEvent(Shape):
    """An event as the session's stream would send it."""

    id: str
    event: str
    data: dict[str, object]


class Polled(Shape):
    """The events after the position that was asked for; `next` is the position after them."""

    events: list[PolledEvent]
    next: str


class DocumentFields(Shape):
    """What may come beside an uploaded file."""

    title: OneLine | None = None
    description: Annotated[str, Field(max_length=2_000)] | None = None
    tags: Annotated[list[OneLine], Field(max_length=50, default_factory=list)]
    external_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class DocumentByUri(DocumentFields):
    """A file that lies in the uploads already."""

    uri: Annotated[str, Field(min_length=1, max_length=2_000)]
    filename: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    media_type: Annotated[str, Field(max_length=200)] | None = None


class DocumentAccepted(Shape):
    """The document waits for ingestion, or for its removal."""

    id: str
    status: DocumentStatus
    filename: str


class DocumentProgressView(Shape):
    """Where ingestion stands. `ahead`: how many documents of the client come before one that waits."""

    id: str
    status: DocumentStatus
    progress: int
    current_step: str
    stage: str
    reason: str | None = None
    retryable: bool | None = None
    chunks: int | None = None
    warnings: list[str] = Field(default_factory=list)
    version: int
    ahead: int | None = None


class DocumentView(DocumentProgressView):
    """A document of the knowledge base."""

    filename: str
    title: str
    description: str | None = None
    tags: list[str]
    external_id: str | None = None
    media_type: str
    size_bytes: int
    created_at: datetime
    updated_at: datetime


class DocumentPage(Shape):
    """Which page: documents behind the `next` of another page."""

    before: Cursor | None = None


class DocumentList(Shape):
    """A page of a client's documents, newest first; `next` is the `before` of the page that is further back."""

    documents: list[DocumentView]
    next: str | None = None


class ValidateRequest(Shape):
    """Whose key is this, and may that page use it?"""

    api_key: Annotated[str, Field(min_length=1, max_length=200)]
    origin: Annotated[str, Field(max_length=300)] | None = None


class WidgetView(Shape):
    """What a page needs to draw the widget."""

    widget_id: str
    theme: dict[str, object]


class Validated(Shape):
    """The answer; the other fields only when `valid`."""

    valid: bool
    client_id: str | None = None
    tier: Tier | None = None
    widget: WidgetView | None = None


class TicketRequest(Shape):
    """A server asks for its visitor's ticket."""

    client_id: ClientId
    session_id: SessionName
    visitor_id: Annotated[str, Field(min_length=1, max_length=MAX_VISITOR_ID_CHARACTERS)] | None = None


class TicketIssued(Shape):
    """A ticket and when it ends."""

    ticket: str
    expires_at: datetime


class Check(Shape):
    """One dependency, as seen from here."""

    status: Literal["ok", "down", "unknown"]
    detail: str | None = None


class Health(Shape):
    """`degraded`: answers work, something else does not. `down`: answers do not work."""

    status: Literal["ok", "degraded", "down"]
    version: str
    checks: dict[str, Check]


class ProblemDocument(Shape):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
