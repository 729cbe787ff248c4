"""`chatconnect replay` on the real broker, and G12: a replay changes no figure and duplicates no point."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import typer
from aiokafka.errors import GroupCoordinatorNotAvailableError
from sqlalchemy import text
from typer.testing import CliRunner

from chatconnect.commands import replay as command
from handlers.conversation_log import ConversationLog
from handlers.ingestion.handler import Ingestion
from handlers.ingestion.stages import Stages
from schemas.events import DocumentUploaded
from stores.postgres.chat_logs import ChatLogs
from stores.postgres.documents import Documents
from stores.uploads import Uploads
from stores.vectors.engine import open_vectors
from streams.publisher import Publisher
from streams.topics import TOPICS
from tests.integration.kafka import ask, asked, committed, running, subscription
from tests.support.fakes import RecordingHandler
from tests.support.fakes_knowledge import FakeEmbedder, no_embedding_cache, stream_of
from tests.support.fakes_models import completed
from tests.support.kafka_topics import make_topic
from tests.support.patience import SECONDS

cli = typer.Typer()
cli.command()(command.replay)
NOON = "2000-01-01T12:00:00Z"


@pytest.fixture
async def publisher(settings):
    async with Publisher(settings) as opened:
        yield opened


@pytest.fixture
def replay(settings, monkeypatch):
    """Runs the command in a thread, because it starts its own event loop."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", settings.kafka_bootstrap_servers)
    monkeypatch.setenv("COLUMNS", "200")

    async def run(line, *more, since=NOON, code=0):
        monkeypatch.setattr(command, "TOPICS", (line.topic,))
        arguments = ["--topic", line.topic.name, "--group", line.group, "--from", since, *more]
        result = await asyncio.to_thread(CliRunner().invoke, cli, arguments)
        assert result.exit_code == code, result.output
        return result.output

    return run


async def until_committed(settings, line, expected):
    async with asyncio.timeout(SECONDS):
        while True:
            # A new broker has no coordinator before its first group.
            with suppress(GroupCoordinatorNotAvailableError):
                if await committed(settings, line.group, line.topic) == expected:
                    return
            await asyncio.sleep(0.05)


async def test_an_idle_group_is_moved_a_running_one_and_a_dry_run_are_not(settings, publisher, replay):
    topic, handler = await make_topic(settings), RecordingHandler()
    line = subscription(topic, handler)
    async with running(settings, publisher, line):
        await ask(publisher, topic, *(asked("s", str(number)) for number in range(5)))
        await until_committed(settings, line, {0: 5})
        assert "is running: stop its workers" in await replay(line, code=1)
    assert f"5 records would be read by {line.group}" in await replay(line, "--dry-run")
    assert await committed(settings, line.group, topic) == {0: 5}

    assert f"5 records will be read by {line.group}" in await replay(line)

    assert await committed(settings, line.group, topic) == {0: 0}
    async with running(settings, publisher, line):
        await handler.until(lambda h: len(h.finished) == 10, SECONDS)
    assert handler.by_session["s"] == ["0", "1", "2", "3", "4"] * 2


async def test_a_replay_begins_at_its_moment(settings, publisher, replay):
    topic, handler = await make_topic(settings), RecordingHandler()
    line = subscription(topic, handler)
    async with running(settings, publisher, line):
        await ask(publisher, topic, asked("s", "early"))
        await asyncio.sleep(0.05)
        moment = datetime.now(UTC)
        await ask(publisher, topic, asked("s", "late"))
        await until_committed(settings, line, {0: 2})

    assert "1 records will be read" in await replay(line, since=moment.isoformat())
    assert await committed(settings, line.group, topic) == {0: 1}
    assert "0 records will be read" in await replay(line, since="2100-01-01T00:00:00Z")


async def test_an_unknown_topic_or_invalid_time_is_refused(settings, replay):
    line = subscription(await make_topic(settings), None)

    assert "is no time" in await replay(line, since="yesterday", code=2)
    result = await asyncio.to_thread(
        CliRunner().invoke, cli, ["--topic", "chat.nothing", "--group", "g", "--from", "1h"], env={"COLUMNS": "200"}
    )
    assert result.exit_code == 2
    assert "no topic named chat.nothing" in result.output


async def figures(engine):
    """All rows of `chat_logs` and `usage_stats`."""
    async with engine.connect() as connection:
        logs = await connection.execute(text("SELECT * FROM chat_logs ORDER BY message_id"))
        usage = await connection.execute(text("SELECT * FROM usage_stats ORDER BY client_id, day"))
        return logs.mappings().all(), usage.mappings().all()


async def send(publisher, topic, key, event):
    value = event.model_dump_json(exclude_none=True).encode()
    headers = [("event-type", type(event).__name__.encode()), ("client-id", event.client_id.encode())]
    await (await publisher.send_raw(topic.name, key.encode(), value, headers))


async def test_replaying_all_answers_changes_no_figure(settings, publisher, replay, engine):
    """G12, for `chat_logs` and `usage_stats`."""
    topic = of(await make_topic(settings), "chat.completed")
    line = subscription(topic, ConversationLog(ChatLogs(engine)))
    async with running(settings, publisher, line):
        for number in range(20):
            answer = completed().model_copy(update={"message_id": uuid4(), "client_id": f"c{number % 3}"})
            await send(publisher, topic, answer.session_id, answer)
        await until_committed(settings, line, {0: 20})
    before = await figures(engine)

    await replay(line)
    async with running(settings, publisher, line):
        await until_committed(settings, line, {0: 20})

    assert len(before[0]) == 20
    assert sum(row["answers"] for row in before[1]) == 20
    assert await figures(engine) == before


async def test_replaying_all_documents_duplicates_no_point(settings, publisher, replay, engine, tmp_path):
    """G12: with the documents' rows, and without them, as when an index is rebuilt."""
    topic, embedder = of(await make_topic(settings), "document.uploaded"), FakeEmbedder()
    vectors = await open_vectors(str(tmp_path / "qdrant"), None, space=embedder.name, dimensions=embedder.dimensions)
    uploads = Uploads((tmp_path / "uploads").as_uri())
    (tmp_path / "workspace").mkdir()
    stages = Stages(uploads, vectors, embedder, no_embedding_cache())
    handler = Ingestion(Documents(engine), uploads, vectors, stages, tmp_path / "workspace")
    line = subscription(topic, handler, deadline_seconds=60.0)

    async def points():
        return [await vectors.count("acme", f"d{number}") for number in range(3)]

    try:
        async with running(settings, publisher, line):
            for number in range(3):
                await send(publisher, topic, f"d{number}", await upload(uploads, f"d{number}"))
            await until_committed(settings, line, {0: 3})
        before = await points()
        for has_rows in (True, False):
            if not has_rows:
                async with engine.begin() as connection:
                    await connection.execute(text("DELETE FROM documents"))
            await replay(line)
            async with running(settings, publisher, line):
                await until_committed(settings, line, {0: 3})
            assert await points() == before
    finally:
        await vectors.close()

    assert min(before) >= 1


async def upload(uploads, name):
    words = "\n\n".join(f"# Part {part}\n\n" + f"{name} tells of parcels and returns. " * 60 for part in range(4))
    stored = await uploads.put("acme", name, 1, f"{name}.md", stream_of(words.encode()), max_bytes=10**6)
    return DocumentUploaded(
        client_id="acme", document_id=name, uri=stored.uri, sha256=stored.sha256, media_type="text/markdown",
        size_bytes=stored.size_bytes, filename=f"{name}.md", title=name, version=1, uploaded_at=datetime.now(UTC),
    )  # fmt: skip


def of(topic, name):
    """The test's topic with the event types of a real one."""
    real = next(one for one in TOPICS if one.name == name)
    return replace(real, name=topic.name, partitions=topic.partitions)
