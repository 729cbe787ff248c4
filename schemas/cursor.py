"""Where a page of a list ends: the time of its last row and, since several may have one time, the row's id."""

from datetime import datetime
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, TypeAdapter, ValidationError, WithJsonSchema

from schemas.bounds import UtcDatetime

PARTED_BY = "_"
_TIME: TypeAdapter[datetime] = TypeAdapter(UtcDatetime)


class PageCursor(NamedTuple):
    """A row in a list that is ordered by time and id, newest first."""

    at: datetime
    id: str

    def __str__(self) -> str:
        return f"{self.at.isoformat().replace('+00:00', 'Z')}{PARTED_BY}{self.id}"


def _read(given: Any) -> PageCursor:
    if isinstance(given, PageCursor):
        return given
    at, parted, name = str(given).partition(PARTED_BY)
    if not parted or not name:
        raise ValueError("this is no `next` of a page: send it as it came")
    try:
        return PageCursor(_TIME.validate_python(at), name)
    except ValidationError as error:
        raise ValueError("this is no `next` of a page: send it as it came") from error


Cursor = Annotated[PageCursor, BeforeValidator(_read), WithJsonSchema({"type": "string"})]
