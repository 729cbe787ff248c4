"""JSON one value at a time: of a large array or of JSON Lines only one element is in memory as objects.

Numbers stay as they are written, both values of a key that stands twice are kept.
"""

import json
from collections.abc import Generator, Iterator
from json.decoder import JSONDecodeError
from typing import Any, NamedTuple

SPACE = " \t\n\r"


class Members(list[tuple[str, Any]]):
    """The members of an object, in order."""


class JsonRecord(NamedTuple):
    """A value with the character at which it begins, and the name of the list that holds it."""

    at: int
    value: Any
    name: str | None = None


DECODER = json.JSONDecoder(object_pairs_hook=Members, parse_int=str, parse_float=str, parse_constant=str, strict=False)


def read_records(text: str) -> Iterator[JsonRecord]:
    """The elements of a top-level array, or of the lists of objects in a top-level object with its other members
    before them, or the value itself. Raises `JSONDecodeError`, and `RecursionError` for values nested too deeply.
    """
    at = _skip(text, 0)
    if text.startswith("[", at):
        end = yield from _elements(text, at, None)
    elif text.startswith("{", at):
        end = yield from _members(text, at)
    else:
        value, end = DECODER.raw_decode(text, at)
        yield JsonRecord(at, value)
    if _skip(text, end) < len(text):
        raise JSONDecodeError("Extra data", text, end)


def flattened(value: Any, name: str = "") -> Iterator[str]:
    """Lines `stock.Bergen: 7`, `tags: a, b`, `people[2].name: Ada`; empty values have none."""
    if isinstance(value, Members):
        for key, member in value:
            yield from flattened(member, f"{name}.{key}" if name else key)
    elif isinstance(value, list) and any(isinstance(one, list) for one in value):
        for number, one in enumerate(value, 1):
            yield from flattened(one, f"{name}[{number}]")
    else:
        shown = ", ".join(filter(None, map(_shown, value))) if isinstance(value, list) else _shown(value)
        if shown:
            yield f"{name}: {shown}" if name else shown


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).strip()


def _elements(text: str, at: int, name: str | None) -> Generator[JsonRecord, None, int]:
    """Returns the position behind the closing bracket."""
    at = _skip(text, at + 1)
    if text.startswith("]", at):
        return at + 1
    while True:
        value, end = DECODER.raw_decode(text, at)
        yield JsonRecord(at, value, name)
        at = _skip(text, end)
        if text.startswith("]", at):
            return at + 1
        at = _behind(text, at, ",")


def _members(text: str, at: int) -> Generator[JsonRecord, None, int]:
    """Returns the position behind the closing brace."""
    start, others = at, Members()
    at = _skip(text, at + 1)
    if text.startswith("}", at):
        return at + 1
    while True:
        key, end = DECODER.raw_decode(text, at)
        at = _behind(text, _skip(text, end), ":")
        if _is_list_of_objects(text, at):
            if others:
                yield JsonRecord(start, others)
                others = Members()
            end = yield from _elements(text, at, str(key))
        else:
            value, end = DECODER.raw_decode(text, at)
            others.append((str(key), value))
        at = _skip(text, end)
        if text.startswith("}", at):
            if others:
                yield JsonRecord(start, others)
            return at + 1
        at = _behind(text, at, ",")


def _is_list_of_objects(text: str, at: int) -> bool:
    return text.startswith("[", at) and text.startswith("{", _skip(text, at + 1))


def _behind(text: str, at: int, mark: str) -> int:
    if not text.startswith(mark, at):
        raise JSONDecodeError(f"Expecting '{mark}'", text, at)
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    end = len(text)
    while at < end and text[at] in SPACE:
        at += 1
    return at
