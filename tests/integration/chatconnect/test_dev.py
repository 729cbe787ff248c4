"""`chatconnect dev` from a user's view: starts, stops, crashes, and the messages about them."""

import signal
import socket
import subprocess
import sys
import time

import asyncpg
import psutil
import pytest
from redis.asyncio import Redis

from chatconnect.embedded.ports import free_port
from chatconnect.last_stack import read_env
from streams.admin.topics import create_topics
from tests.integration.chatconnect.started_dev import (
    END_SECONDS,
    NAMES,
    READY_SECONDS,
    until,
    until_gone,
)

pytestmark = pytest.mark.timeout(300)


async def test_state_survives_a_graceful_restart(start):
    """SIGTERM ends it with 0 and leaves no process; the next start has the same keys, rows and Redis data."""
    first = start().until_ready()
    env = read_env(first.folder / "dev.env")
    database, redis = await asyncpg.connect(env["DATABASE_URL"]), Redis.from_url(env["REDIS_URL"])
    await database.execute("UPDATE clients SET name = 'Kept' WHERE client_id = 'demo'")
    await database.execute("INSERT INTO clients (client_id, name) VALUES ('kept', 'Kept')")
    await redis.set("kept", "yes")
    await database.close()
    await redis.aclose()
    family = first.family()
    first.process.send_signal(signal.SIGTERM)

    assert first.exit_code() == 0
    until_gone(family)
    assert list(env) == NAMES

    second = start().until_ready()
    again = read_env(second.folder / "dev.env")
    database, redis = await asyncpg.connect(again["DATABASE_URL"]), Redis.from_url(again["REDIS_URL"])

    assert await database.fetchval("SELECT count(*) FROM clients WHERE client_id = 'kept'") == 1
    assert await redis.get("kept") == b"yes"
    assert [again[name] for name in NAMES[6:]] == [env[name] for name in NAMES[6:]]
    await database.close()
    await redis.aclose()


def test_nobody_else_can_read_the_data_folder(start):
    """Even if an earlier version left it open."""
    folder = start().until_ready().folder
    family = psutil.Process().children(recursive=True)
    made = [path for path in folder.rglob("*") if path.owner() != "nobody"]
    open_to_others = [path for path in (folder, *made) if path.stat().st_mode & 0o077]

    assert family
    assert len(made) > 20
    assert [str(path) for path in open_to_others] == []


@pytest.mark.parametrize("name", ["müll 数据, 50% #1? back\\slash'\"", "x" * 120])
def test_any_name_of_a_data_folder_works(start, name):
    """Java decodes file names by the locale, and properties files have their own escapes."""
    stack = start(folder=name, LC_ALL="C", LANG="C").until_ready()

    assert sorted(path.name for path in stack.folder.parent.iterdir() if path.is_dir()) == sorted(["cache", name])
    assert {"kafka", "postgres", "redis"} <= {path.name for path in stack.folder.iterdir()}


@pytest.mark.parametrize("name", ["new\nline", "two::parts"])
def test_a_data_folder_with_an_impossible_name_is_refused_in_one_sentence(start, name):
    stack = start(folder=name)

    assert stack.exit_code() == 1
    assert "cannot be used" in stack.output
    assert not stack.folder.exists()


def test_two_stacks_that_start_at_once_both_run(start):
    first, second = start(folder="first"), start(folder="second")
    first.until_ready()
    second.until_ready()

    assert [len(stack.family()) >= 5 for stack in (first, second)] == [True, True]


def test_of_two_stacks_started_at_once_on_one_port_one_becomes_ready(start, replaced):
    first = start(folder="first", **replaced)
    second = start(folder="second", port=first.port, **replaced)
    ready = f"ready http://127.0.0.1:{first.port}"

    def decided() -> bool:
        return any(stack.process.poll() is not None for stack in (first, second)) and any(
            ready in stack.output for stack in (first, second)
        )

    until(decided, READY_SECONDS, lambda: first.output + second.output)
    runs = [stack for stack in (first, second) if ready in stack.output]
    ended = [stack for stack in (first, second) if stack.process.poll() is not None]

    assert len(runs) == len(ended) == 1
    assert runs != ended
    assert ended[0].exit_code() == 1


def test_a_kill_leaves_nothing_behind_and_the_next_start_waits_for_it(start):
    """After `kill -9` of dev every part ends by itself, and an immediate start takes over the folder."""
    killed = start().until_ready()
    family = killed.family()
    killed.process.kill()
    killed.exit_code()
    start().until_ready()
    until_gone(family)


@pytest.mark.parametrize(
    ("name", "variable"), [("Kafka", "KAFKA_BOOTSTRAP_SERVERS"), ("Postgres", "DATABASE_URL"), ("Redis", "REDIS_URL")]
)
def test_the_death_of_an_embedded_part_ends_the_others(start, replaced, name, variable):
    """The sentence names the part and how it ended; the exit code is not 0."""
    del replaced[variable]
    stack = start(**replaced).until_ready()
    family = stack.family()
    stack.part(name).kill()

    assert stack.exit_code() == 1
    assert f"{name} was killed by SIGKILL." in stack.output
    until_gone(family)


@pytest.mark.parametrize("name", ["The worker", "The gateway"])
def test_the_death_of_our_own_process_ends_the_others(start, replaced, name):
    """Parts named by the environment are not started, and keep running."""
    stack = start(**replaced).until_ready()
    family = stack.family()

    assert len(family) == 2

    stack.part(name).terminate()

    assert stack.exit_code() == 1
    assert f"{name} was killed by SIGTERM." in stack.output
    assert "Traceback" not in stack.output
    until_gone(family)


def test_a_second_signal_ends_everything_at_once(start, replaced):
    """Even when a process ignores the first one."""
    del replaced["REDIS_URL"]
    stack = start("STUBBORN", **replaced).until_ready()
    family = stack.family()
    stack.process.send_signal(signal.SIGINT)
    until(lambda: "stopping" in stack.output, END_SECONDS, lambda: stack.output)
    began = time.monotonic()
    stack.process.send_signal(signal.SIGINT)

    assert stack.exit_code() == 128 + signal.SIGINT
    until_gone(family)
    assert time.monotonic() - began < 5


def test_a_signal_during_the_start_leaves_nothing_behind(start):
    """Ctrl-C does not have to wait for `ready`."""
    stack = start()
    until(lambda: len(stack.family()) >= 2, READY_SECONDS, lambda: stack.output)
    family = stack.family()
    stack.process.send_signal(signal.SIGINT)

    assert stack.exit_code() == 0
    assert "Traceback" not in stack.output
    until_gone(family)


def test_a_data_folder_in_use_is_reported_at_once(start, replaced):
    """One sentence with the folder, a non-zero exit code, no traceback; the first stack keeps running."""
    first = start(**replaced).until_ready()
    second = start(**replaced)

    assert second.exit_code() == 1
    assert second.output.count("\n") == 1
    assert f"The data folder {first.folder} is in use" in second.output
    assert first.process.poll() is None


def test_a_port_in_use_is_reported_at_once(tmp_path):
    """One sentence with the port, a non-zero exit code, no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "-m", "chatconnect", "dev", "--data", str(tmp_path), "--port", port],
            capture_output=True,
            text=True,
            timeout=END_SECONDS,
        )

    assert ended.returncode == 1
    assert ended.stderr == f"Port {port} is in use: stop what listens there, or choose another one with --port.\n"


def test_an_unreachable_database_is_one_sentence(start, replaced):
    """If a part named by the environment is unreachable, the message contains its address."""
    stack = start(**{**replaced, "DATABASE_URL": f"postgresql://me:secret@127.0.0.1:{free_port()}/postgres"})

    assert stack.exit_code() == 1
    assert "Postgres at postgresql://me@127.0.0.1" in stack.output
    assert "secret" not in stack.output
    assert "Traceback" not in stack.output


async def test_services_named_by_the_environment_are_used(start, replaced, settings, services):
    """Topics and the demo client are created in the given parts."""
    start(**replaced, CLIENT_API_KEY="pk_given", CLIENT_SECRET_KEY="sk_given").until_ready()
    database = await asyncpg.connect(replaced["DATABASE_URL"])

    assert await database.fetchval("SELECT count(*) FROM api_keys WHERE client_id = 'demo'") == 2
    assert await create_topics(settings) == []
    await database.close()
