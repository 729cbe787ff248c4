"""The records of a JSON document at any depth, one at a time.

A record is an element of a list, or a member of a map: of an object in which objects stand side by side. The other
values of an object that holds records are a record of their own. What belongs to a record stays in it, unless it is
large.
"""

from collections.abc import Generator, Iterator
from json.decoder import JSONDecodeError
from typing import Any, NamedTuple

from handlers.readers.section import Section, clean
from handlers.readers.text.header import is_header
from handlers.readers.text.records.json_values import (
    DECODER,
    Members,
    flattened,
    has_records,
    has_scalar,
    is_large,
    is_row,
    is_scalar,
    shown,
    skip_space,
)
from handlers.readers.text.tables import table_lines

MAX_DEPTH = 100
SECTION_CHARACTERS = 200_000
ROWS = 20
HEADER_ROWS = 4
# A record of a few short values reads like a row of a table.
MAX_ROW_CHARACTERS = 400


class JsonRecord(NamedTuple):
    """`at`: the character at which it begins. `path`: the names of what holds it."""

    at: int
    text: str
    path: str = ""


Records = Generator[JsonRecord, None, int]


def read_records(text: str, *, is_record: bool = False) -> Iterator[JsonRecord]:
    """The records of all values in the text; `is_record`: each value is one, as in JSON Lines.

    Raises `JSONDecodeError`, and `RecursionError` for values nested too deeply.
    """
    at = skip_space(text, 0)
    while at < len(text):
        if text[at] == "{" and not is_record:
            at = yield from _members(text, at, _Place())
        else:
            at = yield from _value(text, at, _Place())
        at = skip_space(text, at)


def record_sections(record: JsonRecord, row: int | None) -> Iterator[Section]:
    """The record under its path; a very long one is several sections."""
    text, start = clean(record.text), 0
    while start < len(text):
        limit = start + SECTION_CHARACTERS
        end = (text.rfind(" ", start, limit) + 1 if limit < len(text) else 0) or limit
        part = text[start:end].strip("\n")
        if part.strip():
            yield Section(part + "\n", row=row, heading=record.path or None)
        start = end


class _Place(NamedTuple):
    """Where a value stands: the names above it; its key in a map."""

    names: tuple[str, ...] = ()
    key: str | None = None

    def below(self, name: str | None = None) -> "_Place":
        if len(self.names) >= MAX_DEPTH:
            raise RecursionError
        return _Place((*self.names, name or ""))

    @property
    def path(self) -> str:
        return ".".join(filter(None, self.names))

    def record(self, at: int, value: Any) -> JsonRecord:
        """A record with its key in front."""
        pairs = list(flattened(value))
        if self.key is not None and pairs:
            pairs.insert(0, f"{next((name for name in reversed(self.names) if name), 'key')}: {self.key}")
        is_short = sum(map(len, pairs)) <= MAX_ROW_CHARACTERS and not any("\n" in pair for pair in pairs)
        return JsonRecord(at, ("; " if is_short else "\n").join(pairs), self.path)


def _value(text: str, at: int, place: _Place) -> Records:
    """An element of a list, a member of a map. Returns the position behind it, as the others do."""
    if text[at] == "[":
        return (yield from _elements(text, at, place))
    if text[at] == "{":
        if is_large(text, at):
            return (yield from _members(text, at, place))
        value, end = DECODER.raw_decode(text, at)
        if place.key is not None and not has_scalar(value):
            return (yield from _members(text, at, place))
    else:
        value, end = DECODER.raw_decode(text, at)
    yield place.record(at, value)
    return end


def _members(text: str, start: int, place: _Place) -> Records:
    """The records in an object. Its other values are one more, before the records that they stand before."""
    here = _Place(place.names if place.key is None else (*place.names, place.key))
    own, is_map = Members(), _is_map(text, start)
    at = skip_space(text, start + 1)
    while not text.startswith("}", at):
        key, end = DECODER.raw_decode(text, at)
        if not isinstance(key, str):
            raise JSONDecodeError("Expecting a name", text, at)
        at = _behind(text, skip_space(text, end), ":")
        if _holds_records(text, at, is_map=is_map):
            if own:
                yield here.record(start, own)
                own = Members()
            below = here.below(key)
            if text.startswith("[", at):
                at = yield from _elements(text, at, below)
            elif is_map:
                at = yield from _value(text, at, _Place(here.names, key))
            else:
                at = yield from _members(text, at, below)
        else:
            value, at = DECODER.raw_decode(text, at)
            own.append((key, value))
        at = _next(text, at, "}")
    if own:
        yield here.record(start, own)
    return at + 1


def _holds_records(text: str, at: int, *, is_map: bool) -> bool:
    """Whether the value of a member is not just a part of its object."""
    if not text.startswith(("{", "["), at):
        return False
    if is_large(text, at):
        return True
    value, _ = DECODER.raw_decode(text, at)
    if isinstance(value, Members):
        return is_map or has_records(value)
    return not is_row(value)


def _is_map(text: str, at: int) -> bool:
    """Whether the first two values of an object are objects."""
    at = skip_space(text, at + 1)
    for _ in range(2):
        if text.startswith("}", at):
            return False
        _, end = DECODER.raw_decode(text, at)
        at = _behind(text, skip_space(text, end), ":")
        if not text.startswith("{", at):
            return False
        if is_large(text, at):
            return True
        _, end = DECODER.raw_decode(text, at)
        at = _next(text, end, "}")
    return True


def _elements(text: str, start: int, place: _Place) -> Records:
    """The records in an array; scalars and lists of them are grouped."""
    rows = _Rows(place)
    at = skip_space(text, start + 1)
    while not text.startswith("]", at):
        if text.startswith("{", at):
            yield from rows.flush()
            at = yield from _value(text, at, _Place(place.names))
        elif text.startswith("[", at) and (is_large(text, at) or not is_row(DECODER.raw_decode(text, at)[0])):
            yield from rows.flush()
            at = yield from _elements(text, at, place.below())
        else:
            value, end = DECODER.raw_decode(text, at)
            yield from rows.add(at, value)
            at = end
        at = _next(text, at, "]")
    yield from rows.flush()
    return at + 1


class _Rows:
    """Groups scalars, a line for each, and rows under the names that the first row may hold."""

    def __init__(self, place: _Place) -> None:
        self._path = place.path
        self._rows: list[list[str]] = []
        self._header: list[str] | None = None
        self._at = 0
        self._has_begun = False

    def add(self, at: int, value: Any) -> Iterator[JsonRecord]:
        if not self._rows:
            self._at = at
        self._rows.append([shown(value)] if is_scalar(value) else list(map(shown, value)))
        if len(self._rows) >= ROWS:
            yield from self.flush()

    def flush(self) -> Iterator[JsonRecord]:
        rows, self._rows = self._rows, []
        if not self._has_begun and _has_header(rows[:HEADER_ROWS]):
            self._header, *rows = rows
        self._has_begun |= bool(rows)
        if text := "\n".join(table_lines(self._header, rows)):
            yield JsonRecord(self._at, text, self._path)


def _has_header(rows: list[list[str]]) -> bool:
    is_table = len(rows) > 1 and len(rows[0]) > 1 and len(set(map(len, rows))) == 1
    return is_table and is_header(rows[0], rows[1:])


def _next(text: str, at: int, close: str) -> int:
    """The next key or value behind one, or the closing bracket."""
    at = skip_space(text, at)
    if text.startswith(close, at):
        return at
    at = _behind(text, at, ",")
    if text.startswith(close, at):
        raise JSONDecodeError("Expecting a value", text, at)
    return at


def _behind(text: str, at: int, mark: str) -> int:
    if not text.startswith(mark, at):
        raise JSONDecodeError(f"Expecting '{mark}'", text, at)
    return skip_space(text, at + 1)
