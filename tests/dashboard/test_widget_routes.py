"""What the widget calls, with real Kafka, gateway and worker; the model is a mock."""

import asyncio
import json
import time
from uuid import uuid4

import httpx
import pytest

from chatconnect.client.sse_parser import SseParser
from schemas.settings import Settings
from stores.postgres.clients import Client, Clients
from stores.postgres.database import create_engine
from tests.dashboard.conftest import Dashboard
from tests.faults.conftest import question
from tests.support import processes
from tests.support.model_server import expected

JSON = {"accept": "application/json"}


@pytest.fixture
def key(site):
    return {"x-api-key": site.keys.publishable}


async def test_the_briefs_own_request_is_answered_each_time(http, key):
    """`sessionId` is a name that anybody may choose."""
    config = await http.get("/api/widget/config", headers=key)
    assert config.json()["gatewayUrl"].startswith("http://127.0.0.1:")
    for name in ("a1", "a2"):
        body = {"message": question(name), "sessionId": "test-uuid"}
        response = await http.post("/api/widget/chat", json=body, headers=key)

        answer = response.json()
        assert response.status_code == 200, answer
        assert answer["reply"] == expected(name, 20)
        assert answer["sources"]
        assert answer["finishReason"] == "stop"


async def test_a_stream_is_passed_on_until_its_answer_has_ended(http, key):
    body = {"message": question("b1"), "sessionId": str(uuid4())}
    parser, events = SseParser(), []
    headers = key | {"accept": "text/event-stream"}
    async with (
        asyncio.timeout(60),
        http.stream("POST", "/api/widget/chat/stream", json=body, headers=headers) as stream,
    ):
        assert stream.headers["content-type"] == "text/event-stream"
        async for chunk in stream.aiter_bytes():
            events += parser.feed(chunk)

    named = [(event.event, json.loads(event.data)) for event in events if event.data]
    assert named[-1][0] == "completed"
    assert "".join(data["text"] for name, data in named if name == "delta") == expected("b1", 20)


async def test_json_is_a_ticket_and_where_the_gateway_streams(http, key, site):
    body = {"message": question("c1"), "sessionId": str(uuid4())}
    response = await http.post("/api/widget/chat/stream", json=body, headers=key | JSON)
    given = response.json()

    assert response.status_code == 202
    assert given["sessionId"] == body["sessionId"]
    headers = {"authorization": f"Bearer {given['ticket']}"} | JSON
    async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False, timeout=60) as gateway:
        seen, after = [], ""
        while "completed" not in seen:
            page = (await gateway.get(f"{given['streamUrl']}?after={after}&wait=5", headers=headers)).json()
            seen += [event["event"] for event in page["events"] if event["data"]["messageId"] == given["messageId"]]
            after = page["next"]


async def test_a_question_may_be_repeated_and_its_session_goes_on_with_the_ticket(http, key):
    body = {"message": question("d1"), "sessionId": str(uuid4()), "messageId": str(uuid4())}
    first = await http.post("/api/widget/chat/stream", json=body, headers=key | JSON)
    again = await http.post("/api/widget/chat", json=body, headers=key)
    ticket = {"authorization": f"Bearer {first.json()['ticket']}"}
    following = await http.post("/api/widget/chat", json={"message": question("d2")}, headers=key | ticket)

    assert again.json()["messageId"] == body["messageId"]
    assert again.json()["reply"] == expected("d1", 20)
    assert following.json()["sessionId"] == body["sessionId"]


async def test_who_knows_a_session_but_has_no_ticket_of_it_gets_nothing(http, key):
    session = {"sessionId": str(uuid4())}
    await http.post("/api/widget/chat", json=session | {"message": question("e1")}, headers=key)
    for path in ("/api/widget/chat", "/api/widget/chat/stream"):
        stranger = await http.post(path, json=session | {"message": question("e2")}, headers=key)
        forged = await http.post(path, json={"message": "Hi"}, headers=key | {"authorization": "Bearer a.b.c"})

        assert (stranger.status_code, forged.status_code) == (409, 401)


WRONG = (
    ({"message": ""}, {}, 422),
    ({"message": "x" * 8_001}, {}, 422),
    ({"message": "Hi", "messageId": "no-uuid"}, {}, 422),
    ({"message": "Hi"}, {"x-api-key": "pk_live_unknown"}, 401),
    ({"message": "Hi"}, {"x-api-key": ""}, 401),
)


async def test_what_is_wrong_is_a_problem_document(http, key, site):
    engine = create_engine(site.settings.database_url)
    shop = await Clients(engine).create(Client("shop", "Shop", "free", ("https://shop.example",)))
    await engine.dispose()
    elsewhere = ({"message": "Hi"}, {"x-api-key": shop.publishable, "origin": "https://evil.example"}, 401)
    for body, headers, status in (*WRONG, elsewhere):
        response = await http.post("/api/widget/chat", json=body, headers=key | headers)
        problem = response.json()

        assert response.status_code == problem["status"] == status
        assert response.headers["content-type"].startswith("application/problem+json")
        assert problem["detail"]
        assert response.headers["access-control-allow-origin"]
    broken = await http.post("/api/widget/chat", content=b"{", headers=key | {"content-type": "application/json"})
    unknown = await http.get("/api/widget/nothing")

    assert (broken.status_code, unknown.status_code) == (400, 404)


async def test_an_address_may_ask_sixty_questions_a_minute(http, key):
    for _ in range(60):
        assert (await http.post("/api/widget/chat", json={}, headers=key)).status_code == 422
    refused = await http.post("/api/widget/chat", json={}, headers=key)

    assert refused.status_code == refused.json()["status"] == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit-policy"].startswith('"address"; q=60; w=60')
    assert (await http.get("/api/widget/health")).status_code == 200


async def test_without_a_gateway_it_says_so_and_when_to_come_back(http, key, site):
    await site.parts["gateway"].kill()

    chat = await http.post("/api/widget/chat", json={"message": "Hi"}, headers=key)
    health = await http.get("/api/widget/health")

    assert (chat.status_code, health.status_code) == (503, 503)
    assert int(chat.headers["retry-after"]) >= 1


async def test_a_question_gets_503_within_three_seconds_and_the_next_one_is_answered(dashboard, site, installed):
    away = f"127.0.0.1:{processes.free_port()}"
    settings = Settings(**site.settings.model_dump() | {"kafka_bootstrap_servers": away})
    other = Dashboard(installed, settings, site.urls[0], site.folder / "away.log")
    site.parts["away"] = other
    await other.start()
    headers = {"x-api-key": site.keys.publishable}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        began = time.monotonic()
        refused = await http.post(f"{other.address}/api/widget/chat", json={"message": "Hi"}, headers=headers)
        took = time.monotonic() - began
        answered = await http.post(
            f"{dashboard.address}/api/widget/chat", json={"message": question("k1")}, headers=headers
        )

    assert refused.status_code == 503
    assert "Kafka" in refused.json()["detail"]
    assert refused.headers["retry-after"]
    assert took < 3.5
    assert answered.status_code == 200
