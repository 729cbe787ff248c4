import json
import re

import jsonschema_rs
import pytest
import schemathesis
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from gateway.openapi import document
from gateway.routes import ROUTES
from schemas import http, sse
from schemas.shape import Shape

DOCUMENT = document.document()
OPERATIONS = [
    (method.upper(), path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


def test_every_route_is_described_and_nothing_else():
    described = {(method, re.sub(r"{\w+}", "{}", path)) for method, path, _ in OPERATIONS}
    routed = {
        (method, re.sub(r"{[\w:]+}", "{}", route.path)) for route in ROUTES for method in route.methods - {"HEAD"}
    }

    assert described == routed


def test_every_name_in_a_path_is_a_parameter():
    for _, path, operation in OPERATIONS:
        named = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))


def test_operations_have_names_of_their_own():
    names = [operation["operationId"] for _, _, operation in OPERATIONS]

    assert len(set(names)) == len(names)


def test_every_reference_leads_somewhere():
    text = json.dumps(DOCUMENT)

    for name in re.findall(r'"#/components/schemas/([^"]+)"', text):
        assert name in DOCUMENT["components"]["schemas"]
    for _, _, operation in OPERATIONS:
        for together in operation["security"]:
            assert together.keys() <= DOCUMENT["components"]["securitySchemes"].keys()


def test_every_shape_of_the_http_api_is_described():
    of_no_document = {"DocumentFields", "DocumentPage", "HistoryPage"}
    shapes = {name for name, shape in vars(http).items() if isinstance(shape, type) and issubclass(shape, Shape)}

    assert shapes - of_no_document - {"Shape"} <= DOCUMENT["components"]["schemas"].keys()


def test_limit_headers_are_documented_for_success_and_429_only():
    for _, _, operation in OPERATIONS:
        telling = {
            int(status)
            for status, reply in operation["responses"].items()
            if {"RateLimit", "RateLimit-Policy"} <= reply["headers"].keys()
        }
        accepted = {int(status) for status in operation["responses"] if status < "300"}
        assert telling == (accepted | {429})


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_schema_is_valid(name):
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}

    jsonschema_rs.meta.validate(DOCUMENT["components"]["schemas"][name])
    jsonschema_rs.validator_for(schema)


def test_the_document_is_openapi():
    schema = schemathesis.openapi.from_dict(DOCUMENT)

    assert schema.specification.version == "3.1.0"
    assert len([result.ok() for result in schema.get_all_operations()]) == len(OPERATIONS)


def test_it_is_served():
    client = TestClient(Starlette(routes=[Route("/openapi.json", document.show)]))

    assert client.get("/openapi.json").json() == json.loads(json.dumps(DOCUMENT))


def test_every_stream_event_is_named_in_the_document():
    assert set(sse.EVENTS) <= set(re.findall(r'"const": "(\w+)"', json.dumps(DOCUMENT)))


@pytest.mark.parametrize("path", ["/chat", "/chat/stream"])
def test_a_message_of_another_session_is_a_documented_refusal(path):
    assert "409" in DOCUMENT["paths"][path]["post"]["responses"]
