"""Types of single values, with the bounds that storage and arithmetic rely on."""

import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

MAX_SESSION_ID_CHARACTERS = 128
MAX_CLIENT_ID_CHARACTERS = 64
MAX_VISITOR_ID_CHARACTERS = 128
MAX_QUESTION_CHARACTERS = 8_000
MAX_COUNT = 2**53
"""JSON parsers round larger ones."""
MAX_NUMBER = 2**31 - 1
"""What a four-byte column holds."""
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
# How far ahead of ours a sender's clock may be.
MAX_CLOCK_SKEW = timedelta(days=1)


def _aware_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time needs a zone: send RFC 3339 with Z or an offset")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time must lie in the years 1 to 9999, in UTC too") from error


def _plausible(moment: datetime) -> datetime:
    if not EARLIEST <= moment <= datetime.now(UTC) + MAX_CLOCK_SKEW:
        raise ValueError("a time of an event lies between the year 2020 and now: is the sender's clock right?")
    return moment


UtcDatetime = Annotated[datetime, AfterValidator(_aware_utc)]
EventTime = Annotated[UtcDatetime, AfterValidator(_plausible)]
"""When something happened, by the sender's clock."""
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Number = Annotated[int, Field(ge=0, le=MAX_NUMBER)]
Amount = Annotated[float, Field(ge=0, lt=1e9, allow_inf_nan=False)]
Dollars = Annotated[float, Field(ge=0, lt=1e6, allow_inf_nan=False)]
"""Of one answer: `NUMERIC(14, 8)` holds it."""


def _truncated(max_characters: int) -> BeforeValidator:
    """For optional details of a question: cut or left out, never a reason to refuse it."""
    return BeforeValidator(lambda given: given[:max_characters] if isinstance(given, str) and given else None)


def _canonical(given: object) -> object:
    if not isinstance(given, str):
        return given
    try:
        canonical = str(UUID(given))
    except ValueError:
        return given
    if canonical != given:
        raise ValueError("a UUID is sent in lower case with its hyphens, as all events carry it")
    return canonical


def valid_session_id(name: str) -> str:
    """A session id that stays unchanged in a URL. Raises `ValueError`."""
    if not {".", ".."}.isdisjoint(name.split("/")) or any(unicodedata.category(letter) == "Cc" for letter in name):
        raise ValueError("a session id has no line ends or other control characters, and no part that is `.` or `..`")
    return name


MessageId = Annotated[UUID, BeforeValidator(_canonical)]
Locale = Annotated[str | None, _truncated(35)]
Address = Annotated[str | None, _truncated(2_000)]
WidgetId = Annotated[str | None, _truncated(64)]
Comment = Annotated[str | None, _truncated(2_000)]
SessionName = Annotated[
    str, Field(min_length=1, max_length=MAX_SESSION_ID_CHARACTERS), AfterValidator(valid_session_id)
]
"""A session id as a caller may choose it."""
SessionId = Annotated[str, Field(min_length=1, max_length=MAX_SESSION_ID_CHARACTERS)]
ClientId = Annotated[str, Field(min_length=1, max_length=MAX_CLIENT_ID_CHARACTERS)]
