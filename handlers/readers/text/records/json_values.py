"""JSON values as they are written: numbers keep their digits, both values of a key that stands twice are kept."""

import json
import re
from collections.abc import Iterator
from typing import Any

SPACE = re.compile(r"[ \t\n\r]*")
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|["\[\]{}]', re.DOTALL)
# A record that is longer is taken apart, so that it is never in memory as objects.
LARGE_CHARACTERS = 8_000
# Longer texts of a list are sentences and no enumeration.
LISTED_CHARACTERS = 60


class Members(list[tuple[str, Any]]):
    """The members of an object, in order."""


DECODER = json.JSONDecoder(object_pairs_hook=Members, parse_int=str, parse_float=str, parse_constant=str, strict=False)


def skip_space(text: str, at: int) -> int:
    """The next character that is no white space."""
    found = SPACE.match(text, at)
    return found.end() if found else at


def is_large(text: str, at: int) -> bool:
    """Whether the object or array that begins here is large, found without decoding it."""
    depth = 0
    for token in TOKEN.finditer(text, at, at + LARGE_CHARACTERS):
        if token[0] == '"':
            # A string that ends behind the limit.
            return True
        depth += (token[0] in "[{") - (token[0] in "]}")
        if not depth:
            return False
    return True


def has_scalar(value: Members) -> bool:
    """Whether the object says something itself, besides the objects in it."""
    return any(is_scalar(member) or is_row(member) for _, member in value)


def has_records(value: Members) -> bool:
    """Whether the object is no mere part of the one around it: it has a list of objects, or nothing but objects."""
    return any(map(_has_objects, value)) or not has_scalar(value)


def _has_objects(member: tuple[str, Any]) -> bool:
    value = member[1]
    if isinstance(value, Members):
        return any(map(_has_objects, value))
    return isinstance(value, list) and sum(isinstance(one, Members) for one in value) > 1


def is_scalar(value: Any) -> bool:
    """A string, a number, `true`, `false` or `null`."""
    return not isinstance(value, list)


def is_row(value: Any) -> bool:
    """A list of scalars, which an object is not."""
    return isinstance(value, list) and not isinstance(value, Members) and all(map(is_scalar, value))


def flattened(value: Any, name: str = "") -> Iterator[str]:
    """Pairs `stock.Bergen: 7`, `tags: a, b`, `people[2].name: Ada`; empty values have none."""
    if isinstance(value, Members):
        for key, member in value:
            yield from flattened(member, f"{name}.{key}" if name else key)
    elif isinstance(value, list) and not is_row(value):
        for number, one in enumerate(value, 1):
            yield from flattened(one, f"{name}[{number}]")
    else:
        texts = list(filter(None, map(shown, value if isinstance(value, list) else [value])))
        is_short = all(len(text) <= LISTED_CHARACTERS for text in texts)
        for text in [", ".join(texts)] if is_short and texts else texts:
            yield f"{name}: {text}" if name else text


def shown(value: Any) -> str:
    """A scalar as text."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).strip()
