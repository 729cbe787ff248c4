"""Every shape on a wire (`docs/wire.md`) in one JSON Schema, for generators of code in other languages."""

from typing import Any

from pydantic.json_schema import models_json_schema

from schemas import events, http, sse
from schemas.shape import Shape

DESCRIPTION = (
    "The shapes of ChatConnect's records on Kafka, of the data of its server-sent events, and of the bodies of its "
    "HTTP interface, by name. Further fields may come: ignore what you do not know."
)
RECORDS: tuple[type[Shape], ...] = (
    events.ChatRequested,
    events.ChatRetrieved,
    events.ChatCompleted,
    events.ChatCancelled,
    events.ChatFeedback,
    events.DocumentUploaded,
    events.DocumentDeleted,
    events.DocumentProgress,
)
BODIES: tuple[type[Shape], ...] = (
    http.ValidateRequest,
    http.Validated,
    http.TicketRequest,
    http.TicketIssued,
    http.Health,
    http.ChatRequest,
    http.ChatAccepted,
    http.ChatReply,
    http.FeedbackRequest,
    http.History,
    http.DocumentAccepted,
    http.DocumentList,
    http.DocumentView,
    http.ProblemDocument,
)


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12): nothing but `$defs`."""
    models = dict.fromkeys((*RECORDS, *BODIES, *sse.EVENTS.values()))
    _, made = models_json_schema([(model, "serialization") for model in models], schema_generator=sse.WireSchema)
    return {
        "$schema": sse.DIALECT,
        "title": "Shapes",
        "description": DESCRIPTION,
        "$defs": dict(sorted(made["$defs"].items())),
    }
