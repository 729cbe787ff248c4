"""G6, the routes: a client that uses another client's ids learns nothing and changes nothing."""

import asyncio
import re
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest

from gateway.admission.tickets import Tickets
from gateway.routes import ROUTES
from streams.codec import CLIENT_ID
from streams.publisher import Publisher
from streams.reading.reader import LogReader
from streams.topics import CHAT_CANCELLED, CHAT_FEEDBACK, CHAT_REQUESTED, DOCUMENT_UPLOADED
from tests.integration.tenants import MARK, SECRET, Ids, Stores, client, keys
from tests.support.gateway_running import answer_of, events_of, running_gateway
from tests.support.patience import SECONDS
from tests.support.services import INTERNAL_SECRET

ORIGIN = "https://beta.example"
PUBLISHED_TOPICS = (CHAT_REQUESTED, CHAT_CANCELLED, CHAT_FEEDBACK, DOCUMENT_UPLOADED)
# A caller with the internal secret may act for any client that it names.
TRUSTED = {("internal", "/internal/tickets")}


@pytest.fixture
async def wall(settings, database_url, engine):
    """A gateway with alpha's data in every store and in the ring buffers, and one question that nobody answers."""
    own = settings.model_copy(update={"database_url": database_url})
    stores, ids = await Stores.open(engine, own), Ids()
    alpha, beta, live = f"alpha-{uuid4().hex}", f"beta-{uuid4().hex}", uuid4()
    try:
        uri = await stores.fill(alpha, ids, SECRET)
        await stores.clients.ensure(client(beta, "mine"), keys(beta))
        async with running_gateway(own) as running, Publisher(own) as publisher:
            made = SimpleNamespace(
                own=own, stores=stores, ids=ids, alpha=alpha, beta=beta, live=live, uri=uri, running=running,
                publisher=publisher,
            )  # fmt: skip
            await begin_an_answer(made)
            await ask_without_answer(made)
            yield made
    finally:
        await stores.close()


async def begin_an_answer(wall):
    asked = SimpleNamespace(client_id=wall.alpha, session_id=wall.ids.session_id, message_id=wall.live)
    for event in answer_of(asked, SECRET)[:-1]:
        await wall.publisher.publish(event)
    path = f"/sessions/{wall.ids.session_id}/events"
    async with asyncio.timeout(SECONDS):
        async with wall.running.http.stream("GET", path, headers=bearer(keys(wall.alpha).secret)) as stream:
            shown = await events_of(
                stream, lambda event, data: data["messageId"] == str(wall.live) and MARK in str(data)
            )
    assert MARK in str(shown)


async def ask_without_answer(wall):
    asked = await wall.running.http.post(
        "/chat",
        headers={**bearer(keys(wall.alpha).secret), "prefer": "wait=0"},
        json={"message": SECRET, "sessionId": wall.ids.session_id, "messageId": str(uuid4())},
    )
    assert asked.status_code == 202
    wall.waiting = asked.json()["messageId"]


def bearer(token):
    return {"authorization": f"Bearer {token}"}


def credentials(wall):
    """Beta's credentials, and forged ones."""

    def ticket(tickets, client_id, session_id):
        return bearer(tickets.issue(client_id, session_id, "v")[0])

    tickets, forger = wall.running.gateway.admission.tickets, Tickets((b"a guess of thirty-two bytes or so",))
    return {
        "secret": bearer(keys(wall.beta).secret),
        "publishable": {"x-api-key": keys(wall.beta).publishable, "origin": ORIGIN},
        "ticket": ticket(tickets, wall.beta, "of beta's own"),
        "ticket of the same session": ticket(tickets, wall.beta, wall.ids.session_id),
        "forged ticket": ticket(forger, wall.alpha, wall.ids.session_id),
        "internal": {"x-internal-secret": INTERNAL_SECRET, "x-client-id": wall.beta},
        "wrong internal": {"x-internal-secret": "guess", "x-client-id": wall.alpha},
        "two at once": {**bearer(keys(wall.beta).secret), "x-client-id": wall.alpha},
        "none": {},
    }


def bodies(wall):
    """Route → bodies to send, each with alpha's ids."""
    session = {"sessionId": wall.ids.session_id}
    messages = [str(wall.ids.message_id), str(wall.live), wall.waiting]
    questions = [{"message": "mine", **session, "messageId": message} for message in messages]
    return {
        "/chat": [*questions, {"message": "mine", **session}],
        "/chat/stream": [*questions, {"message": "mine", **session}],
        "/chat/{message_id}/cancel": [{}, session],
        "/chat/{message_id}/feedback": [{"rating": "up"}],
        "/sessions/{session_id:any}/ticket": [{}],
        "/process-document": [{"uri": wall.uri, "filename": "mine.txt", "externalId": wall.ids.external_id}],
        "/documents/{document_id}/retry": [{}],
        "/internal/validate-client": [{"apiKey": keys(wall.beta).secret}],
        "/internal/tickets": [{"clientId": wall.alpha, **session}],
    }


def requests(wall):
    """(route, method, path, body, accept) for every route, with each of alpha's ids that fits."""
    sent = bodies(wall)
    posts = {route.path for route in ROUTES if "POST" in route.methods}
    assert posts == set(sent), "a POST route has no body here"
    messages = (str(wall.ids.message_id), str(wall.live), wall.waiting)
    for route in ROUTES:
        path = re.sub(r"{session_id(:\w+)?}", wall.ids.session_id, route.path)
        path = path.replace("{document_id}", wall.ids.document_id)
        for method in route.methods:
            for message in messages if "{message_id}" in path else messages[:1]:
                for body in sent[route.path] if method == "POST" else [None]:
                    for accept in ("application/json", "text/event-stream")[: 1 + path.endswith("/events")]:
                        yield route.path, method, path.replace("{message_id}", message), body, accept


async def answered(http, method, path, headers, body):
    """The status and the text; of a stream only its first chunk, which holds its whole opening."""
    query = {} if method == "POST" else {"wait": "0"}
    async with (
        asyncio.timeout(SECONDS),
        http.stream(method, path, headers=headers, json=body, params=query) as response,
    ):
        text = ""
        async for chunk in response.aiter_text():
            text += chunk
            if response.headers["content-type"].startswith("text/event-stream"):
                break
        return response.status_code, text


async def no_stream_is_open(gateway):
    """Waits: a stream's slot is released a moment after its client has left."""
    async with asyncio.timeout(SECONDS):
        while len(gateway.admission.streams):
            await asyncio.sleep(0.01)


async def published(wall):
    """The topic of each record published for alpha."""
    found = []
    for topic in PUBLISHED_TOPICS:
        async with LogReader(wall.own, topic) as reader, asyncio.timeout(SECONDS):
            await reader.seek(timedelta(minutes=5))
            if reader.is_caught_up:
                continue
            async for batch in reader.batches():
                found += [topic.name for record in batch if dict(record.headers).get(CLIENT_ID) == wall.alpha.encode()]
                if reader.is_caught_up:
                    break
    return found


async def test_no_route_tells_or_changes_anything_of_another_client(wall):
    before, published_before, seen = await wall.stores.belongings(wall.alpha, wall.ids), await published(wall), 0
    for kind, headers in credentials(wall).items():
        for route, method, path, body, accept in requests(wall):
            if (kind, route) in TRUSTED:
                continue
            sent = {**headers, "accept": accept, "prefer": "wait=0"}
            await no_stream_is_open(wall.running.gateway)
            status, text = await answered(wall.running.http, method, path, sent, body)
            attempt = f"{method} {path} {body} as {kind}: {status} {text[:500]}"
            assert status < 500, attempt
            assert status != 429, attempt
            assert MARK not in text, attempt
            assert wall.alpha not in text or body is not None, attempt
            seen += 1
        assert await wall.stores.belongings(wall.alpha, wall.ids) == before, kind

    assert seen > 300
    assert await published(wall) == published_before == [CHAT_REQUESTED.name]


async def test_live_frames_of_two_sessions_of_one_name_stay_apart(wall):
    session, mine = wall.ids.session_id, uuid4()
    headers = bearer(keys(wall.beta).secret)
    async with wall.running.http.stream("GET", f"/sessions/{session}/events", headers=headers) as stream:
        reading = asyncio.create_task(events_of(stream, lambda event, _: event == "completed"))
        theirs = SimpleNamespace(client_id=wall.alpha, session_id=session, message_id=uuid4())
        ours = SimpleNamespace(client_id=wall.beta, session_id=session, message_id=mine)
        for one, other in zip(answer_of(theirs, SECRET), answer_of(ours, "my own words"), strict=True):
            await wall.publisher.publish(one)
            await wall.publisher.publish(other)
        async with asyncio.timeout(SECONDS):
            shown = await reading

    assert {data["messageId"] for _, data, _ in shown} == {str(mine)}
    assert MARK not in str(shown)
