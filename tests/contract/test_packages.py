"""The npm packages `eventsource`, `eventsource-client` and `eventsource-parser`, on recordings and a real gateway."""

import asyncio
import json
from contextlib import AsyncExitStack
from uuid import uuid4

import jsonschema_rs
import pytest

from gateway.app import GatewayTiming
from gateway.streaming.timing import StreamTiming
from schemas import sse
from tests.contract.conftest import SOURCE
from tests.contract.cutting_proxy import CuttingProxy
from tests.contract.record import FOLDER
from tests.contract.recorded import ALL
from tests.support.gateway_running import ScriptedWorker, answer_of, running_gateway

PACKAGES = ["eventsource-parser", "eventsource", "eventsource-client"]
NODE_SECONDS = 60
TEXT = " ".join(f"語{number}👋🏽é\n" for number in range(60))
# Positions in the whole response: inside its headers, inside an event, and later.
CUT_BYTES = (100, 1_001, 1_503, 2_222)


async def node(folder, script, *arguments):
    """The parsed JSON that the script prints."""
    process = await asyncio.create_subprocess_exec(
        "node", script, *arguments, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(NODE_SECONDS):
            printed, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, complaints.decode()
    return json.loads(printed)


def test_the_lockfile_pins_every_package_and_names_no_registry():
    lock = json.loads((SOURCE / "package-lock.json").read_text("utf-8"))
    packages = [package for path, package in lock["packages"].items() if path]

    assert {path.removeprefix("node_modules/") for path in lock["packages"] if path} == set(PACKAGES)
    assert all(package["version"] and package["integrity"] for package in packages)
    assert not any("resolved" in package for package in packages), "tests/contract/node/.npmrc must omit `resolved`"


@pytest.mark.parametrize("package", PACKAGES)
async def test_the_package_reads_every_recording_wherever_the_bytes_are_cut(package, node_folder):
    outcomes = await node(node_folder, "recordings.mjs", package, str(FOLDER))

    assert outcomes.keys() == {each.name for each in ALL}
    for recording in ALL:
        [outcome] = outcomes[recording.name]
        assert outcome == {key: recording.expected[key] for key in outcome}, recording.name


@pytest.mark.parametrize("instances", [1, 2])
@pytest.mark.parametrize("package", PACKAGES)
async def test_the_package_resumes_a_real_answer_after_every_drop(
    package, instances, node_folder, settings, database_url
):
    timing = GatewayTiming(streams=StreamTiming(retry_ms=(20, 60)))
    own = settings.model_copy(update={"database_url": database_url})
    async with AsyncExitStack() as stack:
        gateways = [await stack.enter_async_context(running_gateway(own, timing=timing)) for _ in range(instances)]
        # The client based on eventsource-parser disconnects by itself, so its connections need no cuts.
        cuts = () if package == "eventsource-parser" else CUT_BYTES
        proxy = await stack.enter_async_context(CuttingProxy([each.url for each in gateways], cuts).serving())

        async def in_two_halves(question):
            events = answer_of(question, TEXT)
            for number, event in enumerate(events):
                if number == len(events) // 2:
                    await proxy.opened(streams=3)
                yield event

        await stack.enter_async_context(ScriptedWorker(own, in_two_halves))
        keys = await gateways[0].seed(f"c-{uuid4().hex}")
        found = await node(node_folder, "follow.mjs", package, proxy.url, keys.secret, uuid4().hex, str(uuid4()))

    assert found["told"] == {"text": TEXT + " ", "state": "completed", "attempt": 1, "sources": [1]}
    assert len(proxy.came_with) >= 3
    assert any(proxy.came_with), "no stream was resumed from an id"
    events = jsonschema_rs.validator_for(sse.schema())
    assert [error.message for event in found["seen"] for error in events.iter_errors(event)] == []
