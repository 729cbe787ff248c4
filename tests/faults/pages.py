"""Shared by the gateway's fault tests: a running gateway, pages that follow a session, questions of one client."""

import asyncio
from types import SimpleNamespace
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from tests.faults.peer import Peer, ended
from tests.integration.tenants import completed
from tests.support.gateway_running import running_gateway
from tests.support.patience import SECONDS

WORDS = " ".join(f"word{number}" for number in range(60))


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


def how_many(reason):
    return REGISTRY.get_sample_value("chatconnect_gateway_streams_ended_total", {"reason": reason}) or 0


async def until(condition):
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.02)
