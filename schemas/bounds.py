"""Types of single values, with the bounds that whatever stores or reckons with them relies on."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

MAX_SESSION_ID_CHARACTERS = 128
MAX_CLIENT_ID_CHARACTERS = 64
MAX_QUESTION_CHARACTERS = 8_000
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
# How far ahead of ours a sender's clock may be.
AHEAD = timedelta(days=1)


def _aware_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time needs a zone: send RFC 3339 with Z or an offset")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time must lie in the years 1 to 9999, in UTC too") from error


def _plausible(moment: datetime) -> datetime:
    if not EARLIEST <= moment <= datetime.now(UTC) + AHEAD:
        raise ValueError("a time of an event lies between the year 2020 and now: is the sender's clock right?")
    return moment


UtcDatetime = Annotated[datetime, AfterValidator(_aware_utc)]
EventTime = Annotated[UtcDatetime, AfterValidator(_plausible)]
"""When something happened, by a foreign clock."""
Count = Annotated[int, Field(ge=0, le=2**53)]
Number = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""What a column of four bytes holds."""
Amount = Annotated[float, Field(ge=0, lt=1e9, allow_inf_nan=False)]
Dollars = Annotated[float, Field(ge=0, lt=1e6, allow_inf_nan=False)]
"""Of one answer: `NUMERIC(14, 8)` holds it."""
SessionId = Annotated[str, Field(min_length=1, max_length=MAX_SESSION_ID_CHARACTERS)]
ClientId = Annotated[str, Field(min_length=1, max_length=MAX_CLIENT_ID_CHARACTERS)]
