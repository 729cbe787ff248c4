"""`chatconnect dead-letters` and `chatconnect replay` on a real broker, as an operator uses them."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from bench.kafka import make_topic
from handlers.conversation_log import ConversationLog
from schemas.events import ChatCompleted, Usage
from schemas.failures import PermanentError
from stores.chat_logs import ChatLogs
from stores.usage import UsageStats
from streams import dead_letter_log, rewind
from streams.publisher import Publisher
from streams.rewind import GroupInUseError
from streams.topics import CHAT_COMPLETED, CHAT_REQUESTED
from tests.fakes import RecordingHandler
from tests.integration.kafka import ask, asked, read_all, running, subscription

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def publisher(settings):
    async with Publisher(settings) as publisher:
        yield publisher


def cli(settings, *arguments):
    variables = {"KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers, "PATH": "/usr/bin:/bin", "COLUMNS": "250"}
    command = [sys.executable, "-m", "chatconnect", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT, env=variables)


async def bury(settings, publisher, topic, *questions):
    """Questions that end as dead letters."""

    async def refuse(_):
        raise PermanentError("the model is unknown", code="model")

    handler = RecordingHandler(refuse)
    async with running(settings, publisher, subscription(topic, handler)):
        await ask(publisher, topic, *questions, headers=[("x-own", b"\xff\x00")])
        await handler.until(lambda h: len(h.given_up) == len(questions))
        await read_all(settings, topic.dead, len(questions))


async def test_a_letter_is_replayed_with_its_exact_bytes_and_marked(settings, publisher):
    topic = await make_topic(settings)
    await bury(settings, publisher, topic, asked("s", "first"), asked("t", "second"))
    letters = await dead_letter_log.read(settings, topic)
    chosen = next(letter for letter in letters if letter.key == b"s")

    await dead_letter_log.replay(publisher, chosen)
    again = RecordingHandler()
    async with running(settings, publisher, subscription(topic, again)):
        await again.until(lambda h: h.by_session["s"])
    original, _, replayed = await read_all(settings, topic.name, 3)

    assert (replayed.key, replayed.value, replayed.headers) == (original.key, original.value, original.headers)
    states = {letter.key: letter.state for letter in await dead_letter_log.read(settings, topic)}
    assert states == {b"s": "replayed", b"t": "dead"}


async def test_the_commands_list_show_try_replay_and_drop(settings, publisher):
    question = asked(f"s-{uuid4()}", "why?", client="tool-client")

    async def refuse(_):
        raise PermanentError("the tool test refuses", code="model")

    handler = RecordingHandler(refuse)
    line = subscription(CHAT_REQUESTED, handler)
    async with running(settings, publisher, line):
        await publisher.publish(question)
        await handler.until(lambda h: any(event.client_id == "tool-client" for event, _ in h.given_up))
        async with asyncio.timeout(10):
            while not (
                mine := [
                    one
                    for one in await dead_letter_log.read(settings, CHAT_REQUESTED)
                    if one.client_id == "tool-client"
                ]
            ):
                await asyncio.sleep(0.05)
    where = ["--client", "tool-client", "--topic", "chat.requested"]

    listed = await asyncio.to_thread(
        cli, settings, "dead-letters", "list", *where, "--error", "refuses", "--since", "1h"
    )
    other = await asyncio.to_thread(cli, settings, "dead-letters", "list", *where, "--error", "no such words")
    shown = await asyncio.to_thread(cli, settings, "dead-letters", "show", "chat.requested", str(mine[0].offset))
    tried = await asyncio.to_thread(cli, settings, "dead-letters", "replay", *where, "--dry-run")
    dropped = await asyncio.to_thread(cli, settings, "dead-letters", "drop", *where)
    after = await asyncio.to_thread(cli, settings, "dead-letters", "list", *where)
    unknown = await asyncio.to_thread(cli, settings, "dead-letters", "list", "--topic", "no.such.topic")

    assert "1 dead letters" in listed.stdout, listed.stderr
    assert "the tool test refuses" in listed.stdout
    assert "0 dead letters" in other.stdout
    assert question.model_dump_json(exclude_none=True) in shown.stdout
    assert "1 dead letters would be replayed" in tried.stdout
    assert "1 dead letters dropped" in dropped.stdout
    assert "0 dead letters" in after.stdout
    assert unknown.returncode == 1
    assert unknown.stderr.startswith("There is no topic named")


async def letters_of(settings, client_id):
    return [one for one in await dead_letter_log.read(settings, CHAT_REQUESTED) if one.client_id == client_id]


def completed(client_id, number):
    now = datetime.now(UTC)
    return ChatCompleted(
        client_id=client_id, message_id=uuid4(), session_id=f"s{number}", attempt=1, outcome="completed", question="q",
        answer="a", sources=[], citations=[], finish_reason="stop", provider="openai", model="gpt-4o-mini", tier="free",
        usage=Usage(input_tokens=10, output_tokens=5), cost_usd=0.001, retrieval_ms=1, first_token_ms=2, answer_ms=3,
        requested_at=now, completed_at=now,
    )  # fmt: skip


async def test_a_replay_from_the_start_changes_no_figure(settings, publisher, engine):
    """G12: the group reads the whole topic again through the real log and database."""
    client_id, group_of = f"c-{uuid4()}", {"name": f"log-{uuid4().hex[:6]}"}
    facts = [completed(client_id, number) for number in range(20)]
    logs, day = ChatLogs(engine), datetime.now(UTC).date()

    class Counting(ConversationLog):
        seen = 0

        async def handle(self, event):
            async for said in super().handle(event):
                yield said
            Counting.seen += event.client_id == client_id

    async def run_until(number):
        from dataclasses import replace

        line = replace(subscription(CHAT_COMPLETED, Counting(logs)), **group_of)
        async with running(settings, publisher, line):
            if number == 20:
                await asyncio.gather(*(publisher.publish(fact) for fact in facts))
            async with asyncio.timeout(30):
                while Counting.seen < number:
                    await asyncio.sleep(0.05)
            with pytest.raises(GroupInUseError):
                await rewind.rewind(settings, CHAT_COMPLETED, line.group, [])
        return line.group, await UsageStats(engine).days(client_id, day - timedelta(1), day + timedelta(1))

    group, before = await run_until(20)
    moves = await rewind.plan(settings, CHAT_COMPLETED, group, datetime.now(UTC) - timedelta(hours=1))
    assert sum(move.records for move in moves) >= 20
    async with asyncio.timeout(60):
        while True:
            try:
                await rewind.rewind(settings, CHAT_COMPLETED, group, moves)
                break
            except GroupInUseError:
                await asyncio.sleep(0.2)
    _, after = await run_until(40)

    assert before
    assert after == before
