"""Postgres is killed in mid-traffic: answers go on, the log catches up, nothing is counted twice (design §4)."""

import asyncio
from contextlib import suppress
from uuid import uuid4

import httpx
import pytest

from bench.model_server import expected
from bench.visitor import Told
from chatconnect.embedded.postgres import Postgres
from chatconnect.embedded.process import PartError
from stores.clients import Client, Clients
from stores.database import create_engine
from stores.migrations import upgrade
from streams.publisher import Publisher
from tests.faults.conftest import question
from tests.faults.questions import asked, retrieved
from tests.faults.rows import counted, logged

# Longer than the runtime tries a record of which nobody says when to come back: at most 0.5 + 1 + 2 + 4 s.
AWAY_SECONDS = 9
PIECES = 20


class Mortal:
    """A Postgres of this test's own, killed and started again at the same address."""

    def __init__(self, folder):
        self._folder = folder
        self.running = None

    @property
    def url(self):
        return self.running.url

    async def start(self, port=0):
        async with asyncio.timeout(30):
            while True:
                # The dead server's children may hold its shared memory for a moment yet.
                with suppress(PartError):
                    self.running = await Postgres.start(self._folder / "data", self._folder / "postgres.log", port=port)
                    return

    async def kill(self):
        self.running.process.kill()
        await self.running.process.wait()


@pytest.fixture
async def postgres(site):
    mortal = Mortal(site.folder / "own")
    await mortal.start()
    try:
        await upgrade(mortal.url)
        site.settings = site.settings.model_copy(update={"database_url": mortal.url})
        engine = create_engine(mortal.url)
        try:
            await Clients(engine).ensure(Client(site.client_id, site.client_id, "free", ("*",)), site.keys)
        finally:
            await engine.dispose()
        yield mortal
    finally:
        # Before the site stops its parts: they end all the same, and the log is not written to for nothing.
        for part in site.parts.values():
            await part.stop()
        await mortal.running.stop()


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
        ticket = await _ticket(site, "v")
        middle = str(uuid4())
        running = await one.ask(middle, question("p1"))
        while not running.text:
            await asyncio.sleep(0.02)

        await postgres.kill()
        killed_at = asyncio.get_running_loop().time()
        events = [asked(site, "s", "p2"), asked(site, "t", "p3")]
        for event in events:
            await publisher.publish(event)
        statuses = await _ask_gateway(site, ticket)
        tolds = [
            visitor.told.setdefault(str(event.message_id), Told())
            for visitor, event in zip((one, two), events, strict=True)
        ]
        await asyncio.gather(running.ended.wait(), *(told.ended.wait() for told in tolds))
        answered_seconds = asyncio.get_running_loop().time() - killed_at
        await asyncio.sleep(max(0, AWAY_SECONDS - answered_seconds))

        await postgres.start(port=int(postgres.url.rpartition(":")[2].partition("/")[0]))
        messages = [middle, *(str(event.message_id) for event in events)]
        rows = await logged(site, *messages)
        # All of it once more. The last questions come after it in the same lanes.
        for event in events:
            await publisher.publish(event)
            await publisher.publish(retrieved(event))
        last = [str(uuid4()), str(uuid4())]
        for visitor, message, name in zip((one, two), last, ("p4", "p5"), strict=True):
            await (await visitor.ask(message, question(name))).ended.wait()
        rows |= await logged(site, *last)
        for task in following:
            task.cancel()

    assert statuses == {"secret key": 503, "ticket": 202}
    for name, told in zip(("p1", "p2", "p3"), (running, *tolds), strict=True):
        assert (told.endings, told.problems, told.text) == (["completed"], [], expected(name, PIECES))
    assert [len(found) for found in rows.values()] == [1] * 5
    assert [one.told[last[0]].text, two.told[last[1]].text] == [expected("p4", PIECES), expected("p5", PIECES)]
    names = [served.name for served in site.model.journal]
    assert sorted(names) == ["p0", "p1", "p2", "p3", "p4", "p5", "p6"], "no answer was written twice"
    assert await counted(site) == (7, 0, 7 * PIECES)


async def _ticket(site, session_id):
    """Of a visitor who has used it once, so that the gateway knows its client."""
    async with httpx.AsyncClient(base_url=site.urls[0], trust_env=False, timeout=30) as http:
        body = {"message": question("p0"), "sessionId": session_id}
        first = await http.post("/chat", json=body, headers={"x-api-key": site.keys.publishable, "origin": "http://x"})
        ticket = first.json()["ticket"]
        cancelled = await http.post(
            f"/chat/{first.json()['messageId']}/cancel", json={}, headers={"authorization": f"Bearer {ticket}"}
        )
        assert (first.status_code, cancelled.status_code) == (200, 202)
        return ticket


async def _ask_gateway(site, ticket):
    """Who is let in now, by what they show."""
    async with httpx.AsyncClient(base_url=site.urls[0], trust_env=False, timeout=30) as http:
        body = {"message": question("p6"), "sessionId": "v"}
        secret = await http.post("/chat", json=body, headers={"authorization": f"Bearer {site.keys.secret}"})
        headers = {"authorization": f"Bearer {ticket}", "prefer": "respond-async"}
        visitors = await http.post("/chat", json=body, headers=headers)
        return {"secret key": secret.status_code, "ticket": visitors.status_code}
