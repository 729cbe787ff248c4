"""Where a page of a list ends: the time of its last row and, since several may share it, the row's id."""

from datetime import datetime
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, TypeAdapter, ValidationError, WithJsonSchema

from schemas.bounds import UtcDatetime

SEPARATOR = "_"
_TIME: TypeAdapter[datetime] = TypeAdapter(UtcDatetime)


class PageCursor(NamedTuple):
    """A row in a list that is ordered by time and id, newest first."""

    at: datetime
    id: str

    def __str__(self) -> str:
        return f"{self.at.isoformat().replace('+00:00', 'Z')}{SEPARATOR}{self.id}"


def _read(given: Any) -> PageCursor:
    if isinstance(given, PageCursor):
        return given
    at, separator, name = str(given).partition(SEPARATOR)
    if not separator or not name:
        raise ValueError("this is not the `next` of a page: send it unchanged")
    try:
        return PageCursor(_TIME.validate_python(at), name)
    except ValidationError as error:
        raise ValueError("this is not the `next` of a page: send it unchanged") from error


Cursor = Annotated[PageCursor, BeforeValidator(_read), WithJsonSchema({"type": "string"})]
