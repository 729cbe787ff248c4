"""`chatconnect schema`: prints JSON Schemas, for people who write clients and producers."""

import json
from typing import Annotated, Any

import typer
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


def schema(
    every_shape: Annotated[
        bool, typer.Option("--shapes", help="Every shape on the wire by name, for generators of code.")
    ] = False,
) -> None:
    """Print the JSON Schema of the server-sent events; docs/sse-events.schema.json is this output."""
    typer.echo(json.dumps(_shapes() if every_shape else sse.schema(), indent=2, ensure_ascii=False))


def _shapes() -> dict[str, Any]:
    """Nothing but `$defs`."""
    models = dict.fromkeys((*RECORDS, *BODIES, *sse.EVENTS.values()))
    _, made = models_json_schema([(model, "serialization") for model in models], schema_generator=sse.WireSchema)
    return {
        "$schema": sse.DIALECT,
        "title": "Shapes",
        "description": DESCRIPTION,
        "$defs": dict(sorted(made["$defs"].items())),
    }
