"""schemathesis sends the running gateway requests that `/openapi.json` allows, and many that it does not."""

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from uuid import uuid4

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck
from hypothesis import settings as bounds
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks

from gateway.openapi import document
from schemas.settings import Settings
from tests.support.gateway_running import ScriptedWorker, running_gateway
from tests.support.services import INTERNAL_SECRET

CASES = 20
ANSWER_SECONDS = 10
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.unsupported_method,
    openapi_checks.allow_header_conformance,
]
# Event streams never end by themselves; the session's stream also has a long-poll form.
ENDLESS = "/documents/{documentId}/events"

WHOLE = schemathesis.openapi.from_dict(document.document())
FACE = WHOLE.exclude(path=ENDLESS)
BOUNDS = bounds(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


# schemathesis draws from `random` itself.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")


@dataclass(frozen=True)
class Place:
    """A gateway in its own thread, and the headers of its callers."""

    url: str
    callers: dict[str, dict[str, str]]

    def ask(self, method, path, **options):
        """A request as the client's server, unless other headers are given."""
        options.setdefault("headers", self.callers["server"])
        return requests.request(method, self.url + path, timeout=ANSWER_SECONDS, **options)


@pytest.fixture(scope="module")
def place(services, tmp_path_factory):
    settings = Settings(
        kafka_bootstrap_servers=services.kafka_bootstrap_servers,
        database_url=services.database_url,
        redis_url=services.redis_url,
        qdrant_url=str(tmp_path_factory.mktemp("qdrant")),
        uploads_url=tmp_path_factory.mktemp("uploads").as_uri(),
        internal_secret=INTERNAL_SECRET,
        metrics_port=0,
    )
    opened, leave = Future(), threading.Event()
    thread = threading.Thread(target=asyncio.run, args=(_serve(settings, opened, leave),))
    thread.start()
    try:
        yield opened.result(timeout=60)
    finally:
        leave.set()
        thread.join(timeout=30)


async def _serve(settings, opened, leave):
    try:
        async with running_gateway(settings) as running, ScriptedWorker(settings):
            name = f"face-{uuid4().hex}"
            keys = await running.seed(name, "*")
            callers = {
                "server": {"authorization": f"Bearer {keys.secret}"},
                "page": {"x-api-key": keys.publishable, "origin": "https://shop.example"},
                "part": {"x-internal-secret": INTERNAL_SECRET, "x-client-id": name},
            }
            opened.set_result(Place(running.url, callers))
            await asyncio.to_thread(leave.wait)
    except BaseException as failure:
        if not opened.done():
            opened.set_exception(failure)
        raise


CREDENTIALS = {"authorization", "x-api-key", "x-internal-secret", "x-client-id", "origin", "accept"}


@pytest.mark.parametrize("caller", ["server", "page", "part"])
@FACE.parametrize()
@BOUNDS
def test_every_response_is_one_that_the_document_describes(case, place, caller):
    headers = {"accept": "application/json", **place.callers[caller]}
    case.headers = {name: value for name, value in (case.headers or {}).items() if name.lower() not in CREDENTIALS}
    params = {"wait": "0"} if case.path.endswith("/events") else None
    response = case.call(place.url, headers=headers, params=params, timeout=ANSWER_SECONDS)
    case.validate_response(response, checks=CHECKS)


def test_existing_resources_are_answered_as_the_document_describes(place):
    """Covers what invented ids cannot reach: a session with messages, and a document."""
    asked = place.ask("POST", "/chat", json={"message": "Why?", "sessionId": "of/the face"}).json()
    uploaded = place.ask("POST", "/process-document", files={"file": ("a.txt", b"Text.")}).json()
    session, document = {"sessionId": "of/the face"}, {"documentId": uploaded["id"]}
    polled = {**place.callers["server"], "accept": "application/json"}
    long_poll = {"after": "from the beginning", "wait": "0"}
    for status, path, method, options in (
        (200, "/sessions/{sessionId}/events", "GET", {"path_parameters": session, "query": long_poll}),
        (200, "/sessions/{sessionId}/messages", "GET", {"path_parameters": session}),
        (202, "/chat/{messageId}/cancel", "POST", {"path_parameters": {"messageId": asked["messageId"]}, "body": {}}),
        (200, "/documents", "GET", {}),
        (200, "/documents/{documentId}", "GET", {"path_parameters": document}),
        (200, "/documents/{documentId}/status", "GET", {"path_parameters": document}),
        (202, "/documents/{documentId}/retry", "POST", {"path_parameters": document}),
        (202, "/documents/{documentId}", "DELETE", {"path_parameters": document}),
        (409, "/documents/{documentId}/retry", "POST", {"path_parameters": document}),
        # This stream ends at once: the document is deleted.
        (200, ENDLESS, "GET", {"path_parameters": document}),
    ):
        case = WHOLE[path][method].Case(**options, media_type="application/json" if "body" in options else None)
        response = case.call(place.url, headers=polled, timeout=ANSWER_SECONDS)
        assert response.status_code == status, (path, response.text)
        assert not long_poll.keys() <= (case.query or {}).keys() or response.json()["events"]
        case.validate_response(response, checks=CHECKS)


def test_a_path_with_an_extra_slash_is_not_found(place):
    response = place.ask("GET", "/documents/", headers=place.callers["server"])

    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")


def test_routes_documented_with_limit_headers_send_them(place):
    for method, path in (("GET", "/documents"), ("GET", "/documents/none"), ("POST", "/chat/stream")):
        response = place.ask(method, path, headers=place.callers["server"])
        assert {"ratelimit", "ratelimit-policy"} <= response.headers.keys()


@pytest.mark.parametrize(
    "path",
    [
        "/sessions/s/messages?before=0001-01-01T00:00:00%2B14:00",
        "/sessions/s/messages?before=9999-12-31T23:59:59-14:00",
        "/sessions/s/messages?before=1e300",
        "/sessions/%00/messages",
        "/sessions/%ED%A0%80/messages",
        "/sessions/s/events?wait=0&after=%00",
        "/documents/%00",
        "/documents/%ED%A0%80/events",
    ],
)
def test_edge_values_cause_no_server_error(place, path):
    headers = {**place.callers["server"], "accept": "application/json"}

    assert place.ask("GET", path, headers=headers).status_code in (200, 404, 422)


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": b"Bearer \xe9"},
        {"authorization": b"Bearer a.b.c"},
        {"authorization": b"Bearer sk_\xff"},
        {"authorization": b"Bearer"},
        {"x-api-key": b"\xe9"},
        {"x-internal-secret": b"\xe9", "x-client-id": b"\xe9"},
    ],
)
def test_credentials_of_any_bytes_are_refused(place, headers):
    # From a separate address: earlier tests have used up the failed attempts of theirs.
    sent = headers | {"x-forwarded-for": b"192.0.2.7"}
    assert place.ask("GET", "/documents", headers=sent).status_code == 401


@pytest.mark.parametrize("path", sorted(document.document()["paths"]))
def test_methods_that_a_path_does_not_know_are_refused_with_those_it_knows(place, path):
    known = {method.upper() for method in document.document()["paths"][path]}
    response = requests.request("PATCH", place.url + path, timeout=ANSWER_SECONDS)

    assert response.status_code == 405
    assert response.headers["content-type"] == "application/problem+json"
    assert set(response.headers["allow"].split(", ")) - {"HEAD"} == known
