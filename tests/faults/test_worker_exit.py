"""A handler that ignores its cancel does not keep its process alive (`docs/faults.md`)."""

import asyncio
import signal
import sys

import pytest

from streams.consuming import watchdog
from tests.integration.kafka import ask, asked, committed, subscription
from tests.support import processes
from tests.support.fakes import RecordingHandler
from tests.support.kafka_topics import make_topic
from tests.support.patience import SECONDS

WORKER = """
import asyncio, signal, sys
from dataclasses import replace
from schemas.settings import Settings
from streams.consuming import runtime
from streams.publisher import Publisher
from streams.topics import CHAT_REQUESTED
from tests.support.fakes import RecordingHandler
from tests.integration.kafka import subscription

runtime.DRAIN_SECONDS = 1.0
LIMITS = {"max_dead_letters_in_a_row": 1, "cancel_seconds": 1.0}

async def ignore_cancels(event):
    if event.text == "poison":
        raise ValueError("a bug")
    print("started", flush=True)
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            print("cancelled", flush=True)

async def main():
    settings, stop = Settings(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    topic = replace(CHAT_REQUESTED, name=sys.argv[1], partitions=1)
    line = subscription(topic, RecordingHandler(ignore_cancels), limits=LIMITS)
    async with Publisher(settings) as publisher:
        await runtime.Runtime(settings, [line], publisher).run(stop)

asyncio.run(main())
"""


@pytest.mark.parametrize("reason", ["asked to stop", "a part of it died"])
async def test_a_handler_that_ignores_its_cancel_ends_with_its_process(settings, publisher, reason):
    """The process ends soon after the drain and logs the reason; the record stays uncommitted and is redelivered."""
    topic = await make_topic(settings)
    await ask(publisher, topic, asked("deaf", "x"))
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, topic.name, env=processes.environment(settings),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        await until_printed(worker, b"started\n")
        if reason == "asked to stop":
            worker.send_signal(signal.SIGTERM)
        else:
            await ask(publisher, topic, asked("other", "poison"))
        await until_printed(worker, b"cancelled\n")
        _, errors = await asyncio.wait_for(worker.communicate(), 5)
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()

    assert worker.returncode == watchdog.EX_SOFTWARE
    assert "A handler has ignored its cancel for 1 s" in errors.decode()
    line = subscription(topic, RecordingHandler())
    assert (await committed(settings, line.group, topic))[0] in (None, 0)


async def until_printed(worker, line):
    async with asyncio.timeout(SECONDS):
        while (printed := await worker.stdout.readline()) != line:
            assert printed, await worker.stderr.read()
