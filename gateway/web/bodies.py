"""Request bodies and parameters: limited before they are read, cleaned once, parsed into a shape."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

from pydantic import ValidationError
from starlette.requests import Request
from starlette.types import Message

from gateway.web.problems import Problem
from schemas.bounds import MAX_SESSION_ID_CHARACTERS, valid_session_id
from schemas.shape import Shape

# The longest question in its longest JSON form: two escapes of six letters per character, and room for the rest.
MAX_JSON_BYTES = 160 * 1024

# C0 and C1 controls except tab and line feed, lone surrogates, and the two non-characters at the end of the BMP.
_UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s"';]+)""", re.IGNORECASE)
_UNPAIRED = re.compile(r"[\ud800-\udfff\ufffe\uffff]")

Body = TypeVar("Body", bound=Shape)


def clean(text: str) -> str:
    """Remove control characters, end lines with a line feed, and replace surrogates and non-characters by U+FFFD."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNPAIRED.sub("\N{REPLACEMENT CHARACTER}", _UNWANTED.sub("", lines))


def cleaned(value: Any) -> Any:
    """A JSON value with every string in it cleaned."""
    match value:
        case str():
            return clean(value)
        case dict():
            return {clean(key): cleaned(item) for key, item in value.items()}
        case list():
            return [cleaned(item) for item in value]
        case _:
            return value


def limited(request: Request, max_bytes: int) -> Callable[[], Awaitable[Message]]:
    """The request's `receive`, which raises a 413 `Problem` once more than `max_bytes` have arrived.

    Raises `Problem`: 415 for a body that is compressed or in another charset.
    """
    _require_plain(request)
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:15]) > max_bytes:
        raise _too_large(max_bytes)
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > max_bytes:
            raise _too_large(max_bytes)
        return message

    return receive


async def read(request: Request, shape: type[Body]) -> Body:
    """The JSON body. Raises `Problem`: 413 too large, 415 compressed, 400 no JSON, 422 not of this shape."""
    body = await Request(request.scope, limited(request, MAX_JSON_BYTES)).body()
    if not body.strip():
        body = b"{}"
    try:
        # The standard parser accepts lone surrogates, which are then cleaned instead of refused.
        value = json.loads(_text(body))
    except (ValueError, RecursionError) as error:
        raise Problem(400, "The body is not JSON: check its quotes and commas.", slug="malformed-json") from error
    _require_clean_session_id(value)
    return parse(cleaned(value), shape)


def _text(body: bytes) -> str:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8() from error
    # JSON contains no NUL; UTF-16 without a byte order mark does.
    if "\0" in text:
        raise _not_utf8()
    return text


def _not_utf8() -> Problem:
    return Problem(400, "The body is not UTF-8: encode it so.", slug="not-utf-8")


def _require_plain(request: Request) -> None:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise Problem(415, f"Bodies are taken as they are: send this one without Content-Encoding {encoding[:20]}.")
    charset = _CHARSET.search(request.headers.get("content-type", ""))
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Problem(415, f"Bodies are taken in UTF-8: send this one so, not in {charset[1][:20]}.")


def _require_clean_session_id(value: Any) -> None:
    # Not cleaned: two ids could become one.
    if isinstance(value, dict) and isinstance(name := value.get("sessionId"), str) and clean(name) != name:
        raise _invalid_session_id()


def _invalid_session_id() -> Problem:
    return Problem(422, "A session id holds no control characters: choose another one.")


def parse(value: Any, shape: type[Body]) -> Body:
    """The value as a shape. Raises `Problem` 422, which names every invalid field."""
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        raise Problem(422, _sentence(error)) from error


def session_id(request: Request) -> str:
    """The session id of the path. Raises `Problem` 422."""
    name: str = request.path_params["session_id"]
    if not 0 < len(name) <= MAX_SESSION_ID_CHARACTERS:
        raise Problem(422, f"A session id has 1 to {MAX_SESSION_ID_CHARACTERS} characters.")
    if clean(name) != name:
        raise _invalid_session_id()
    try:
        return valid_session_id(name)
    except ValueError as error:
        raise Problem(422, f"sessionId: {error}.") from error


def message_id(request: Request) -> UUID:
    """The message id of the path. Raises `Problem` 404 if it is no UUID, 422 if it is not in canonical form."""
    text = request.path_params["message_id"]
    try:
        name = UUID(text)
    except ValueError as error:
        raise Problem(404, "There is no such message: its id is a UUID.") from error
    if str(name) != text:
        raise Problem(422, f"Send the message's id as all events carry it: {name}.")
    return name


def number(request: Request, name: str, default: int, highest: int) -> int:
    """A whole number of the query, at most `highest`: a larger one is reduced to it. Raises `Problem` 422."""
    text = request.query_params.get(name, "")
    if text and not (text.isascii() and text.isdecimal()):
        raise Problem(422, f"{name} must be a whole number.")
    return min(int(text[:9]) if text else default, highest)


def _too_large(max_bytes: int) -> Problem:
    size = f"{max_bytes // 1024**2} MB" if max_bytes >= 1024**2 else f"{max_bytes // 1024} KB"
    return Problem(413, f"The body is larger than {size}: send less.", headers={"connection": "close"})


def _sentence(error: ValidationError) -> str:
    sentences = (
        f"{'.'.join(map(str, detail['loc'])) or 'the body'}: {detail['msg']}"
        for detail in error.errors(include_url=False, include_input=False, include_context=False)
    )
    return "; ".join(sentences) + "."
