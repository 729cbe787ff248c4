"""Topics that are deleted, recreated, or get more partitions under a running gateway."""

import asyncio
from types import SimpleNamespace
from uuid import uuid4

import pytest

from gateway.app import GatewayTiming
from schemas.keys import SessionKey
from streams.publisher import Publisher
from streams.reading.limits import ReaderLimits
from tests.faults.peer import Peer, began, ended, shown
from tests.faults.topic_changes import PARTITIONS, create, delete, own_log, widen
from tests.integration.tenants import completed
from tests.support.aiokafka_parts import known_partitions
from tests.support.gateway_running import ScriptedWorker, answer_of, running_gateway
from tests.support.patience import SECONDS

SESSIONS, WIDER = 12, 12
WORDS = " ".join(f"word{number}" for number in range(40))


QUICK_TO_NOTICE = GatewayTiming(reader=ReaderLimits(look_seconds=0.2), topic_look_seconds=0.2)


@pytest.fixture
async def log(settings, database_url, tmp_path):
    async with own_log(settings.model_copy(update={"database_url": database_url}), tmp_path) as own:
        yield own


@pytest.fixture
async def running(log, opened):
    async with running_gateway(log, timing=QUICK_TO_NOTICE) as running:
        running.keys = await running.seed(f"c-{uuid4().hex}")
        yield running
        for one in opened:
            one.close()


@pytest.fixture
def opened():
    """Sockets, closed before the gateway."""
    return []


@pytest.fixture
async def publisher(log):
    async with Publisher(log) as publisher:
        yield publisher


def question_of(running, session_id=None):
    return SimpleNamespace(
        client_id=running.keys.secret.removeprefix("sk_"), session_id=session_id or uuid4().hex, message_id=uuid4()
    )


async def publish(publisher, events):
    for acknowledgement in [await publisher.send(event) for event in events]:
        await acknowledgement


async def eventually(condition):
    async with asyncio.timeout(SECONDS):
        while not await condition():
            await asyncio.sleep(0.05)


def is_over(body):
    return ended(body) or b"\n\n" in body.partition(b'"state":"completed"')[2]


async def follow(running, opened, asked, peers=()):
    """As a page does: after each cut it reconnects with its last id."""
    path, secret = f"/sessions/{asked.session_id}/events", running.keys.secret
    peers = list(peers) or [await Peer(opened, running.url, path, secret).open()]
    async with asyncio.timeout(SECONDS):
        while not is_over((await peers[-1].read(is_over)).body):
            await asyncio.sleep(0.1)
            peers.append(await Peer(opened, running.url, path, secret, peers[-1].last_id).open())
    return shown(asked, *peers)


async def is_another_log(running, incarnation):
    return running.gateway.tail.incarnation > incarnation


async def test_more_partitions_cut_no_answer_off_and_leave_no_session_silent(running, log, opened, publisher):
    cut = [question_of(running) for _ in range(SESSIONS)]
    peers = [
        await Peer(opened, running.url, f"/sessions/{one.session_id}/events", running.keys.secret).open() for one in cut
    ]
    await asyncio.gather(*(peer.read(began) for peer in peers))
    for one in cut:
        await publish(publisher, answer_of(one, WORDS)[:20])
    await widen(log, "chat.token", WIDER)
    await eventually(lambda: is_another_log(running, 0))
    for one in cut:
        await publish(publisher, answer_of(one, WORDS)[20:])
        await running.gateway.chat_logs.record(
            completed(one.client_id, one, "short").model_copy(update={"answer": WORDS + " "})
        )
    told = await asyncio.gather(*(follow(running, opened, one, [peer]) for one, peer in zip(cut, peers, strict=True)))
    later = [question_of(running) for _ in range(SESSIONS)]
    await eventually(lambda: knows_partitions(publisher, WIDER))
    for one in later:
        await publish(publisher, answer_of(one, WORDS))
    told += await asyncio.gather(*(follow(running, opened, one) for one in later))

    assert set(told) == {(WORDS + " ", "completed")}
    assert running.gateway.tail.partition(later[0].session_id) < WIDER
    assert running.gateway.tail.is_alive


async def knows_partitions(publisher, number):
    return await known_partitions(publisher, "chat.token") == number


async def test_a_producer_unaware_of_new_partitions_misleads_no_page(running, log, opened):
    """It still writes to the old partition, whose offsets mean nothing on the session's new one."""
    async with Publisher(log, metadata_max_age_ms=600_000) as late:
        await publish(late, answer_of(question_of(running), WORDS))
        await widen(log, "chat.token", WIDER)
        await eventually(lambda: is_another_log(running, 0))
        sessions = [uuid4().hex for _ in range(SESSIONS)]
        first, second = ([question_of(running, session) for session in sessions] for _ in range(2))
        for one in first:
            await publish(late, answer_of(one, WORDS))
            await running.gateway.chat_logs.record(
                completed(one.client_id, one, "short").model_copy(update={"answer": WORDS + " "})
            )
        assert await known_partitions(late, "chat.token") < WIDER
    told = await asyncio.gather(*(follow(running, opened, one) for one in first))
    peers = opened_again(opened, running, sessions)
    streams = [await peer.open() for peer in peers]
    await asyncio.gather(*(peer.read(began) for peer in streams))
    async with Publisher(log) as soon:
        for one in second:
            await publish(soon, answer_of(one, WORDS[::-1]))
    last_word = answer_of(second[0], WORDS[::-1])[-2].text.strip().encode()
    async with asyncio.timeout(SECONDS):
        await asyncio.gather(*(peer.read(lambda body: last_word in body) for peer in streams))

    assert set(told) == {(WORDS + " ", "completed")}
    assert {shown(one, peer)[0] for one, peer in zip(second, streams, strict=True)} == {WORDS[::-1] + " "}


def opened_again(opened, running, sessions):
    """Unopened fresh streams of these sessions."""
    return [Peer(opened, running.url, f"/sessions/{one}/events", running.keys.secret) for one in sessions]


@pytest.mark.parametrize("partitions", [PARTITIONS, 2], ids=["as many partitions", "fewer partitions"])
async def test_an_id_of_a_recreated_topic_hides_nothing_of_the_new_one(running, log, opened, publisher, partitions):
    first = question_of(running)
    path = f"/sessions/{first.session_id}/events"
    await publish(publisher, answer_of(first, "some words"))
    old = await Peer(opened, running.url, path, running.keys.secret).open()
    await old.read(is_over)
    await running.gateway.chat_logs.record(
        completed(first.client_id, first, "short").model_copy(update={"answer": "some words "})
    )
    await delete(log, "chat.token")
    await create(log, "chat.token", partitions)
    await eventually(lambda: knows_partitions(publisher, partitions))
    second = question_of(running, first.session_id)
    await publish(publisher, answer_of(second, WORDS))
    await eventually(lambda: is_another_log(running, 0))
    again = await Peer(opened, running.url, path, running.keys.secret, old.last_id).open()
    await again.read(lambda body: WORDS.split()[-1].encode() in body)

    assert shown(second, old, again) == (WORDS + " ", "completed")
    assert shown(first, old, again) == ("some words ", "completed")
    async with running_gateway(log) as restarted:
        assert (
            restarted.gateway.tail.stream_position(SessionKey("c", "s"), 0).epoch
            == running.gateway.tail.stream_position(SessionKey("c", "s"), 0).epoch
        )
    assert old.last_id.split(".")[0] != again.last_id.split(".")[0]


async def test_a_missing_optional_topic_only_degrades_health(running, log):
    async def is_degraded():
        told = (await running.http.get("/health")).json()
        return told["status"] == "degraded" and "chat.feedback" in told["checks"]["kafka"]["detail"]

    await delete(log, "chat.feedback")
    await eventually(is_degraded)
    ready = await running.http.get("/health/ready")

    assert ready.status_code == 200


@pytest.mark.parametrize("name", ["chat.token", "chat.requested", "chat.completed"])
async def test_while_a_topic_is_away_the_gateway_is_unready_and_refuses_questions(running, log, name):
    headers = {"authorization": f"Bearer {running.keys.secret}"}

    async def is_ready():
        return (await running.http.get("/health/ready")).status_code == 200

    async def is_unready():
        answer = await running.http.get("/health/ready")
        return answer.status_code == 503 and name in answer.text

    await eventually(is_ready)
    await delete(log, name)
    await eventually(is_unready)
    refused = await running.http.post("/chat", headers=headers, json={"message": "Is anybody there?"})
    health = await running.http.get("/health")
    await create(log, name)
    await eventually(is_ready)
    async with ScriptedWorker(log):
        answered = await running.http.post("/chat", headers=headers, json={"message": "And now?"})

    assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    assert "messageId" in refused.json()["detail"]
    assert name in health.json()["checks"]["kafka"]["detail"]
    assert (answered.status_code, answered.json()["reply"]) == (200, "You asked: And now? ")
