"""Event ↔ record: JSON value, key, headers (`docs/wire.md`)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from schemas.events import AnswerEvent, Event
from schemas.failures import RefusedError
from streams.topics import EVENT_BY_NAME, TOPIC_BY_EVENT, Topic

EVENT_TYPE = "event-type"
CLIENT_ID = "client-id"
CLIENT_TIER = "client-tier"
TRACEPARENT = "traceparent"
CONTENT_TYPE = "content-type"
# An answer event's position, `<messageId>/<attempt>/<seq>`: a gateway needs no value to find a frame's answer.
ANSWER = "answer"


class UndecodableError(RefusedError):
    """The record is not a valid event of its topic. A retry cannot help."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="invalid_request")


class Record(Protocol):
    """The fields of aiokafka's `ConsumerRecord` that we use."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A record for `send()`."""

    topic: Topic
    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]


def encode(event: Event, extra_headers: Iterable[tuple[str, bytes]] = ()) -> Encoded:
    """The record of an event. A topic's tombstone event becomes a null value."""
    topic = TOPIC_BY_EVENT[type(event)]
    value = None if type(event) is topic.tombstone else event.model_dump_json(exclude_none=True).encode()
    headers = [
        (EVENT_TYPE, type(event).__name__.encode()),
        (CLIENT_ID, event.client_id.encode()),
        (CONTENT_TYPE, b"application/json"),
        *extra_headers,
    ]
    if isinstance(event, AnswerEvent):
        headers.append((ANSWER, f"{event.message_id}/{event.attempt}/{event.seq}".encode()))
    return Encoded(topic, str(getattr(event, topic.key)).encode(), value, headers)


def header(record: Record, name: str) -> bytes | None:
    """The first header of that name, or None."""
    return next((value for key, value in record.headers if key == name), None)


def decode(topic: Topic, record: Record) -> Event:
    """The event of a record.

    Without an `event-type` header it is the topic's first event, so foreign producers need none. The key and the
    `client-id` header must match the value. Raises `UndecodableError` with the reason.
    """
    try:
        if record.value is None:
            return _tombstone(topic, record)
        named = header(record, EVENT_TYPE)
        model = EVENT_BY_NAME.get(named.decode()) if named else topic.events[0]
        if model not in topic.events:
            raise UndecodableError(f"{topic.name} carries no event named {named!r}")
        event: Event = model.model_validate_json(record.value)
        _check_envelope(topic, record, event)
    except (ValidationError, UnicodeDecodeError) as error:
        raise UndecodableError(_reason(error)) from error
    return event


def _check_envelope(topic: Topic, record: Record, event: Event) -> None:
    """Records are scheduled by their `client-id` header and key alone, so the value must match them."""
    client_id, key = header(record, CLIENT_ID), str(getattr(event, topic.key))
    if client_id is not None and client_id.decode() != event.client_id:
        raise UndecodableError("the header client-id and the value's clientId differ")
    if record.key is not None and record.key.decode() != key:
        raise UndecodableError(f"the record's key is not the value's {to_camel(topic.key)}")


def _tombstone(topic: Topic, record: Record) -> Event:
    client_id = header(record, CLIENT_ID)
    if topic.tombstone is None or record.key is None or client_id is None:
        raise UndecodableError(f"a null value on {topic.name} needs a topic with deletes, a key and a client-id header")
    return topic.tombstone.model_validate({topic.key: record.key.decode(), "client_id": client_id.decode()})


def _reason(error: ValidationError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "the bytes are not UTF-8"
    return "; ".join(
        f"{'.'.join(map(str, detail['loc'])) or 'value'}: {detail['msg']}" for detail in error.errors(include_url=False)
    )
