"""Every operation of `gateway.routes`, described (`docs/wire.md`)."""

from typing import Any

from gateway.openapi.operation import (
    ANYONE,
    CALLERS,
    INTERNAL,
    JSON,
    SERVERS,
    SSE,
    STRING,
    TEXT,
    VISITORS,
    VISITORS_AND_SERVERS,
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
UPLOAD_KEY = Param(
    "Idempotency-Key",
    "header",
    "Makes the upload safe to repeat: the same file with the same key is one document.",
    {"type": "string", "minLength": 1, "maxLength": 255},
)
PREFER = Param("Prefer", "header", f"`wait=N` (seconds, up to {MAX_WAIT_SECONDS}) or `respond-async` (RFC 7240).")
LAST_SEEN = Param("Last-Event-ID", "header", "The last event id received: the stream continues after it.")
BEFORE = Param("before", "query", "The `next` of the page before; for messages also a time (RFC 3339).")
LOCATION = {"Location": "Where to get the result."}
ANSWER = tuple(name for name in ANSWER_EVENTS if name != "asked")
ANSWERING = Events(("accepted", "queued", *ANSWER, "snapshot"))
APPLIED = {"Preference-Applied": "The preference that was applied."}


def whole(name: str, text: str, lowest: int, highest: int) -> Param:
    """An integer query parameter."""
    return Param(name, "query", text, {"type": "integer", "minimum": lowest, "maximum": highest})


def upload() -> dict[str, Any]:
    """The form of an upload. A form has no lists: tags come in several fields, or in one, separated by commas."""
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
            202: Reply(
                "Accepted: the session's events bring the answer.", {JSON: http.ChatAccepted}, APPLIED | LOCATION
            ),
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
        "Stop an answer; the text so far is kept",
        VISITORS_AND_SERVERS,
        {202: Reply("It will stop.", {JSON: http.ChatAccepted})},
        (MESSAGE,),
        {JSON: http.CancelRequest},
        is_body_required=False,
    ),
    Op(
        "POST /chat/{messageId}/feedback",
        "Rate an answer; the last rating counts",
        VISITORS_AND_SERVERS,
        {202: Reply("The rating was accepted.", {JSON: http.ChatAccepted})},
        (MESSAGE,),
        {JSON: http.FeedbackRequest},
    ),
    Op(
        "GET /sessions/{sessionId}/events",
        "Follow a session, as a stream, or by long poll with `Accept: application/json`",
        VISITORS_AND_SERVERS,
        {
            200: Reply(
                "The events of the session.",
                {SSE: Events(("asked", "queued", *ANSWER, "snapshot")), JSON: http.Polled},
            )
        },
        (
            SESSION,
            LAST_SEEN,
            Param("last_event_id", "query", "The same as the header, for clients that cannot set it."),
            Param("after", "query", "For the long poll: the `next` of the previous one."),
            whole("wait", "For the long poll: how many seconds to wait.", 0, 60),
        ),
        problems=(422,),
    ),
    Op(
        "GET /sessions/{sessionId}/messages",
        "A page of the session's messages",
        VISITORS_AND_SERVERS,
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
        "A new ticket for one that expires soon, or has expired in the last seven days",
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
        (UPLOAD_KEY,),
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
        "Delete a document; safe to repeat",
        SERVERS,
        {202: Reply("New answers do not use it.", {JSON: http.DocumentAccepted})},
        (DOCUMENT,),
    ),
    Op(
        "GET /documents/{documentId}/status",
        "The status of ingestion",
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
        "Ingest a document again",
        SERVERS,
        {202: Reply("It waits for ingestion.", {JSON: http.DocumentAccepted}, LOCATION)},
        (DOCUMENT,),
        problems=(409,),
    ),
)
OTHERS = (
    Op(
        "POST /internal/validate-client",
        "The client of a publishable key, and whether a page may use it",
        INTERNAL,
        {200: Reply("The answer.", {JSON: http.Validated})},
        body={JSON: http.ValidateRequest},
    ),
    Op(
        "POST /internal/tickets",
        "A ticket for a visitor",
        INTERNAL,
        {200: Reply("The ticket.", {JSON: http.TicketIssued})},
        body={JSON: http.TicketRequest},
        problems=(409,),
    ),
    Op(
        "GET /health",
        "Whether questions can be answered, and the state of each dependency",
        ANYONE,
        {
            200: Reply("They can.", {JSON: http.Health}),
            503: Reply("They cannot.", {JSON: http.Health}),
        },
    ),
    Op("GET /health/live", "Whether the process responds", ANYONE, {200: Reply("It does.", {TEXT: STRING})}),
    Op(
        "GET /health/ready",
        "Whether this instance accepts requests",
        ANYONE,
        {
            200: Reply("Yes.", {TEXT: STRING}),
            503: Reply("No: it drains, does not receive the log, or a topic is missing.", {TEXT: STRING}),
        },
    ),
    Op("GET /metrics", "Metrics for Prometheus", ANYONE, {200: Reply("The metrics.", {TEXT: STRING})}),
    Op("GET /openapi.json", "This document", ANYONE, {200: Reply("OpenAPI 3.1.", {JSON: {"type": "object"}})}),
    Op("GET /", "The demo page", ANYONE, {200: Reply("The page.", {"text/html": STRING})}, problems=(403, 404)),
)
OPERATIONS = (*CHAT, *DOCUMENTS, *OTHERS)
