import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.testclient import TestClient

from gateway.web import bodies, problems
from gateway.web.cors import Cors
from gateway.web.prefer import MAX_WAIT_SECONDS, preference
from gateway.web.problems import Problem
from schemas.failures import PermanentError
from schemas.http import ChatRequest
from streams.publisher import PublishError


def client_of(endpoint):
    app = Starlette(
        routes=[Route("/", endpoint, methods=["POST"])],
        exception_handlers={
            Problem: problems.on_problem,
            HTTPException: problems.on_http_exception,
            PermanentError: problems.on_permanent,
            PublishError: problems.on_log_down,
            OSError: problems.on_store_down,
            Exception: problems.on_defect,
        },
    )
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (Problem(403, "No."), 403, "forbidden"),
        (Problem(401, "No.", slug="ticket-invalid"), 401, "ticket-invalid"),
        (PermanentError("Taken.", code="external_id_taken"), 409, "external-id-taken"),
        (PublishError("late"), 503, "unavailable"),
        (ConnectionRefusedError(), 503, "unavailable"),
        (HTTPException(400, "bad form"), 400, "bad-request"),
        (HTTPException(418), 400, "bad-request"),
        (ZeroDivisionError(), 500, "internal"),
    ],
)
def test_every_refusal_is_a_problem_document(error, status, slug):
    async def endpoint(_):
        raise error

    response = client_of(endpoint).post("/")

    document = response.json()
    assert response.status_code == document["status"] == status
    assert response.headers["content-type"] == "application/problem+json"
    assert document["type"] == f"urn:chatconnect:problem:{slug}"
    assert document["title"]
    assert document["detail"]
    assert (status == 503) == ("retry-after" in response.headers)


def test_unknown_paths_and_methods_are_problems_too():
    client = client_of(lambda _: None)

    assert client.get("/nowhere").json()["type"] == "urn:chatconnect:problem:not-found"
    wrong = client.get("/")
    assert wrong.json()["type"] == "urn:chatconnect:problem:method-not-allowed"
    assert wrong.headers["allow"] == "POST"


@given(st.text(alphabet=st.characters(), max_size=200))
def test_cleaned_text_can_be_stored_and_sent(text):
    clean = bodies.clean(text)

    clean.encode()
    assert not any(ord(character) < 32 and character not in "\n\t" for character in clean)
    assert bodies.clean(clean) == clean


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("a\0b", "ab"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("tab\there", "tab\there"),
        ("\x1b[31mred", "[31mred"),
        ("\ud83d", "\ufffd"),
        ("日本 \N{GRINNING FACE}", "日本 \N{GRINNING FACE}"),
        ("family \N{ZERO WIDTH JOINER}", "family \N{ZERO WIDTH JOINER}"),
    ],
)
def test_text_is_cleaned(raw, clean):
    assert bodies.clean(raw) == clean


def test_lone_surrogates_in_json_are_cleaned_and_not_refused():
    async def endpoint(request):
        body = await bodies.read(request, ChatRequest)
        return problems.render(Problem(400, body.message))

    response = client_of(endpoint).post("/", content=rb'{"message": "a\ud800b \ud83d\ude00"}')

    assert response.json()["detail"] == "a\ufffdb \N{GRINNING FACE}"


def test_a_body_without_an_announced_length_is_bounded_too():
    async def endpoint(request):
        await bodies.read(request, ChatRequest)

    def chunks():
        for _ in range(100):
            yield b" " * 10_000

    assert client_of(endpoint).post("/", content=chunks()).status_code == 413


@pytest.mark.parametrize(
    ("headers", "seconds", "applied"),
    [
        ([], MAX_WAIT_SECONDS, None),
        (["respond-async"], 0, "respond-async"),
        (["wait=5, respond-async"], 0, "respond-async"),
        (["WAIT = 7"], 7, "wait=7"),
        (['wait="9"; note=x'], 9, "wait=9"),
        (["wait=100000"], MAX_WAIT_SECONDS, f"wait={MAX_WAIT_SECONDS}"),
        (["wait=-1", "wait=x", "handling=lenient"], MAX_WAIT_SECONDS, None),
        (["handling=lenient", "wait=0"], 0, "wait=0"),
    ],
)
def test_the_prefer_header_sets_the_wait(headers, seconds, applied):
    wish = preference(headers)

    assert (wish.wait_seconds, wish.applied) == (seconds, applied)


def test_a_preflight_is_answered_with_what_a_resuming_page_needs():
    async def never(*_):
        raise AssertionError

    response = TestClient(Cors(never)).options(
        "/chat/stream", headers={"origin": "https://shop.example", "access-control-request-method": "POST"}
    )

    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == "https://shop.example"
    allowed = response.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in ("last-event-id", "idempotency-key", "x-api-key", "authorization", "prefer"))
    assert "access-control-allow-credentials" not in response.headers


def test_problem_documents_have_the_members_of_the_standard():
    document = json.loads(problems.render(Problem(404, "Gone.")).body)

    assert set(document) == {"type", "title", "status", "detail"}
