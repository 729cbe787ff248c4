"""Clients that misbehave towards a gateway, and a broker that goes away (`docs/faults.md`)."""

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from chatconnect.embedded.kafka import Kafka
from gateway.admission import tickets
from gateway.web import drain
from streams.admin.topics import create_topics
from streams.publisher import Publisher
from streams.reading import reader
from tests.faults.peer import Peer, began, ended, shown
from tests.integration.tenants import completed
from tests.support.gateway_running import answer_of, running_gateway
from tests.support.patience import SECONDS

WORDS = " ".join(f"word{number}" for number in range(60))
RECONNECTS, TOLD = 500, 20


@pytest.fixture
async def publisher(settings):
    async with Publisher(settings) as publisher:
        yield publisher


@pytest.fixture
def opened():
    """Sockets, closed at the end of the test."""
    sockets = []
    yield sockets
    close(sockets)


def close(sockets):
    for one in sockets:
        one.close()


@pytest.fixture
async def running(settings, database_url, opened):
    async with running_gateway(settings.model_copy(update={"database_url": database_url})) as running:
        yield running
        close(opened)


async def follow(opened, url, asked, secret, first):
    """As a page does: after each cut it reconnects with its last id."""
    peers = [await first.read(is_over)]
    while not is_over(peers[-1].body):
        peers.append(await (await Peer(opened, url, path_of(asked), secret, peers[-1].last_id).open()).read(is_over))
    return peers


async def remember(running, asked, text):
    """Stores an answer in Postgres, from where the gateway serves one that outgrew its ring."""
    row = completed(running.name, asked, "short").model_copy(update={"answer": text})
    await running.gateway.chat_logs.record(row)


def is_over(body):
    return ended(body) or b"\n\n" in body.partition(b'"state":"completed"')[2]


def place(running, session_id=None):
    """Ids of a new message of the test's client."""
    return SimpleNamespace(client_id=running.name, session_id=session_id or uuid4().hex, message_id=uuid4())


async def seeded(running):
    running.name = f"c-{uuid4().hex}"
    return (await running.seed(running.name)).secret


def path_of(asked):
    return f"/sessions/{asked.session_id}/events"


async def test_a_reset_after_half_an_event_harms_no_other_tab_and_is_resumed(opened, running, publisher):
    secret, closed = await seeded(running), how_many("disconnected")
    asked = place(running)
    events = answer_of(asked, WORDS)
    first, second = [await Peer(opened, running.url, path_of(asked), secret).open() for _ in range(2)]
    reading = asyncio.create_task(second.read(ended))
    await first.read(began, piece=1)
    for event in events[:30]:
        await publisher.publish(event)
    await first.read(lambda body: body.count(b"event: delta") > 5 and not body.endswith(b"\n\n\r\n"), 7)
    first.reset()
    for event in events[30:]:
        await publisher.publish(event)
    await reading
    third = await (await Peer(opened, running.url, path_of(asked), secret, first.last_id).open()).read(ended)
    await until(lambda: how_many("disconnected") > closed)

    assert shown(asked, second) == (WORDS + " ", "completed")
    assert shown(asked, first, third) == (WORDS + " ", "completed")


async def test_a_peer_that_stops_reading_is_cut_off_and_another_gets_everything(
    opened, running, publisher, monkeypatch
):
    secret, closed = await seeded(running), how_many("stalled")
    asked = place(running)
    stalled = await Peer(opened, running.url, path_of(asked), secret).open(receive_buffer=4_096)
    good = await Peer(opened, running.url, path_of(asked), secret).open()
    reading = asyncio.create_task(follow(opened, running.url, asked, secret, good))
    text = " ".join(["x" * 4_000] * 300)
    await remember(running, asked, text + " ")
    for event in answer_of(asked, text):
        await publisher.publish(event)
    peers = await reading
    await until(lambda: how_many("stalled") > closed)

    assert shown(asked, *peers) == (text + " ", "completed")
    assert len((await stalled.read()).body) < 1_000_000, "it got more than the kernel had buffered"


async def test_a_token_of_a_megabyte_arrives_whole(opened, running, publisher):
    secret = await seeded(running)
    asked = place(running)
    events = answer_of(asked, "small")
    big = '🦓\r\n"' * 65_000
    events[2] = events[2].model_copy(update={"text": big})
    await remember(running, asked, big)
    peer = await Peer(opened, running.url, path_of(asked), secret).open()
    for event in events:
        await publisher.publish(event)

    peers = await follow(opened, running.url, asked, secret, peer)

    assert shown(asked, *peers) == (big, "completed")


async def test_a_stream_ends_cleanly_with_its_ticket_and_goes_on_with_the_next(opened, running, publisher, monkeypatch):
    await seeded(running)
    asked = place(running)
    events = answer_of(asked, WORDS)

    monkeypatch.setattr(tickets, "LEEWAY", timedelta(0))

    def ticket(seconds):
        monkeypatch.setattr(tickets, "LIFETIME", tickets.LIFETIME.__class__(seconds=seconds))
        return running.gateway.admission.tickets.issue(running.name, asked.session_id, "v")[0]

    short = ticket(3)
    first = await Peer(opened, running.url, path_of(asked), short).open()
    for event in events[:30]:
        await publisher.publish(event)
    await first.read()
    refused = await running.http.get(path_of(asked), headers={"authorization": f"Bearer {short}"})
    for event in events[30:]:
        await publisher.publish(event)
    second = await (await Peer(opened, running.url, path_of(asked), ticket(60), first.last_id).open()).read(ended)

    assert first.content.endswith(b"\n\n")
    assert refused.status_code == 401
    assert shown(asked, first, second) == (WORDS + " ", "completed")


async def test_a_drain_ends_streams_at_whole_events_spread_and_all_come_back_at_once(
    opened, running, settings, database_url, publisher
):
    """I5: SIGTERM ends streams at whole events, spread over the drain."""
    secret = await seeded(running)
    own = settings.model_copy(update={"database_url": database_url})
    places = [place(running) for _ in range(RECONNECTS)]
    peers = [await Peer(opened, running.url, path_of(one), secret).open() for one in places]
    await asyncio.gather(*(peer.read(began) for peer in peers))
    ends = []

    async def note_end(peer):
        await peer.read()
        ends.append(time.monotonic())

    began_at = time.monotonic()
    running.gateway.drain.begin()
    following = asyncio.gather(*map(note_end, peers))
    for one in places[:TOLD]:
        for event in answer_of(one, "still told"):
            await publisher.send(event)
    await following
    async with running_gateway(own) as other:
        again = [
            Peer(opened, other.url, path_of(one), secret, peer.last_id) for one, peer in zip(places, peers, strict=True)
        ]
        # An instance limits how often one address may try a key that it has not seen yet.
        await other.http.get(
            path_of(places[0]),
            headers={"authorization": f"Bearer {secret}", "accept": "application/json"},
            params={"wait": 0},
        )
        await asyncio.gather(*(peer.open() for peer in again))
        await asyncio.gather(*(peer.read(began) for peer in again))
        await asyncio.gather(*(
            new.read(is_over)
            for new, old in zip(again[:TOLD], peers, strict=False) if not ended(old.body)
        ))  # fmt: skip

    for one, old, new in zip(places[:TOLD], peers, again, strict=False):
        assert shown(one, old, new) == ("still told ", "completed")
    assert all(peer.content.endswith(b"\n\n") for peer in peers)
    assert all(peer.body.startswith(b"HTTP/1.1 200") for peer in again)
    assert max(ends) - began_at < drain.DRAIN_SECONDS + 2
    busiest = max(sum(0 <= other - end < 1 for other in ends) for end in ends)
    assert busiest <= RECONNECTS / drain.DRAIN_SECONDS * 2


@asynccontextmanager
async def own_kafka(folder):
    made = await Kafka.start(folder / "kafka", folder / "kafka.log", print)
    try:
        yield made
    finally:
        await made.stop()


async def test_an_answer_goes_on_when_the_broker_is_killed_in_its_middle(opened, settings, database_url, tmp_path):
    async with own_kafka(tmp_path) as first:
        own = settings.model_copy(update={"database_url": database_url, "kafka_bootstrap_servers": first.url})
        await create_topics(own)
        async with running_gateway(own) as running, Publisher(own) as publisher:
            secret = await seeded(running)
            asked = place(running)
            events = answer_of(asked, WORDS)
            peer = await Peer(opened, running.url, path_of(asked), secret).open()
            for event in events[:30]:
                await publisher.publish(event)
            first.process.kill()
            await first.process.wait()
            port = int(first.url.rsplit(":", 1)[1])
            second = await Kafka.start(tmp_path / "kafka", tmp_path / "kafka.log", print, port=port)
            try:
                for event in events[30:]:
                    await publisher.publish(event)
                await peer.read(ended)
                assert (await running.http.get("/health/live")).is_success
            finally:
                close(opened)
                await second.stop()

    assert shown(asked, peer) == (WORDS + " ", "completed")


async def test_a_gateway_whose_event_loop_was_blocked_misses_no_event(opened, running, publisher, monkeypatch):
    """aiokafka #847. A reader has no group session that could expire; the worker's test covers that."""
    monkeypatch.setattr(reader, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(reader, "STALLED_SECONDS", 1.0)
    secret = await seeded(running)
    asked = place(running)
    events = answer_of(asked, WORDS)
    peer = await Peer(opened, running.url, path_of(asked), secret).open()
    acknowledged = [await publisher.send(event) for event in events[:30]]
    time.sleep(5)
    for event in events[30:]:
        await publisher.publish(event)
    await asyncio.gather(*acknowledged)

    assert shown(asked, await peer.read(ended)) == (WORDS + " ", "completed")


def how_many(reason):
    return REGISTRY.get_sample_value("chatconnect_gateway_streams_ended_total", {"reason": reason}) or 0


async def until(condition):
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.02)
