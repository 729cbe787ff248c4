"""What `/openapi.json` says of one method of one path."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from schemas.shape import Shape

JSON = "application/json"
SSE = "text/event-stream"
TEXT = "text/plain"

Security = tuple[tuple[str, ...], ...]
"""Any of these, each of which needs all of its schemes (`openapi.SCHEMES`)."""

ANYONE: Security = ()
PARTS: Security = (("internalSecret",),)
SERVERS: Security = (("secretKey",), ("internalSecret", "clientId"))
VISITORS: Security = (("ticket",),)
HOLDERS: Security = (*VISITORS, *SERVERS)
CALLERS: Security = (("publishableKey",), *HOLDERS)


@dataclass(frozen=True, slots=True)
class Events:
    """A stream of events with these names (`schemas.sse.EVENTS`)."""

    names: tuple[str, ...]


Body = type[Shape] | Events | Mapping[str, Any]
"""A shape, a stream, or a JSON Schema where neither is."""

STRING: Body = {"type": "string"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """Path parameters are required, others are not."""

    name: str
    place: Literal["path", "query", "header"]
    text: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True)
class Reply:
    """A response that is no problem; `headers` are name and meaning."""

    text: str
    content: Mapping[str, Body]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """`route` is "METHOD /path". `problems` come on top of those that security, body and path bring with them."""

    route: str
    summary: str
    security: Security
    replies: Mapping[int, Reply]
    parameters: tuple[Parameter, ...] = ()
    body: Mapping[str, Body] = field(default_factory=dict)
    is_body_required: bool = True
    problems: tuple[int, ...] = ()

    @property
    def refusals(self) -> list[int]:
        """Every status that comes as a problem document, in order."""
        named = {429, 500, *self.problems}
        if self.security:
            named |= {401, 403, 503}
        if self.body:
            named |= {400, 413, 415, 422}
        # A session need not exist.
        if "{" in self.route and "{sessionId}" not in self.route:
            named.add(404)
        return sorted(named - self.replies.keys())
