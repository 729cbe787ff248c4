from uuid import uuid4

import pytest

from tests.support.gateway_running import ScriptedWorker, events_of


@pytest.fixture
async def worker(settings):
    async with ScriptedWorker(settings) as worker:
        yield worker


@pytest.fixture
async def keys(running):
    return await running.seed(f"c-{uuid4().hex}", "*")


async def ask(running, key, path="/chat", message="Why?", **headers):
    return await running.http.post(path, headers={"idempotency-key": key, **headers}, json={"message": message})


async def test_a_servers_repeated_post_finds_the_first_answer(running, worker, keys):
    server = {"authorization": f"Bearer {keys.secret}"}
    first, again = [(await ask(running, '"order 7"', **server)).json() for _ in range(2)]
    other = (await ask(running, '"order 8"', **server)).json()

    assert first == again
    assert other["messageId"] != first["messageId"]
    assert len(worker.questions) == 2


async def test_a_pages_first_post_is_repeated_and_brings_its_ticket_again(running, worker, keys):
    page, key = {"x-api-key": keys.publishable, "origin": "https://shop.example"}, str(uuid4())
    first, again = [(await ask(running, key, **page)).json() for _ in range(2)]

    assert again["sessionId"] == first["sessionId"]
    assert again["messageId"] == first["messageId"] == key
    assert first["ticket"]
    assert again["ticket"]
    assert len(worker.questions) == 1


async def test_a_stream_attaches_to_the_question_already_asked(running, worker, keys):
    server = {"authorization": f"Bearer {keys.secret}"}
    first = (await ask(running, "k", **server)).json()
    events = await events_of(await ask(running, "k", "/chat/stream", **server))

    assert events[0][1]["messageId"] == first["messageId"]
    assert events[-1][1]["text"] == first["reply"]
    assert len(worker.questions) == 1


async def test_contradictory_names_are_refused_before_anything_is_asked(running, worker, keys):
    response = await running.http.post(
        "/chat",
        headers={"authorization": f"Bearer {keys.secret}", "idempotency-key": str(uuid4())},
        json={"message": "Why?", "messageId": str(uuid4())},
    )

    assert response.status_code == 422
    assert response.json()["detail"]
    assert not worker.questions
