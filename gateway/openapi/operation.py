"""The description of one method of one path in `/openapi.json`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from schemas.shape import Shape

JSON = "application/json"
SSE = "text/event-stream"
TEXT = "text/plain"

Security = tuple[tuple[str, ...], ...]
"""Alternatives, each of which needs all of its schemes (`document.SCHEMES`)."""

ANYONE: Security = ()
INTERNAL: Security = (("internalSecret",),)
SERVERS: Security = (("secretKey",), ("internalSecret", "clientId"))
VISITORS: Security = (("ticket",),)
VISITORS_AND_SERVERS: Security = (*VISITORS, *SERVERS)
CALLERS: Security = (("publishableKey",), *VISITORS_AND_SERVERS)


@dataclass(frozen=True, slots=True)
class Events:
    """A stream of events with these names (`schemas.sse.EVENTS`)."""

    names: tuple[str, ...]


Body = type[Shape] | Events | Mapping[str, Any]
"""A shape, a stream, or a JSON Schema for anything else."""

STRING: Body = {"type": "string"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """Path parameters are required, others are not."""

    name: str
    location: Literal["path", "query", "header"]
    text: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True)
class Reply:
    """A response other than a problem; `headers` maps each name to its description."""

    text: str
    content: Mapping[str, Body]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """`route` is "METHOD /path". `problems` adds to the statuses that follow from security, body and path."""

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
        """Every status that is sent as a problem document, in order."""
        named = {429, 500, *self.problems}
        if self.security:
            named |= {401, 403, 503}
        if self.body:
            named |= {400, 413, 415, 422}
        # A session need not exist.
        if "{" in self.route and "{sessionId}" not in self.route:
            named.add(404)
        return sorted(named - self.replies.keys())
