"""Random bytes on every topic that we read and random HTTP requests, beside 20 honest sessions:
`python -m bench.fuzz --minutes 10 [--seed N]`. The same seed makes the same inputs, in about the same order.
"""

import argparse
import asyncio
import contextlib
import random
import re
import sys
import time
from dataclasses import dataclass, field
from statistics import median
from uuid import uuid4

import aiohttp
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from bench.fuzz_http import BadRequests, play
from bench.fuzz_records import BadRecords, Honest
from bench.report import emit, percentile, say
from bench.servers import keys_of
from bench.soak_account import AskedQuestion
from bench.soak_history import history
from bench.soak_site import CLIENTS, SoakSite, soak_site
from stores.postgres.database import create_engine
from streams.kafka.connection import connection
from tests.support.model_server import expected
from tests.support.visitor import Visitor

HONEST_SESSIONS = 20
HONEST_CLIENTS, FUZZER = CLIENTS[:2], CLIENTS[2]
RECORDS_PER_SECOND = 60
REQUESTS_PER_SECOND = 40
AT_ONCE = 200
CHAT_SECONDS = 60.0
PAUSE_SECONDS = (0.2, 2.0)
PROBE_SECONDS = 0.25
PROBE_TIMEOUT_SECONDS = 5.0
POLL_SECONDS = 1.0
LARGEST_BYTES = 1_000_000
SHOWN = 5
SERVER_ERROR = re.compile(rb"^HTTP/1\.1 500|\r\n\r\n?HTTP/1\.1 500")


@dataclass
class FuzzResults:
    """What was observed."""

    inputs: int = 0
    chats: int = 0
    deaths: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    server_errors: list[str] = field(default_factory=list)
    live_ms: list[float] = field(default_factory=list)
    honest: list[Honest] = field(default_factory=list)


async def chat(http: aiohttp.ClientSession, site: SoakSite, number: int, results: FuzzResults, until: float) -> None:
    """One honest session: question after question, each to its end."""
    client = HONEST_CLIENTS[number % len(HONEST_CLIENTS)]
    visitor = Visitor(http, site.urls, keys_of(client).secret, f"honest-{uuid4()}")
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(visitor.follow())
        count = 0
        while time.monotonic() < until:
            name, message_id = f"h{number}q{count}", str(uuid4())
            count += 1
            results.honest.append(Honest(client, visitor.session_id, message_id))
            del results.honest[: -HONEST_SESSIONS * 3]
            try:
                async with asyncio.timeout(CHAT_SECONDS):
                    received = await visitor.ask(message_id, f"What does the zebra handbook say? ask-{name}")
                    await received.ended.wait()
            except TimeoutError:
                asked = AskedQuestion(visitor, message_id, name, visitor.received[message_id])
                results.hangs.append(await known(site, asked))
                continue
            results.chats += 1
            if (received.text, received.endings, received.problems) != (
                expected(name, site.model.pieces),
                ["completed"],
                [],
            ):
                results.wrong.append(await known(site, AskedQuestion(visitor, message_id, name, received)))
            await asyncio.sleep(random.uniform(*PAUSE_SECONDS))
        following.cancel()


async def known(site: SoakSite, asked: AskedQuestion) -> str:
    """All that is known of a message that went wrong."""
    engine = create_engine(site.settings.database_url)
    try:
        return "\n  ".join([f"{asked.name} in {asked.visitor.session_id}", *await history(site, engine, asked)])
    finally:
        await engine.dispose()


async def write_records(site: SoakSite, records: BadRecords, results: FuzzResults, until: float) -> None:
    """Publishes bad records; ignores those that Kafka refuses."""
    producer = AIOKafkaProducer(**connection(site.settings), max_request_size=LARGEST_BYTES)
    await producer.start()
    try:
        while time.monotonic() < until:
            bad = records.next()
            with contextlib.suppress(KafkaError, OSError, AssertionError, ValueError):
                sent = await producer.send(bad.topic, bad.value, bad.key, bad.partition, bad.timestamp_ms, bad.headers)
                sent.add_done_callback(asyncio.Future.exception)
                results.inputs += 1
            await asyncio.sleep(1 / RECORDS_PER_SECOND)
    finally:
        await producer.stop()


async def send_requests(site: SoakSite, requests: BadRequests, results: FuzzResults, until: float) -> None:
    """Sends from addresses that no honest session has, because some limits are by address."""
    at_once = asyncio.Semaphore(AT_ONCE)
    ports = [int(url.rpartition(":")[2]) for url in site.urls]

    async def one(number: int) -> None:
        async with at_once:
            script = requests.next()
            answer = await play(script, "127.0.0.1", ports[number % 2], f"127.0.{1 + number % 7}.{1 + number % 250}")
            results.inputs += 1
            if SERVER_ERROR.search(answer):
                results.server_errors.append(repr(b"".join(script.pieces)[:600]))

    number = 0
    async with asyncio.TaskGroup() as tasks:
        while time.monotonic() < until:
            tasks.create_task(one(number))
            number += 1
            await asyncio.sleep(1 / REQUESTS_PER_SECOND)


async def probe(http: aiohttp.ClientSession, site: SoakSite, results: FuzzResults) -> None:
    """`/health/live` of each gateway, four times a second."""
    timeout = aiohttp.ClientTimeout(total=PROBE_TIMEOUT_SECONDS)
    while True:
        for url in site.urls:
            started = time.perf_counter()
            try:
                async with http.get(f"{url}/health/live", timeout=timeout) as response:
                    await response.read()
                    results.live_ms.append((time.perf_counter() - started) * 1000)
                    if response.status != 200:
                        results.hangs.append(f"/health/live answered {response.status}")
            except (aiohttp.ClientError, TimeoutError) as error:
                results.hangs.append(f"/health/live: {error!r}")
        await asyncio.sleep(PROBE_SECONDS)


async def watch(http: aiohttp.ClientSession, site: SoakSite, results: FuzzResults) -> None:
    """Counts and restarts each process that ends; counts each consumer that stops."""
    parts = {"worker": site.worker, "gateway 0": site.gateways[0], "gateway 1": site.gateways[1]}
    stopped: set[str] = set()
    while True:
        await asyncio.sleep(POLL_SECONDS)
        for name, part in parts.items():
            if part.exit_code is not None:
                results.deaths.append(f"{name} ended with {part.exit_code}: {part.last_lines(30)}")
                say(results.deaths[-1])
                await part.start()
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with http.get(site.worker.url) as response:
                found = set(re.findall(r"(chatconnect_consumer_stopped\{.*\}) 1\.0", await response.text()))
            results.deaths += sorted(found - stopped)
            stopped |= found


async def fuzz(minutes: float, seed: int) -> dict[str, object]:
    """The figures of one run."""
    rng, results = random.Random(seed), FuzzResults()
    timeout, connector = aiohttp.ClientTimeout(total=None), aiohttp.TCPConnector(limit=0)
    async with (
        soak_site() as site,
        aiohttp.ClientSession(trust_env=False, timeout=timeout, connector=connector) as http,
    ):
        keys = keys_of(FUZZER)
        records = BadRecords(random.Random(rng.random()), FUZZER, results.honest)
        requests = BadRequests(random.Random(rng.random()), keys.publishable, keys.secret)
        until = time.monotonic() + minutes * 60
        async with asyncio.TaskGroup() as tasks:
            beside = [tasks.create_task(probe(http, site, results)), tasks.create_task(watch(http, site, results))]
            work = [tasks.create_task(chat(http, site, number, results, until)) for number in range(HONEST_SESSIONS)]
            work.append(tasks.create_task(write_records(site, records, results, until)))
            work.append(tasks.create_task(send_requests(site, requests, results, until)))
            await asyncio.wait(work)
            for task in beside:
                task.cancel()
    for kind in ("deaths", "hangs", "wrong", "server_errors"):
        for one in getattr(results, kind)[:SHOWN]:
            say(f"seed {seed} {kind}: {one}")
    return {
        "seed": seed,
        "minutes": minutes,
        "inputs": results.inputs,
        "deaths": len(results.deaths),
        "hangs": len(results.hangs),
        "wrong_texts": len(results.wrong),
        "server_errors": len(results.server_errors),
        "honest_chats": results.chats,
        "live_p50_ms": round(median(results.live_ms), 1),
        "live_p99_ms": round(percentile(results.live_ms, 0.99), 1),
    }


def main() -> None:
    """Exit 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    given = parser.parse_args()
    figures = asyncio.run(fuzz(given.minutes, given.seed))
    emit(figures)
    sys.exit(any(figures[kind] for kind in ("deaths", "hangs", "wrong_texts", "server_errors")))


if __name__ == "__main__":
    main()
