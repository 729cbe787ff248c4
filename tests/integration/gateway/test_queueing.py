"""Waiting is reported, and too long a wait is refused with Retry-After (G9)."""

from time import monotonic
from uuid import uuid4

import pytest

from gateway.app import GatewayTiming
from gateway.replay.waiting_lines import MAX_WAIT_SECONDS
from gateway.streaming.timing import StreamTiming
from tests.support.gateway_running import ScriptedWorker, events_of, running_gateway


class Clock:
    """The gateway's clock, which a test can put ahead."""

    def __init__(self):
        self.ahead_seconds = 0.0

    def __call__(self):
        return monotonic() + self.ahead_seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def running(own, clock):
    timing = GatewayTiming(clock=clock, streams=StreamTiming(queued_every_seconds=0.3))
    async with running_gateway(own, timing=timing) as running:
        yield running


def as_server(keys):
    return {"authorization": f"Bearer {keys.secret}"}


async def test_a_question_that_nobody_answers_gets_its_position_and_later_its_answer(running, own):
    keys, received = await running.seed(f"c-{uuid4().hex}"), []
    body = {"message": "first", "sessionId": uuid4().hex, "messageId": str(uuid4())}
    async with running.http.stream("POST", "/chat/stream", headers=as_server(keys), json=body) as response:

        def is_second_queued(event, data):
            received.append((event, data))
            return [name for name, _ in received].count("queued") == 2

        await events_of(response, is_second_queued)
        assert [name for name, _ in received] == ["accepted", "queued", "queued"]
        for _, data in received[1:]:
            assert data["messageId"] == body["messageId"]
            assert data["position"] == 1
            assert data["expectedWaitSeconds"] >= 1.5
    async with ScriptedWorker(own, since_minutes=1):
        answered = await running.http.post("/chat", headers=as_server(keys), json=body)
    assert answered.json()["reply"].strip() == "You asked: first"


async def test_a_session_stream_reports_the_wait_of_questions_asked_meanwhile(running):
    keys, session = await running.seed(f"c-{uuid4().hex}"), uuid4().hex
    async with running.http.stream("GET", f"/sessions/{session}/events", headers=as_server(keys)) as response:
        asked = await running.http.post(
            "/chat",
            headers={**as_server(keys), "prefer": "respond-async"},
            json={"message": "x", "sessionId": session},
        )
        found = await events_of(response, lambda event, _: event == "queued")

    assert found[-1][1]["messageId"] == asked.json()["messageId"]


async def test_a_hopeless_wait_is_refused_with_the_time_to_come_back(running, clock):
    keys = await running.seed(f"c-{uuid4().hex}")
    headers = {**as_server(keys), "prefer": "respond-async"}

    async def ask():
        return await running.http.post("/chat", headers=headers, json={"message": "x"})

    assert (await ask()).status_code == 202
    clock.ahead_seconds = MAX_WAIT_SECONDS["free"] + 1
    assert (await ask()).status_code == 202, "one question is accepted as a probe"
    refused = await ask()

    assert refused.status_code == 503
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"].endswith("overloaded")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert (await running.http.get("/health/live")).status_code == 200
