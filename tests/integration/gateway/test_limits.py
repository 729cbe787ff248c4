"""Limits with a real Redis, without Redis, and on a gateway that loses its Redis."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from chatconnect.embedded.redis import Redis
from gateway.admission.concurrency import STREAMS
from gateway.admission.rate_limits import ADDRESS, KNOWLEDGE, SESSION
from stores.rate_limits import limits as stored_limits
from stores.rate_limits.limits import LimitRequest, Limits, Policy
from tests.support.gateway_running import ScriptedWorker, events_of, running_gateway
from tests.support.patience import SECONDS
from tests.support.services import INTERNAL_SECRET

FIVE, NINE, MANY = Policy("five", 5), Policy("nine", 9), Policy("many", 1_000)
NO_REDIS = "redis://127.0.0.1:1/0"
PAGE = {"origin": "https://shop.example"}


@asynccontextmanager
async def limits_at(url, **options):
    limits = Limits(url, **options)
    try:
        yield limits
    finally:
        await limits.close()


def patient_limits_at(url):
    """With a longer deadline, so that a busy machine does not look like a dead Redis."""
    return limits_at(url, deadline_seconds=10)


@asynccontextmanager
async def own_redis(folder):
    redis = await Redis.start(folder / "redis", folder / "redis.log")
    try:
        yield redis
    finally:
        await redis.stop()


async def allowed(limits, client_id, *claims, times=20):
    return [(await limits.take(client_id, claims)).is_allowed for _ in range(times)].count(True)


async def test_two_instances_count_together(services):
    client_id = uuid4().hex
    async with patient_limits_at(services.redis_url) as one, patient_limits_at(services.redis_url) as other:
        statuses = [await (one, other)[turn % 2].take(client_id, [LimitRequest(FIVE)]) for turn in range(8)]
        assert one.is_shared
        assert other.is_shared

    assert [status.is_allowed for status in statuses] == [True] * 5 + [False] * 3
    assert [status.left for status in statuses] == [4, 3, 2, 1, 0, 0, 0, 0]
    assert all(0 < status.reset_seconds <= 120 for status in statuses)


async def test_many_at_once_are_counted_one_by_one(services):
    client_id = uuid4().hex
    async with patient_limits_at(services.redis_url) as one, patient_limits_at(services.redis_url) as other:
        taken = await asyncio.gather(
            *((one, other)[turn % 2].take(client_id, [LimitRequest(NINE)]) for turn in range(60))
        )
        assert one.is_shared

    assert sum(status.is_allowed for status in taken) == 9


@pytest.mark.parametrize("has_redis", [True, False])
async def test_clients_owners_and_policies_do_not_meet(services, has_redis):
    name = uuid4().hex
    async with patient_limits_at(services.redis_url if has_redis else NO_REDIS) as limits:
        assert await allowed(limits, name, LimitRequest(FIVE, "five/a")) == 5
        assert await allowed(limits, f"{name}/five", LimitRequest(FIVE, "a")) == 5
        assert await allowed(limits, f"{name}-other", LimitRequest(FIVE, "five/a")) == 5
        assert await allowed(limits, name, LimitRequest(NINE, "five/a")) == 9
        assert limits.is_shared == has_redis


@pytest.mark.parametrize("has_redis", [True, False])
async def test_requests_refused_by_the_narrow_limit_do_not_count_for_the_wide_one(services, has_redis):
    name = uuid4().hex
    async with patient_limits_at(services.redis_url if has_redis else NO_REDIS) as limits:
        assert await allowed(limits, name, LimitRequest(FIVE, "flooding"), LimitRequest(NINE)) == 5
        assert await allowed(limits, name, LimitRequest(FIVE, "quiet"), LimitRequest(NINE)) == 4


async def test_without_redis_the_process_counts_and_asks_again_after_a_while(tmp_path, monkeypatch):
    async with own_redis(tmp_path) as redis, limits_at(redis.url) as limits:
        assert await allowed(limits, "c", LimitRequest(FIVE), times=3) == 3
        os.kill(redis.process.pid, signal.SIGSTOP)
        try:
            began = asyncio.get_running_loop().time()
            assert await allowed(limits, "c", LimitRequest(FIVE)) == 2
            assert await allowed(limits, "c", LimitRequest(MANY), times=50) == 50
            # The calls share one deadline.
            assert asyncio.get_running_loop().time() - began < 1
            assert not limits.is_shared
        finally:
            os.kill(redis.process.pid, signal.SIGCONT)
        monkeypatch.setattr(stored_limits, "monotonic", lambda: float("inf"))
        assert await allowed(limits, "d", LimitRequest(FIVE)) == 5
        assert limits.is_shared


@pytest.fixture
async def own(settings, database_url):
    return settings.model_copy(update={"database_url": database_url})


async def test_a_visitor_is_told_the_remaining_quota_and_refused_with_retry_after(own):
    async with running_gateway(own) as running, ScriptedWorker(own):
        keys = await running.seed(f"c-{uuid4().hex}", "https://shop.example")
        first = await running.http.post("/chat", headers={**PAGE, "x-api-key": keys.publishable}, json={"message": "?"})
        body = {"message": "more", "sessionId": first.json()["sessionId"]}
        visitor = {**PAGE, "authorization": f"Bearer {first.json()['ticket']}", "prefer": "respond-async"}
        answers = [await running.http.post("/chat", headers=visitor, json=body) for _ in range(SESSION.per_minute + 1)]

    assert f'"address";q={ADDRESS.per_minute};w=60, "client";q=600;w=60' in first.headers["ratelimit-policy"]
    assert [answer.status_code for answer in answers] == [202] * SESSION.per_minute + [429]
    assert [answer.headers["ratelimit"].split(";t=")[0] for answer in answers[:3]] == [
        f'"session";r={SESSION.per_minute - taken}' for taken in (1, 2, 3)
    ]
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "urn:chatconnect:problem:rate-limited"
    assert "session" in refused.json()["detail"]
    assert 0 < int(refused.headers["retry-after"]) <= 120
    exposed = refused.headers["access-control-expose-headers"].split(", ")
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(exposed)


@pytest.fixture
def few_documents():
    usual = KNOWLEDGE.server
    object.__setattr__(KNOWLEDGE, "server", Policy("documents", 3))
    yield
    object.__setattr__(KNOWLEDGE, "server", usual)


@pytest.mark.usefixtures("few_documents")
async def test_requests_for_documents_are_counted_for_the_client(own):
    async with running_gateway(own) as running:
        servers = [await running.seed(f"c-{uuid4().hex}") for _ in range(2)]
        statuses = [
            [
                (await running.http.get("/documents", headers={"authorization": f"Bearer {keys.secret}"})).status_code
                for _ in range(4)
            ]
            for keys in servers
        ]

    assert statuses == [[200] * 3 + [429]] * 2


async def test_a_gateway_that_loses_redis_answers_and_reports_it_and_recovers(own, tmp_path):
    async with own_redis(tmp_path) as redis:
        mine = own.model_copy(update={"redis_url": redis.url})
        async with running_gateway(mine) as running, ScriptedWorker(mine):
            keys = await running.seed(f"c-{uuid4().hex}")
            server = {"authorization": f"Bearer {keys.secret}"}
            well = (await running.http.get("/health")).json()
            os.kill(redis.process.pid, signal.SIGSTOP)
            try:
                answer = await running.http.post("/chat", headers=server, json={"message": "alone"})
                ill = await running.http.get("/health")
            finally:
                os.kill(redis.process.pid, signal.SIGCONT)
            async with asyncio.timeout(SECONDS):
                while (again := (await running.http.get("/health")).json())["checks"]["redis"]["status"] != "ok":
                    await asyncio.sleep(0.05)

    assert well["checks"]["redis"] == {"status": "ok"}
    assert answer.status_code == 200
    assert answer.headers["ratelimit"].startswith('"server";r=')
    assert ill.status_code == 200
    assert ill.json()["status"] == "degraded"
    assert ill.json()["checks"]["redis"] == {"status": "down", "detail": "limits are kept per process"}
    assert again["checks"]["redis"] == {"status": "ok"}


async def test_a_session_has_a_limited_number_of_streams_and_a_closed_one_makes_room(own):
    async with running_gateway(own) as running:
        keys = await running.seed(f"c-{uuid4().hex}")
        client_id = (await running.gateway.clients.by_api_key(keys.secret))[0].client_id
        path, server = f"/sessions/{uuid4().hex}/events", {"authorization": f"Bearer {keys.secret}"}
        relayed = {"x-internal-secret": INTERNAL_SECRET, "x-client-id": client_id, "accept": "text/event-stream"}

        async def opened():
            request = running.http.build_request("GET", path, headers=server)
            return await running.http.send(request, stream=True)

        streams = [await opened() for _ in range(STREAMS.session)]
        assert [stream.status_code for stream in streams] == [200] * STREAMS.session
        refused = await running.http.get(path, headers=server)
        native = await running.http.get(path, headers=relayed)
        posted = await running.http.post(
            "/chat/stream", headers=server, json={"message": "?", "sessionId": path.split("/")[2]}
        )
        await streams.pop().aclose()
        async with asyncio.timeout(SECONDS):
            while (again := await opened()).status_code != 200:
                await again.aclose()
                await asyncio.sleep(0.01)
        for stream in [*streams, again]:
            await stream.aclose()
        async with asyncio.timeout(SECONDS):
            while len(running.gateway.admission.streams):
                await asyncio.sleep(0.01)

    assert refused.status_code == posted.status_code == 429
    assert refused.json()["type"] == "urn:chatconnect:problem:too-many-streams"
    assert 5 <= int(refused.headers["retry-after"]) <= 15
    assert native.status_code == 200
    assert native.text.startswith("retry: ")
    assert not len(running.gateway.admission.streams)
    assert await questions_of(running) == 0


async def questions_of(running):
    """The number of open questions: refused requests must not have asked any."""
    return len(running.gateway.questions)


async def test_a_streamed_answer_and_a_waiting_post_give_their_places_back(own):
    async with running_gateway(own) as running, ScriptedWorker(own):
        keys = await running.seed(f"c-{uuid4().hex}")
        server = {"authorization": f"Bearer {keys.secret}"}
        async with running.http.stream("POST", "/chat/stream", headers=server, json={"message": "a"}) as response:
            await events_of(response)
        waited = await running.http.post("/chat", headers=server, json={"message": "b"})
        broken = await running.http.post("/chat/stream", headers=server, content=b"{")
        async with asyncio.timeout(SECONDS):
            while len(running.gateway.admission.streams) or len(running.gateway.admission.waiting):
                await asyncio.sleep(0.01)

    assert waited.status_code == 200
    assert broken.status_code == 400
