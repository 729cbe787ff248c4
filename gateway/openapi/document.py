"""GET /openapi.json: OpenAPI 3.1, made of `gateway.openapi.operations` and the shapes."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response

from gateway.openapi.operation import JSON, Body, Events, Operation, Parameter, Reply
from gateway.openapi.operations import OPERATIONS
from gateway.web.problems import MEDIA_TYPE, TITLES
from schemas.http import ProblemDocument
from schemas.shape import Shape
from schemas.sse import EVENTS, WireSchema

TEMPLATE = "#/components/schemas/{model}"
SCHEMES = {
    "publishableKey": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "`pk_…`, from pages of the client's own origins. Opens new sessions.",
    },
    "ticket": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A visitor's, from the first answer to a publishable key. Opens only its session.",
    },
    "secretKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "`sk_…`, from the client's own server. Refused from a page.",
    },
    "internalSecret": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Internal-Secret",
        "description": "Shared by the services of this system.",
    },
    "clientId": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Client-Id",
        "description": "The client that the service acts for.",
    },
}
FAILED = 400
RETRY_AFTER = {"Retry-After": "Seconds to wait before the next try."}
RATE_LIMIT = {
    "RateLimit": "The nearest limit: requests left (`r`), and seconds until there are more (`t`).",
    "RateLimit-Policy": "Every limit that applies: requests (`q`) in a window of seconds (`w`).",
}


async def show(_: Request) -> Response:
    """GET /openapi.json."""
    return Response(_encoded(), media_type=JSON)


@cache
def _encoded() -> bytes:
    return json.dumps(document(), ensure_ascii=False).encode()


def document() -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        method, _, path = operation.route.partition(" ")
        paths.setdefault(path, {})[method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ChatConnect",
            "version": version("chatconnect"),
            "description": "Streamed, sourced answers from a client's own documents. HEAD works wherever GET does.",
        },
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": SCHEMES},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _name(operation.route),
        "summary": operation.summary,
        "security": [{scheme: [] for scheme in schemes} for schemes in operation.security],
        "responses": {
            **{str(status): _reply(status, reply) for status, reply in operation.replies.items()},
            **{str(status): _refusal(status) for status in operation.refusals},
        },
    }
    if operation.parameters:
        described["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    if operation.body:
        described["requestBody"] = {"required": operation.is_body_required, "content": _content(operation.body)}
    return described


def _name(route: str) -> str:
    """`POST /chat/{messageId}/cancel` is `postChatMessageIdCancel`."""
    method, *words = "".join(letter if letter.isalnum() else " " for letter in route).split()
    return method.lower() + "".join(word[0].upper() + word[1:] for word in words)


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.location,
        "required": parameter.location == "path",
        "description": parameter.text,
        "schema": parameter.schema,
    }


def _reply(status: int, reply: Reply) -> dict[str, Any]:
    headers = {**reply.headers, **(RATE_LIMIT if status < FAILED else {})}
    return {"description": reply.text, "headers": _headers(headers), "content": _content(reply.content)}


def _refusal(status: int) -> dict[str, Any]:
    headers = {**(RETRY_AFTER if status in (429, 503) else {}), **(RATE_LIMIT if status == 429 else {})}
    return {
        "description": TITLES[status][1],
        "headers": _headers(headers),
        "content": _content({MEDIA_TYPE: ProblemDocument}),
    }


def _headers(headers: Mapping[str, str]) -> dict[str, Any]:
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()}


def _content(content: Mapping[str, Body]) -> dict[str, Any]:
    return {media_type: {"schema": _schema(body)} for media_type, body in content.items()}


def _schema(body: Body) -> Mapping[str, Any]:
    match body:
        case Events():
            return {"oneOf": [_event(name) for name in body.names]}
        case type():
            return _reference(body)
        case _:
            return body


def _event(name: str) -> dict[str, Any]:
    data = {"type": "string", "contentMediaType": JSON, "contentSchema": _reference(EVENTS[name])}
    event_id = {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"}
    properties = {"event": {"const": name}, "data": data, "id": event_id}
    return {"type": "object", "properties": properties, "required": ["event", "data"]}


def _reference(shape: type[Shape]) -> dict[str, str]:
    return {"$ref": TEMPLATE.format(model=shape.__name__)}


def _schemas() -> dict[str, Any]:
    accepted: set[type[Shape]] = set()
    returned: set[type[Shape]] = {ProblemDocument}
    for operation in OPERATIONS:
        accepted.update(_shapes(operation.body))
        for reply in operation.replies.values():
            returned.update(_shapes(reply.content))
    _, requests = models_json_schema([(shape, "validation") for shape in accepted], ref_template=TEMPLATE)
    _, replies = models_json_schema(
        [(shape, "serialization") for shape in returned], ref_template=TEMPLATE, schema_generator=WireSchema
    )
    return {**requests["$defs"], **replies["$defs"]}


def _shapes(content: Mapping[str, Body]) -> Iterator[type[Shape]]:
    for body in content.values():
        if isinstance(body, Events):
            yield from (EVENTS[name] for name in body.names)
        elif isinstance(body, type):
            yield body
