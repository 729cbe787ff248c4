"""Streams of ingestion progress; the tests publish what a worker would."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from chatconnect.client.sse_parser import SseParser
from gateway.app import GatewayTiming
from gateway.streaming.timing import StreamTiming
from gateway.web.drain import Drain
from schemas.events import DocumentProgress
from streams.publisher import Publisher
from tests.support.gateway_running import running_gateway

WAIT_SECONDS = 10


@pytest.fixture
def drain():
    return Drain()


@pytest.fixture
async def log(settings):
    async with Publisher(settings) as publisher:
        yield publisher


@pytest.fixture
async def client(running):
    name = f"c-{uuid4().hex}"
    await running.seed(name)
    return name


def key_of(client):
    return {"authorization": f"Bearer sk_{client}"}


async def upload(running, client):
    files = {"file": ("notes.txt", b"Some text.")}
    return (await running.http.post("/process-document", headers=key_of(client), files=files)).json()["id"]


async def events(running, client, document_id):
    """Yields the data of each event until the stream ends."""
    parser = SseParser()
    path = f"/documents/{document_id}/events"
    async with running.http.stream("GET", path, headers=key_of(client)) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-accel-buffering"] == "no"
        async for chunk in response.aiter_bytes():
            for frame in parser.feed(chunk):
                assert frame.event == "progress"
                yield frame.data


def progress(client, document_id, status, percent, **fields):
    return DocumentProgress(
        client_id=client,
        document_id=document_id,
        version=1,
        status=status,
        stage=status,
        progress=percent,
        current_step=status.title(),
        at=datetime.now(UTC),
        **fields,
    )


async def test_progress_is_streamed_until_the_document_is_ready(running, log, client):
    document_id = await upload(running, client)
    status = await running.http.get(f"/documents/{document_id}/status", headers=key_of(client))
    async with asyncio.timeout(WAIT_SECONDS), aclosing(events(running, client, document_id)) as stream:
        assert await anext(stream) == status.text
        for step, percent in (("parsing", 10), ("embedding", 40)):
            await log.publish(progress("another", document_id, "failed", 99))
            await log.publish(progress(client, document_id, step, percent))
            data = await anext(stream)
            assert f'"status":"{step}","progress":{percent}' in data
        await log.publish(progress(client, document_id, "ready", 100, chunks=3))
        assert '"status":"ready"' in await anext(stream)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


async def test_a_finished_document_gets_its_final_state(running, client):
    document_id = await upload(running, client)
    await running.gateway.documents.advance(progress(client, document_id, "failed", 10, reason="Broken."))
    async with asyncio.timeout(WAIT_SECONDS):
        [data] = [event async for event in events(running, client, document_id)]

    assert '"reason":"Broken."' in data


async def test_a_state_that_is_only_in_postgres_is_sent(own):
    client = f"c-{uuid4().hex}"
    timing = GatewayTiming(streams=StreamTiming(document_poll_seconds=0.05))
    async with asyncio.timeout(WAIT_SECONDS), running_gateway(own, timing=timing) as running:
        await running.seed(client)
        document_id = await upload(running, client)
        async with aclosing(events(running, client, document_id)) as stream:
            await anext(stream)
            # No worker runs that would carry out the deletion and publish it.
            await running.http.delete(f"/documents/{document_id}", headers=key_of(client))

            assert '"status":"deleted"' in [event async for event in stream][-1]


async def test_streams_end_when_the_drain_begins(running, client, drain):
    document_id = await upload(running, client)
    async with asyncio.timeout(WAIT_SECONDS / 2), aclosing(events(running, client, document_id)) as stream:
        await anext(stream)
        drain.begin()

        assert [event async for event in stream] == []
    assert not len(running.gateway.progress_hub)


async def test_a_watch_ends_with_its_connection(running, client):
    document_id = await upload(running, client)
    async with aclosing(events(running, client, document_id)) as stream:
        await anext(stream)
        assert len(running.gateway.progress_hub)
    async with asyncio.timeout(WAIT_SECONDS):
        while len(running.gateway.progress_hub):
            await asyncio.sleep(0.01)


async def test_head_gets_the_headers_alone(running, client):
    document_id = await upload(running, client)
    async with asyncio.timeout(WAIT_SECONDS):
        response = await running.http.head(f"/documents/{document_id}/events", headers=key_of(client))

    assert (response.status_code, response.content) == (200, b"")
    assert not len(running.gateway.progress_hub)


async def test_others_are_refused(running, client):
    document_id = await upload(running, client)
    await running.seed("stranger")
    keys = await running.seed("page", "*")
    path = f"/documents/{document_id}/events"

    assert (await running.http.get(path, headers=key_of("stranger"))).status_code == 404
    assert (await running.http.get(path, headers={"x-api-key": keys.publishable})).status_code == 403
    assert (await running.http.get(path)).status_code == 401
