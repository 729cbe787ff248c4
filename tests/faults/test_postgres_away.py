"""Postgres is killed under traffic: answers go on, `chat_logs` catches up, nothing is counted twice."""

import asyncio
from uuid import uuid4

from stores.postgres.stale_cache import FRESH_SECONDS
from streams.publisher import Publisher
from tests.faults.callers import connect, page, server
from tests.faults.conftest import question
from tests.faults.questions import asked
from tests.faults.rows import counted, logged
from tests.support.gateway_running import events_of
from tests.support.model_server import expected
from tests.support.visitor import ReceivedAnswer

# Longer than the runtime retries a record without a Retry-After, at most 0.5 + 1 + 2 + 4 s, and longer than a cached
# row stays fresh.
AWAY_SECONDS = FRESH_SECONDS + 1
PIECES = 20
OPENED = str(uuid4())
"""A session opened by a page."""
REFUSAL = (503, "application/problem+json", "2")
STATUSES = {
    "a ticket": 202,
    "a secret key and a messageId": 202,
    "a publishable key and a session that may be another's": REFUSAL,
    "the history": REFUSAL,
}


async def test_answers_go_on_without_postgres_and_the_log_catches_up(site, postgres):
    worker, gateway = site.part("worker"), site.part("gateway")
    await asyncio.gather(worker.start(), gateway.start())
    await site.learn()
    site.model.pieces, site.model.pieces_per_second = PIECES, 20
    one, two = site.visitor("s"), site.visitor("t")
    async with asyncio.timeout(100), Publisher(site.settings) as publisher, asyncio.TaskGroup() as tasks:
        following = [tasks.create_task(visitor.follow()) for visitor in (one, two)]
        while not (one.connections and two.connections):
            await asyncio.sleep(0.02)
        ticket = await _ticket(site, OPENED)
        middle = str(uuid4())
        running = await one.ask(middle, question("p1"))
        while not running.text:
            await asyncio.sleep(0.02)

        await postgres.kill()
        killed_at = asyncio.get_running_loop().time()
        events = [asked(site, "s", "p2"), asked(site, "t", "p3")]
        for event in events:
            await publisher.publish(event)
        answers = [
            visitor.received.setdefault(str(event.message_id), ReceivedAnswer())
            for visitor, event in zip((one, two), events, strict=True)
        ]
        await asyncio.gather(running.ended.wait(), *(told.ended.wait() for told in answers))
        answered_seconds = asyncio.get_running_loop().time() - killed_at
        await asyncio.sleep(max(0, AWAY_SECONDS - answered_seconds))
        # Only at this point is no cached row fresh.
        streamed = {
            kind: await _streamed(site, headers, name)
            for kind, headers, name in (("secret", server(site), "p6"), ("publishable", page(site), "p7"))
        }
        again = str(uuid4())
        assert await _statuses(site, ticket, again) == STATUSES
        joined = await _joined(site, one.received.setdefault(again, ReceivedAnswer()), again)

        await postgres.start(port=int(postgres.url.rpartition(":")[2].partition("/")[0]))
        messages = [middle, again, *(str(event.message_id) for event in events)]
        rows = await logged(site, *messages)
        # Redeliver everything. The last questions follow in the same lanes.
        for event in events:
            await publisher.publish(event)
        last = [str(uuid4()), str(uuid4())]
        for visitor, message, name in zip((one, two), last, ("p4", "p5"), strict=True):
            await (await visitor.ask(message, question(name))).ended.wait()
        rows |= await logged(site, *last)
        # Questions asked while Postgres was away are recorded at their next retry.
        while (await counted(site))[0] < 10:
            await asyncio.sleep(0.1)
        for task in following:
            task.cancel()

    assert streamed == {"secret": expected("p6", PIECES), "publishable": expected("p7", PIECES)}
    assert joined == ("running", expected("p9", PIECES), [])
    for name, told in zip(("p1", "p2", "p3"), (running, *answers), strict=True):
        assert (told.endings, told.problems, told.text) == (["completed"], [], expected(name, PIECES))
    assert [len(found) for found in rows.values()] == [1] * 6
    assert [one.received[last[0]].text, two.received[last[1]].text] == [expected("p4", PIECES), expected("p5", PIECES)]
    names = [served.name for served in site.model.journal]
    assert sorted(names) == [f"p{number}" for number in range(10)], "an answer was generated twice"
    assert await counted(site) == (10, 0, 10 * PIECES)


async def _ticket(site, session_id):
    """A visitor's ticket, used once so that the gateway has its client cached."""
    async with connect(site) as http:
        body = {"message": question("p0"), "sessionId": session_id}
        first = await http.post("/chat", json=body, headers=page(site))
        ticket = first.json()["ticket"]
        cancelled = await http.post(
            f"/chat/{first.json()['messageId']}/cancel", json={}, headers={"authorization": f"Bearer {ticket}"}
        )
        assert (first.status_code, cancelled.status_code) == (200, 202)
        return ticket


async def _streamed(site, headers, name):
    """The answer to a question that opens a session."""
    body = {"message": question(name), "messageId": str(uuid4())}
    async with connect(site) as http, http.stream("POST", "/chat/stream", headers=headers, json=body) as response:
        if response.status_code != 200:
            return response.status_code
        events = await events_of(response)
        assert events[-1][0] == "completed"
        return "".join(data["text"] for event, data, _ in events if event == "delta")


async def _statuses(site, ticket, message_id):
    """The status of each kind of request."""
    later = {"prefer": "respond-async"}
    body = {"message": question("p9"), "sessionId": "s", "messageId": message_id}
    async with connect(site) as http:
        visitors = await http.post(
            "/chat",
            json={"message": question("p8"), "sessionId": OPENED},
            headers={"authorization": f"Bearer {ticket}"} | later,
        )
        servers = await http.post("/chat", json=body, headers=server(site) | later)
        pages = await http.post("/chat", json=body | {"sessionId": str(uuid4())}, headers=page(site) | later)
        history = await http.get(f"/sessions/{OPENED}/messages", headers=server(site))
    return {
        "a ticket": visitors.status_code,
        "a secret key and a messageId": servers.status_code,
        "a publishable key and a session that may be another's": _refusal(pages),
        "the history": _refusal(history),
    }


def _refusal(response):
    return response.status_code, response.headers["content-type"], response.headers.get("retry-after")


async def _joined(site, told, message_id):
    """A session stream opened while the answer runs: its first state, its text and its problems."""
    while not told.text:
        await asyncio.sleep(0.02)
    late = ReceivedAnswer()

    def is_over(event, data):
        if data["messageId"] == message_id:
            late.history.append(data.get("state", event))
            late.take(event, data)
        return late.ended.is_set()

    async with connect(site) as http, http.stream("GET", "/sessions/s/events", headers=server(site)) as response:
        await events_of(response, is_over)
    return late.history[0], late.text, late.problems
