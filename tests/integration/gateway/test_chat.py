import asyncio
import json
from uuid import uuid4

import pytest

from tests.support.gateway_running import ScriptedWorker, answer_of, events_of, running_gateway
from tests.support.patience import SECONDS


def text_of(events):
    """The text as a page assembles it: a snapshot replaces it, a delta appends."""
    text = ""
    for event, data, _ in events:
        text = data["text"] if event == "snapshot" else text + (data["text"] if event == "delta" else "")
    return text


def as_server(keys):
    return {"authorization": f"Bearer {keys.secret}"}


async def test_a_question_is_streamed_from_its_acceptance_to_its_end(running, own):
    keys = await running.seed(f"c-{uuid4().hex}", "*")
    async with ScriptedWorker(own) as worker:
        async with running.http.stream(
            "POST", "/chat/stream", headers={"x-api-key": keys.publishable}, json={"message": "is it so?"}
        ) as response:
            events = await events_of(response)

    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["x-accel-buffering"] == "no"
    names = [event for event, _, _ in events]
    assert names[:3] == ["accepted", "started", "sources"]
    assert names[-1] == "completed"
    assert text_of(events).strip() == "You asked: is it so?"
    assert [data["seq"] for event, data, _ in events if event != "accepted"] == list(range(len(events) - 1))
    assert events[0][1]["ticket"]
    assert len(worker.questions) == 1


async def test_a_waiting_caller_gets_the_whole_answer_as_json(running, own):
    keys = await running.seed(f"c-{uuid4().hex}")
    async with ScriptedWorker(own):
        response = await running.http.post("/chat", headers=as_server(keys), json={"message": "hello"})

    body = response.json()
    assert response.status_code == 200
    assert body["reply"].strip() == "You asked: hello"
    assert body["sources"][0]["documentId"] == "doc_1"
    assert body["finishReason"] == "stop"
    assert body["usage"]["inputTokens"] == 3
    assert "ticket" not in body


async def test_a_caller_who_does_not_wait_reads_the_session_stream(running, own):
    keys = await running.seed(f"c-{uuid4().hex}")
    session = uuid4().hex
    async with ScriptedWorker(own):
        response = await running.http.post(
            "/chat",
            headers={**as_server(keys), "prefer": "respond-async"},
            json={"message": "later", "sessionId": session},
        )
        assert response.status_code == 202
        assert response.headers["preference-applied"] == "respond-async"
        async with running.http.stream("GET", response.headers["location"], headers=as_server(keys)) as stream:
            events = await events_of(
                stream, lambda event, data: event == "completed" or data.get("state") == "completed"
            )

    assert text_of(events).strip() == "You asked: later"


async def test_wait_zero_is_202_and_the_repeated_post_gets_the_answer_without_asking_again(running, own):
    keys = await running.seed(f"c-{uuid4().hex}")
    body = {"message": "twice", "sessionId": uuid4().hex, "messageId": str(uuid4())}
    async with ScriptedWorker(own) as worker:
        first = await running.http.post("/chat", headers={**as_server(keys), "prefer": "wait=0"}, json=body)
        async with running.http.stream(
            "GET", f"/sessions/{body['sessionId']}/events", headers=as_server(keys)
        ) as stream:
            await events_of(stream, lambda event, data: event == "completed" or data.get("state") == "completed")
        again = await running.http.post("/chat", headers=as_server(keys), json=body)
        async with running.http.stream("POST", "/chat/stream", headers=as_server(keys), json=body) as stream:
            events = await events_of(stream)

    assert first.status_code == 202
    assert again.json()["reply"].strip() == "You asked: twice"
    assert [event for event, _, _ in events] == ["accepted", "snapshot"]
    assert events[1][1]["state"] == "completed"
    assert events[1][1]["text"].strip() == "You asked: twice"
    assert len(worker.questions) == 1


async def test_a_dropped_stream_is_resumed_without_loss_or_repetition(running, own):
    """The connection breaks after every second event and alternates between two instances."""
    keys = await running.seed(f"c-{uuid4().hex}")
    session = uuid4().hex
    text = " ".join(f"word{number}" for number in range(30))

    async def slowly(question):
        for event in answer_of(question, text):
            await asyncio.sleep(0.002)
            yield event

    seen, last_id = [], None
    async with ScriptedWorker(own, slowly), running_gateway(own) as other:
        posted = await running.http.post(
            "/chat",
            headers={**as_server(keys), "prefer": "respond-async"},
            json={"message": "long", "sessionId": session},
        )
        assert posted.status_code == 202
        for turn in range(100):
            http = (running, other)[turn % 2].http
            headers = {**as_server(keys), **({"last-event-id": last_id} if last_id else {})}
            count = 0

            def enough(event, data):
                nonlocal count
                count += 1
                return count == 2 or event == "completed"

            async with http.stream("GET", f"/sessions/{session}/events", headers=headers) as stream:
                found = await events_of(stream, enough)
            seen += found
            last_id = found[-1][2]
            if found[-1][0] == "completed" or found[-1][1].get("state") == "completed":
                break

    assert text_of(seen) == text + " "
    last = -1
    for event, _, event_id in seen:
        if event != "queued":
            offset = int(event_id.rsplit(".", 1)[1])
            # A lagging instance starts over with a snapshot, which replaces the text.
            assert event == "snapshot" or offset > last
            last = offset


async def test_long_poll_gives_the_same_events_and_the_next_place(running, own):
    keys = await running.seed(f"c-{uuid4().hex}")
    session, headers = uuid4().hex, {**as_server(keys), "accept": "application/json"}
    path = f"/sessions/{session}/events"
    empty = (await running.http.get(path, params={"wait": 0}, headers=headers)).json()
    assert empty["events"] == []
    async with ScriptedWorker(own):
        await running.http.post(
            "/chat",
            headers={**as_server(keys), "prefer": "respond-async"},
            json={"message": "poll", "sessionId": session},
        )
        events, after = [], empty["next"]
        while not events or events[-1]["event"] != "completed":
            page = (await running.http.get(path, params={"wait": 10, "after": after}, headers=headers)).json()
            events += page["events"]
            after = page["next"]
            if events and events[-1]["data"].get("state") == "completed":
                break

    texts = [event["data"]["text"] for event in events if event["event"] in ("delta", "snapshot")]
    assert "".join(texts).strip() == "You asked: poll"


async def test_a_visitor_continues_with_the_ticket_and_nobody_else_can(running, own):
    keys = await running.seed(f"c-{uuid4().hex}", "https://shop.example")
    page = {"x-api-key": keys.publishable, "origin": "https://shop.example"}
    body = {"message": "one", "sessionId": uuid4().hex, "messageId": str(uuid4())}
    async with ScriptedWorker(own):
        first = await running.http.post("/chat", headers=page, json=body)
        ticket = first.json()["ticket"]
        again = await running.http.post("/chat", headers=page, json={**body, "messageId": str(uuid4())})
        repeated = await running.http.post("/chat", headers=page, json=body)
        visitor = {"authorization": f"Bearer {ticket}", "origin": "https://shop.example"}
        second = await running.http.post("/chat", headers=visitor, json={**body, "messageId": None, "message": "two"})
        elsewhere = await running.http.post("/chat", headers=visitor, json={"message": "x", "sessionId": "another"})
        events = await running.http.get(f"/sessions/{body['sessionId']}/messages", headers=page)

    assert first.status_code == 200
    assert first.headers["access-control-allow-origin"] == "https://shop.example"
    assert again.status_code == 403
    assert again.json()["type"] == "urn:chatconnect:problem:ticket-needed"
    assert repeated.json()["reply"] == first.json()["reply"]
    assert second.json()["reply"].strip() == "You asked: two"
    assert elsewhere.status_code == 403
    assert events.status_code == 403


async def test_another_client_sees_nothing_of_a_session_with_the_same_name(running, own):
    ours, theirs = await running.seed(f"a-{uuid4().hex}"), await running.seed(f"b-{uuid4().hex}")
    body = {"message": "secret", "sessionId": uuid4().hex, "messageId": str(uuid4())}
    async with ScriptedWorker(own):
        await running.http.post("/chat", headers=as_server(ours), json=body)
    path = f"/sessions/{body['sessionId']}"
    polled = await running.http.get(
        f"{path}/events", params={"wait": 0}, headers={**as_server(theirs), "accept": "application/json"}
    )
    cancelled = await running.http.post(f"/chat/{body['messageId']}/cancel", headers=as_server(theirs))

    assert polled.json()["events"] == []
    assert (await running.http.get(f"{path}/messages", headers=as_server(theirs))).json() == {"messages": []}
    assert cancelled.status_code == 404


@pytest.mark.parametrize(
    ("content", "status", "slug"),
    [
        (b"{", 400, "malformed-json"),
        (b"[" * 20_000, 400, "malformed-json"),
        (b'{"message": "\\ud800', 400, "malformed-json"),
        (b'{"message": "  "}', 422, "invalid"),
        (b'{"message": "\\u0000\\u0001"}', 422, "invalid"),
        (b"{}", 422, "invalid"),
        (b"", 422, "invalid"),
        (b'{"message": "x", "messageId": "1"}', 422, "invalid"),
        (json.dumps({"message": "x" * 9_000}).encode(), 422, "invalid"),
        (json.dumps({"message": "x" * 1_000_000}).encode(), 413, "too-large"),
    ],
)
async def test_bad_bodies_are_refused_with_a_problem(running, content, status, slug):
    keys = await running.seed("bad-bodies")
    response = await running.http.post("/chat", headers=as_server(keys), content=content)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == f"urn:chatconnect:problem:{slug}"
    assert response.json()["detail"]


async def test_whatever_id_a_client_sends_it_is_answered_with_a_stream(running, own):
    keys = await running.seed(f"c-{uuid4().hex}")
    session = uuid4().hex
    for value in (b"\x00", b"x" * 8_000, b"\xff\xfe", b"epoch.1.2", b"-1", b"a:b", b""):
        async with asyncio.timeout(SECONDS):
            headers = [*as_server(keys).items(), ("last-event-id", value.replace(b"\x00", b"%00"))]
            async with running.http.stream("GET", f"/sessions/{session}/events", headers=headers) as response:
                assert response.status_code == 200
                first = await anext(response.aiter_bytes())
                assert first.startswith(b"retry: ")
