"""Shapes as JSON responses."""

from collections.abc import Mapping

from starlette.responses import Response

from schemas.shape import Shape


def json_reply(shape: Shape, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The wire form of a shape; what is None is left out."""
    return Response(shape.model_dump_json(exclude_none=True), status, headers, "application/json")
