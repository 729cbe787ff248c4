"""Every operation of `gateway.routes`, described (`docs/wire.md`)."""

from typing import Any

from gateway.openapi.operation import (
    ANYONE,
    CALLERS,
    HOLDERS,
    JSON,
    PARTS,
    SERVERS,
    SSE,
    STRING,
    TEXT,
    VISITORS,
    Events,
    Reply,
)
from gateway.openapi.operation import Operation as Op
from gateway.openapi.operation import Parameter as Param
from gateway.web.prefer import MAX_WAIT_SECONDS
from schemas import http
from schemas.bounds import MAX_SESSION_ID_CHARACTERS
from schemas.sse import ANSWER_EVENTS

DOCUMENT = Param("documentId", "path", "The document's id.", {"type": "string", "minLength": 1})
MESSAGE = Param("messageId", "path", "The message's id.", {"type": "string", "format": "uuid"})
SESSION = Param(
    "sessionId",
    "path",
    "The session's id, percent-encoded.",
    {"type": "string", "minLength": 1, "maxLength": MAX_SESSION_ID_CHARACTERS},
)
KEY = Param(
    "Idempotency-Key",
    "header",
    "Makes the POST safe to repeat, as `messageId` does. A page's key must be a UUID.",
    {"type": "string", "minLength": 1, "maxLength": 255},
)
PREFER = Param("Prefer", "header", f"`wait=N` (seconds, up to {MAX_WAIT_SECONDS}) or `respond-async` (RFC 7240).")
LAST_SEEN = Param("Last-Event-ID", "header", "The last id that was seen: the stream goes on after it.")
BEFORE = Param("before", "query", "The `next` of the page before; of messages also a time (RFC 3339).")
LOCATION = {"Location": "Where to look for what comes of it."}
ANSWER = tuple(name for name in ANSWER_EVENTS if name != "asked")
ANSWERING = Events(("accepted", "queued", *ANSWER, "snapshot"))
FOLLOWING = Events(("asked", "queued", *ANSWER, "snapshot"))
APPLIED = {"Preference-Applied": "What of `Prefer` was done."}


def whole(name: str, text: str, lowest: int, highest: int) -> Param:
    """A whole number of the query."""
    return Param(name, "query", text, {"type": "integer", "minimum": lowest, "maximum": highest})


def upload() -> dict[str, Any]:
    """The form of an upload. A form has no lists: tags come in several fields, or in one, parted by commas."""
    fields = {name: {"type": "string"} for name in ("title", "description", "tags", "externalId")}
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    return {"type": "object", "properties": {"file": file, **fields}, "required": ["file"]}


CHAT = (
    Op(
        "POST /chat",
        "Ask, and get the whole answer",
        CALLERS,
        {
            200: Reply("The answer.", {JSON: http.ChatReply}, APPLIED),
            202: Reply("Asked: the session's events bring the answer.", {JSON: http.ChatAccepted}, APPLIED | LOCATION),
        },
        (KEY, PREFER, LAST_SEEN),
        {JSON: http.ChatRequest},
        problems=(409, 502),
    ),
    Op(
        "POST /chat/stream",
        "Ask, and get the answer as it is written",
        CALLERS,
        {200: Reply("The answer's events; the stream ends with it.", {SSE: ANSWERING})},
        (KEY, LAST_SEEN),
        {JSON: http.ChatRequest},
        problems=(409,),
    ),
    Op(
        "POST /chat/{messageId}/cancel",
        "Stop an answer; what is there of it is kept",
        HOLDERS,
        {202: Reply("It will stop.", {JSON: http.ChatAccepted})},
        (MESSAGE,),
        {JSON: http.CancelRequest},
        is_body_required=False,
    ),
    Op(
        "POST /chat/{messageId}/feedback",
        "Rate an answer; the last rating counts",
        HOLDERS,
        {202: Reply("Noted.", {JSON: http.ChatAccepted})},
        (MESSAGE,),
        {JSON: http.FeedbackRequest},
    ),
    Op(
        "GET /sessions/{sessionId}/events",
        "Follow a session: a stream, or by long poll with `Accept: application/json`",
        HOLDERS,
        {
            200: Reply(
                "What happens in the session.",
                {SSE: Events(("asked", "queued", *ANSWER, "snapshot")), JSON: http.Polled},
            )
        },
        (
            SESSION,
            LAST_SEEN,
            Param("last_event_id", "query", "The same as the header, for who cannot set it."),
            Param("after", "query", "Of the long poll: the `next` of the one before."),
            whole("wait", "Of the long poll: how many seconds.", 0, 60),
        ),
        problems=(422,),
    ),
    Op(
        "GET /sessions/{sessionId}/messages",
        "A page of what was said",
        HOLDERS,
        {200: Reply("Oldest first.", {JSON: http.History})},
        (
            SESSION,
            BEFORE,
            whole("limit", "How many at most.", 1, 100),
        ),
        problems=(422,),
    ),
    Op(
        "POST /sessions/{sessionId}/ticket",
        "A new ticket for one that ends soon, or has ended in the last seven days",
        VISITORS,
        {200: Reply("The new ticket.", {JSON: http.TicketIssued})},
        (SESSION,),
        problems=(422,),
    ),
)
DOCUMENTS = (
    Op(
        "POST /process-document",
        "Upload a document, or name one that was uploaded",
        SERVERS,
        {202: Reply("It waits for ingestion.", {JSON: http.DocumentAccepted}, LOCATION)},
        body={"multipart/form-data": upload(), JSON: http.DocumentByUri},
        problems=(409, 415),
    ),
    Op(
        "GET /documents",
        "The client's documents",
        SERVERS,
        {200: Reply("Newest first.", {JSON: http.DocumentList})},
        (BEFORE, whole("limit", "How many at most.", 1, 1_000)),
        problems=(422,),
    ),
    Op(
        "GET /documents/{documentId}",
        "A document",
        SERVERS,
        {200: Reply("The document.", {JSON: http.DocumentView})},
        (DOCUMENT,),
    ),
    Op(
        "DELETE /documents/{documentId}",
        "Delete a document; again: the same",
        SERVERS,
        {202: Reply("It is answered from no more.", {JSON: http.DocumentAccepted})},
        (DOCUMENT,),
    ),
    Op(
        "GET /documents/{documentId}/status",
        "Where ingestion stands",
        SERVERS,
        {200: Reply("The status.", {JSON: http.DocumentProgressView})},
        (DOCUMENT,),
    ),
    Op(
        "GET /documents/{documentId}/events",
        "The status as `progress` events until ingestion has ended",
        SERVERS,
        {200: Reply("The stream.", {SSE: Events(("progress",))})},
        (DOCUMENT,),
    ),
    Op(
        "POST /documents/{documentId}/retry",
        "Read a failed or a ready document again",
        SERVERS,
        {202: Reply("It waits for ingestion.", {JSON: http.DocumentAccepted}, LOCATION)},
        (DOCUMENT,),
        problems=(409,),
    ),
)
OTHERS = (
    Op(
        "POST /internal/validate-client",
        "Whose key is this, and may that page use it?",
        PARTS,
        {200: Reply("The answer.", {JSON: http.Validated})},
        body={JSON: http.ValidateRequest},
    ),
    Op(
        "POST /internal/tickets",
        "A ticket for a visitor",
        PARTS,
        {200: Reply("The ticket.", {JSON: http.TicketIssued})},
        body={JSON: http.TicketRequest},
        problems=(409,),
    ),
    Op(
        "GET /health",
        "Is everything well?",
        ANYONE,
        {
            200: Reply("Answers flow.", {JSON: http.Health}),
            503: Reply("They do not.", {JSON: http.Health}),
        },
    ),
    Op("GET /health/live", "The process answers", ANYONE, {200: Reply("It does.", {TEXT: STRING})}),
    Op(
        "GET /health/ready",
        "May requests be sent here?",
        ANYONE,
        {200: Reply("Yes.", {TEXT: STRING}), 503: Reply("No: it drains, or hears nothing.", {TEXT: STRING})},
    ),
    Op("GET /metrics", "For Prometheus", ANYONE, {200: Reply("The metrics.", {TEXT: STRING})}),
    Op("GET /openapi.json", "This document", ANYONE, {200: Reply("OpenAPI 3.1.", {JSON: {"type": "object"}})}),
    Op("GET /", "A page to try it on", ANYONE, {200: Reply("The page.", {"text/html": STRING})}, problems=(403, 404)),
)
OPERATIONS = (*CHAT, *DOCUMENTS, *OTHERS)
