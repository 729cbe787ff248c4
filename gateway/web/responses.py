"""Whole responses: shapes as JSON, and streams that have ended."""

from collections.abc import Mapping

from starlette.responses import Response

from gateway.web import sse
from schemas.shape import Shape


def json_reply(shape: Shape, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The wire form of a shape, without the fields that are None."""
    return Response(shape.model_dump_json(exclude_none=True), status, headers, "application/json")


def ended_stream(retry_ms: int) -> Response:
    """A stream that ends at once: a native `EventSource` reconnects after it; a 4xx or 503 would stop it for good."""
    headers = {name.decode(): value.decode() for name, value in sse.HEADERS}
    return Response(sse.retry(retry_ms), headers=headers)
