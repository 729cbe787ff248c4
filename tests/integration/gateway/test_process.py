"""A gateway as a process, and what its health and metrics report."""

import asyncio
import signal
from datetime import timedelta
from uuid import uuid4

import httpx
import uvicorn

from gateway.server import DrainingServer
from gateway.web.drain import Drain
from schemas.events import ChatCancelled, ChatCompleted, ChatFeedback, Usage
from streams.codec import decode
from streams.reading.reader import LogReader
from streams.topics import CHAT_CANCELLED, CHAT_FEEDBACK
from tests.support.aiokafka_parts import consumer_of, reader_of
from tests.support.gateway_process import process, until_ready
from tests.support.gateway_running import SOURCE, ScriptedWorker, answer_of, running_gateway
from tests.support.patience import SECONDS
from tests.support.services import INTERNAL_SECRET


async def heard(own, topic, message_id):
    async with LogReader(own, topic) as reader:
        await reader.seek(timedelta(minutes=5))
        async for batch in reader.batches():
            for record in batch:
                if message_id.encode() in (record.value or b""):
                    return decode(topic, record)
    raise AssertionError


async def test_cancel_and_feedback_are_events_of_the_messages_session(running, own):
    name = f"c-{uuid4().hex}"
    await running.seed(name)
    server = {"authorization": f"Bearer sk_{name}"}

    async def begun(question):
        for event in answer_of(question, "never ends")[:-1]:
            yield event

    async with ScriptedWorker(own, begun):
        asked = (await running.http.post("/chat", headers={**server, "prefer": "wait=0"}, json={"message": "x"})).json()
        path = f"/chat/{asked['messageId']}"
        cancelled = await running.http.post(f"{path}/cancel", headers=server)
        rated = await running.http.post(f"{path}/feedback", headers=server, json={"rating": "up", "comment": "a\0b"})

    assert cancelled.status_code == rated.status_code == 202
    event = await heard(own, CHAT_CANCELLED, asked["messageId"])
    assert isinstance(event, ChatCancelled)
    assert (event.session_id, event.client_id) == (asked["sessionId"], name)
    event = await heard(own, CHAT_FEEDBACK, asked["messageId"])
    assert isinstance(event, ChatFeedback)
    assert (event.rating, event.comment) == ("up", "ab")


async def test_an_answer_that_is_only_in_the_database_is_found(running):
    name = f"c-{uuid4().hex}"
    await running.seed(name)
    server = {"authorization": f"Bearer sk_{name}"}
    message_ids = [str(uuid4()) for _ in range(3)]
    for number, message_id in enumerate(message_ids):
        asked_at = f"2026-01-0{number + 1}T10:00:00Z"
        await running.gateway.chat_logs.record(
            ChatCompleted(
                client_id=name,
                message_id=message_id,
                session_id="old",
                attempt=1,
                outcome="completed",
                question=f"q{number}",
                answer=f"a{number}",
                sources=[SOURCE],
                citations=[1],
                finish_reason="stop",
                provider="p",
                model="m",
                tier="free",
                usage=Usage(input_tokens=1),
                cost_usd=0,
                retrieval_ms=1,
                first_token_ms=1,
                answer_ms=1,
                requested_at=asked_at,
                completed_at=asked_at,
            )
        )

    poll = {**server, "accept": "application/json"}
    events = (await running.http.get("/sessions/old/events", params={"wait": 0}, headers=poll)).json()["events"]
    repeated = await running.http.post(
        "/chat", headers=server, json={"message": "q1", "sessionId": "old", "messageId": message_ids[1]}
    )
    first = (await running.http.get("/sessions/old/messages?limit=2", headers=server)).json()
    second = (
        await running.http.get("/sessions/old/messages", params={"limit": 2, "before": first["next"]}, headers=server)
    ).json()

    assert [(event["event"], event["data"]["text"], event["data"]["state"]) for event in events] == [
        ("snapshot", f"a{number}", "completed") for number in range(3)
    ]
    assert repeated.json()["reply"] == "a1"
    assert repeated.json()["sources"][0]["page"] == 3
    assert [message["question"] for message in first["messages"]] == ["q1", "q2"]
    assert [message["question"] for message in second["messages"]] == ["q0"]
    assert "next" not in second


async def test_parts_of_the_system_validate_keys_and_get_tickets(running):
    name = f"c-{uuid4().hex}"
    keys = await running.seed(name, "https://shop.example", tier="paid")
    internal = {"x-internal-secret": INTERNAL_SECRET}

    async def validate(**body):
        return (await running.http.post("/internal/validate-client", headers=internal, json=body)).json()

    good = await validate(apiKey=keys.publishable, origin="https://shop.example")
    assert (good["valid"], good["clientId"], good["tier"]) == (True, name, "paid")
    assert good["widget"]["widgetId"]
    assert await validate(apiKey=keys.publishable, origin="https://evil.example") == {"valid": False}
    assert await validate(apiKey="pk_unknown") == {"valid": False}
    ticket = await running.http.post("/internal/tickets", headers=internal, json={"clientId": name, "sessionId": "s"})
    visitor = {"authorization": f"Bearer {ticket.json()['ticket']}"}
    assert (await running.http.get("/sessions/s/messages", headers=visitor)).status_code == 200
    assert (await running.http.get("/sessions/t/messages", headers=visitor)).status_code == 403
    for path in ("/internal/validate-client", "/internal/tickets"):
        assert (await running.http.post(path, headers={"x-internal-secret": "guess"}, json={})).status_code == 401


async def test_health_and_metrics_report_the_state(running):
    health = await running.http.get("/health")
    body = health.json()
    assert health.status_code == 200
    assert body["status"] == "ok"
    assert {name: check["status"] for name, check in body["checks"].items()} == {
        "kafka": "ok", "postgres": "ok", "redis": "ok", "qdrant": "unknown", "models": "ok",
    }  # fmt: skip
    assert (await running.http.get("/health/live")).status_code == 200
    assert (await running.http.get("/health/ready")).status_code == 200
    metrics = (await running.http.get("/metrics")).text
    assert 'chatconnect_gateway_requests_total{route="health",status="200"}' in metrics
    running.gateway.drain.begin()
    assert (await running.http.get("/health/ready")).status_code == 503


async def test_without_redis_it_is_degraded_and_without_postgres_down(own):
    async with running_gateway(own.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})) as running:
        health = await running.http.get("/health")
        assert (health.status_code, health.json()["status"]) == (200, "degraded")
    lost = own.model_copy(update={"database_url": "postgresql://postgres@127.0.0.1:1/none"})
    async with running_gateway(lost) as running:
        health = await running.http.get("/health")
        assert (health.status_code, health.json()["status"]) == (503, "down")
        refused = await running.http.post("/chat", headers={"x-api-key": "pk_x"}, json={"message": "x"})
        assert refused.status_code == 503
        assert refused.json()["type"] == "urn:chatconnect:problem:unavailable"
        assert "retry-after" in refused.headers


async def test_sigterm_ends_streams_at_whole_events_and_then_the_process(own, engine, unused_tcp_port):
    async with running_gateway(own) as running:
        keys = await running.seed(f"c-{uuid4().hex}", "*")
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with process(own, unused_tcp_port) as gateway, httpx.AsyncClient(base_url=url, timeout=20) as http:
        await until_ready(http)
        headers = {"authorization": f"Bearer {keys.secret}"}
        async with http.stream("GET", f"/sessions/{uuid4().hex}/events", headers=headers) as response:
            body = response.aiter_bytes()
            received = await anext(body)
            gateway.send_signal(signal.SIGTERM)
            async with asyncio.timeout(8):
                async for chunk in body:
                    received += chunk
        async with asyncio.timeout(8):
            assert await gateway.wait() == 0

    assert received.endswith(b"\n\n")
    assert received.count(b"retry: ") == 2


async def test_a_second_signal_stops_at_once(own, unused_tcp_port):
    async with running_gateway(own) as running:
        keys = await running.seed(f"c-{uuid4().hex}", "*")
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with process(own, unused_tcp_port) as gateway, httpx.AsyncClient(base_url=url, timeout=20) as http:
        await until_ready(http)
        headers = {"authorization": f"Bearer {keys.secret}"}
        async with http.stream("GET", f"/sessions/{uuid4().hex}/events", headers=headers) as response:
            await anext(response.aiter_bytes())
            gateway.send_signal(signal.SIGINT)
            gateway.send_signal(signal.SIGTERM)
            async with asyncio.timeout(2):
                await gateway.wait()


async def test_a_signal_during_the_start_is_obeyed(own, unused_tcp_port):
    """Kafka accepts the connection and never answers."""
    called = asyncio.Event()

    async def hold(reader, writer):
        called.set()
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(hold, "127.0.0.1", 0)
    address = "127.0.0.1:{1}".format(*silent.sockets[0].getsockname())
    async with process(own.model_copy(update={"kafka_bootstrap_servers": address}), unused_tcp_port) as gateway:
        async with asyncio.timeout(SECONDS):
            await called.wait()
        gateway.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            assert await gateway.wait() == 128 + signal.SIGTERM
    silent.close()
    await silent.wait_closed()


async def test_a_start_that_cannot_succeed_fails(own, unused_tcp_port):
    lost = own.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
    async with process(lost, unused_tcp_port) as gateway, asyncio.timeout(SECONDS):
        assert await gateway.wait() != 0


async def test_a_port_in_use_ends_the_start_with_exit_code_1(own, unused_tcp_port):
    holder = await asyncio.start_server(lambda *_: None, "127.0.0.1", unused_tcp_port)
    async with holder, process(own, unused_tcp_port) as gateway, asyncio.timeout(SECONDS):
        assert await gateway.wait() == 1


async def test_the_process_ends_when_its_tail_dies(own):
    drain, died = Drain(), asyncio.Event()
    drain.on_begin(died.set)
    async with running_gateway(own, drain) as running:
        await consumer_of(reader_of(running.gateway)).stop()
        async with asyncio.timeout(SECONDS):
            await died.wait()
        assert (await running.http.get("/health/ready")).status_code == 503

    assert drain.failure is not None
    server = DrainingServer(uvicorn.Config("none", log_config=None), drain)
    assert await server.on_tick(0), "the process goes on without its tail"
