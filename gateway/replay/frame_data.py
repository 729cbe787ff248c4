"""What the data of a frame must be before it is kept or sent: whoever reaches the broker can write to the log.

msgspec reads a delta in half a microsecond, a seventieth of what a frame costs (`bench.gateway`).
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from schemas.bounds import MAX_COUNT, MAX_NUMBER

Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
Number = Annotated[int, msgspec.Meta(ge=0, le=MAX_NUMBER)]


class Place(msgspec.Struct, rename="camel", gc=False):
    """Which answer's, and where in it."""

    message_id: str
    attempt: Annotated[int, msgspec.Meta(ge=1, le=MAX_NUMBER)]
    seq: Number


class Asked(msgspec.Struct, rename="camel", gc=False):
    """`asked`: before every attempt."""

    message_id: str
    attempt: Annotated[int, msgspec.Meta(ge=0, le=0)]
    seq: Annotated[int, msgspec.Meta(ge=0, le=0)]
    question: str
    asked_at: Annotated[datetime, msgspec.Meta(tz=True)]


class SourceData(msgspec.Struct, rename="camel", omit_defaults=True):
    """One source as visitors see it."""

    n: Number
    document_id: str
    title: str
    snippet: str
    score: float
    page: Number | None = None
    row: Number | None = None
    heading: str | None = None


class UsageData(msgspec.Struct, rename="camel"):
    """Tokens of an answer."""

    input_tokens: Count
    output_tokens: Count
    cache_read_tokens: Count
    cache_write_tokens: Count
    estimated: bool


class Started(Place, gc=False):
    """`started`."""

    model: str
    tier: str


class Sources(Place):
    """`sources`."""

    sources: list[SourceData]


class Delta(Place, gc=False):
    """`delta`."""

    text: str


class Completed(Place):
    """`completed`."""

    finish_reason: str
    citations: list[Number]
    usage: UsageData
    model: str


class Failed(Place, gc=False):
    """`failed`."""

    code: str
    message: str
    retryable: bool


class Cancelled(Place):
    """`cancelled`."""

    usage: UsageData


FrameData = Asked | Started | Sources | Delta | Completed | Failed | Cancelled

_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    shape.__name__.lower(): msgspec.json.Decoder(shape)
    for shape in (Asked, Started, Sources, Delta, Completed, Failed, Cancelled)
}


def decode(event: str, data: bytes) -> FrameData:
    """The data of an event. Raises `ValueError` when it is not what the event's name says."""
    try:
        read: FrameData = _DECODERS[event].decode(data)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    return read
