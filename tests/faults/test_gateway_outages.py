"""A gateway that drains, loses its broker, or is blocked, in the middle of answers (`docs/faults.md`)."""

import asyncio
import time

from gateway.app import GatewayTiming
from gateway.web import drain
from streams.admin.topics import create_topics
from streams.publisher import Publisher
from streams.reading.limits import ReaderLimits
from tests.faults.own_kafka import own_kafka
from tests.faults.pages import WORDS, close, is_over, path_of, place, seeded
from tests.faults.peer import Peer, began, ended, shown
from tests.support.gateway_running import answer_of, running_gateway

RECONNECTS, TOLD = 500, 20


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


async def test_an_answer_goes_on_when_the_broker_is_killed_in_its_middle(opened, settings, database_url, tmp_path):
    async with own_kafka(tmp_path) as broker:
        servers = broker.running.url
        own = settings.model_copy(update={"database_url": database_url, "kafka_bootstrap_servers": servers})
        await create_topics(own)
        async with running_gateway(own) as running, Publisher(own) as publisher:
            secret = await seeded(running)
            asked = place(running)
            events = answer_of(asked, WORDS)
            peer = await Peer(opened, running.url, path_of(asked), secret).open()
            for event in events[:30]:
                await publisher.publish(event)
            await broker.kill()
            await broker.start(broker.port)
            for event in events[30:]:
                await publisher.publish(event)
            await peer.read(ended)
            assert (await running.http.get("/health/live")).is_success
            close(opened)

    assert shown(asked, peer) == (WORDS + " ", "completed")


async def test_a_gateway_whose_event_loop_was_blocked_misses_no_event(opened, settings, database_url, publisher):
    """aiokafka #847. A reader has no group session that could expire; the worker's test covers that."""
    own = settings.model_copy(update={"database_url": database_url})
    timing = GatewayTiming(reader=ReaderLimits(look_seconds=0.2, stalled_seconds=1.0))
    async with running_gateway(own, timing=timing) as running:
        secret = await seeded(running)
        asked = place(running)
        events = answer_of(asked, WORDS)
        peer = await Peer(opened, running.url, path_of(asked), secret).open()
        acknowledged = [await publisher.send(event) for event in events[:30]]
        time.sleep(5)
        for event in events[30:]:
            await publisher.publish(event)
        await asyncio.gather(*acknowledged)
        await peer.read(ended)
        close(opened)

    assert shown(asked, peer) == (WORDS + " ", "completed")
