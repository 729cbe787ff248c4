"""Every event of our SSE streams (`docs/wire.md`): its name, the shape of its data, and one JSON Schema of them all."""

from typing import Any
from uuid import UUID

from pydantic import Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from schemas.bounds import UtcDatetime
from schemas.events import (
    AnswerCancelled,
    AnswerCompleted,
    AnswerDelta,
    AnswerEvent,
    AnswerFailed,
    AnswerSources,
    AnswerStarted,
    AnswerState,
    QuestionAsked,
)
from schemas.http import ChatAccepted, DocumentProgressView
from schemas.passages import Source
from schemas.shape import Shape

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DESCRIPTION = (
    "An event of ChatConnect's streams as its name and its parsed data. The schema of one event's data is "
    "`#/$defs/<event>`. Further fields may come: ignore what you do not know."
)


class Queued(Shape):
    """The question waits: its place in line, from 1, and about so many seconds until its answer begins."""

    message_id: UUID
    position: int = Field(ge=1)
    expected_wait_seconds: float = Field(ge=0)


class Snapshot(Shape):
    """Replaces what the client has of the message; deltas go on after `seq` of this `attempt`, which is 0 while nothing
    but the question is known.
    """

    message_id: UUID
    attempt: int = Field(ge=0)
    seq: int = Field(ge=0)
    question: str | None = None
    asked_at: UtcDatetime | None = None
    text: str
    sources: list[Source]
    state: AnswerState


EVENTS: dict[str, type[Shape]] = {
    "accepted": ChatAccepted,
    "queued": Queued,
    "asked": QuestionAsked,
    "started": AnswerStarted,
    "sources": AnswerSources,
    "delta": AnswerDelta,
    "completed": AnswerCompleted,
    "failed": AnswerFailed,
    "cancelled": AnswerCancelled,
    "snapshot": Snapshot,
    "progress": DocumentProgressView,
}


ANSWER_EVENTS: dict[str, type[AnswerEvent]] = {
    name: model for name, model in EVENTS.items() if issubclass(model, AnswerEvent)
}
"""The events that come off `chat.token`; `QuestionAsked` is not numbered within an attempt."""


class WireSchema(GenerateJsonSchema):
    """What is None is left out of the wire, so nothing is nullable there and such a field may be absent."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """The shape without null."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """The shape alone: a writer's default says nothing to a reader."""
        return self.generate_inner(schema["schema"])

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,  # noqa: FBT001 - pydantic's signature
    ) -> bool:
        """Whether every writer sends it."""
        inner = field["schema"]
        if inner["type"] == "default" and inner.get("default") is None:
            return False
        return super().field_is_required(field, total)

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - as above
        """Never: a title would only repeat the name."""
        return False


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of `{"event": name, "data": data}`, which is also an item of the long-poll form."""
    _, made = models_json_schema([(model, "serialization") for model in EVENTS.values()], schema_generator=WireSchema)
    shapes = made["$defs"]
    named = {event: shapes.pop(model.__name__) for event, model in EVENTS.items()}
    return {
        "$schema": DIALECT,
        "title": "ServerSentEvent",
        "description": DESCRIPTION,
        "oneOf": [
            {
                "type": "object",
                "properties": {"event": {"const": event}, "data": {"$ref": f"#/$defs/{event}"}},
                "required": ["event", "data"],
            }
            for event in EVENTS
        ],
        "$defs": {**named, **dict(sorted(shapes.items()))},
    }
