"""What we add to the model's time to first token: with 50 sessions, and with 50 questions at once.

The model is aimock: first token after 200 ms, then 50 tokens/s of 5 characters, 100 characters in all. Direct and
through the whole system (gateway, Kafka, retrieval with local embeddings, generation, Kafka, gateway) in one run, by
the same client. Everything shares this machine's cores, the model and the client too.
"""

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bench.aimock import aimock
from bench.asking import AskFunction, ask_directly, ask_gateway, ask_in_sessions
from bench.report import emit, percentile, rounded_median, say
from bench.servers import keys_of, servers
from chatconnect.dev_stack.seed import seed_documents
from tests.support import processes

SESSIONS = 50
SECONDS = 60.0
QUICK_SECONDS = 15.0
ROUNDS = 3
BURSTS = 5
BURST_PAUSE_SECONDS = 2.0
WARM_UP_SECONDS = 5.0
# Node and uvicorn close idle connections after 5 s; a question sent at that moment would be lost.
KEEP_ALIVE_SECONDS = 2.0
CLIENT = "demo"
TEXT = "".join(f"w{number:03} " for number in range(20))


@asynccontextmanager
async def system(model_url: str, folder: Path) -> AsyncIterator[str]:
    """The URL of a gateway over real servers, one worker, and the demo knowledge base."""
    given = {"openai_api_key": "sk-bench", "openai_base_url": model_url, "embeddings": "local", "instance_id": "bench"}
    async with servers(folder, [CLIENT], **given) as running:
        worker = processes.worker(running.settings, folder / "worker.log")
        gateway = processes.gateway(running.settings, folder / "gateway.log")
        url = gateway.url.removesuffix("/health/ready")
        try:
            await asyncio.gather(worker.start(), gateway.start())
            values = {"GATEWAY_URL": url, "CLIENT_SECRET_KEY": keys_of(CLIENT).secret}
            say(await seed_documents(values, folder / "seed.json"))
            yield url
        finally:
            await asyncio.gather(worker.stop(), gateway.stop(), return_exceptions=True)


async def measure(seconds: float, rounds: int) -> dict[str, object]:
    """Alternating rounds of direct and ours, then bursts of each."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with (
            aimock(folder, TEXT, first_ms=200, pieces_per_second=50, piece=5) as model_url,
            system(model_url, folder) as url,
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS)
            ) as http,
        ):
            direct = ask_directly(http, model_url)
            ours = ask_gateway(http, url, keys_of(CLIENT).secret)
            await ask_in_sessions(ours, SESSIONS, WARM_UP_SECONDS)
            paced = [
                (await ask_in_sessions(direct, SESSIONS, seconds / 2), await ask_in_sessions(ours, SESSIONS, seconds))
                for _ in range(rounds)
            ]
            bursts = [(await _burst(direct, turn), await _burst(ours, turn)) for turn in range(BURSTS)]
    return _figures(paced, bursts, seconds)


async def _burst(ask: AskFunction, turn: int) -> list[tuple[float, str]]:
    await asyncio.sleep(BURST_PAUSE_SECONDS)
    return await asyncio.gather(*(ask(f"burst-{turn}-{number}") for number in range(SESSIONS)))


Answers = list[tuple[float, str]]


def _figures(
    paced: list[tuple[Answers, Answers]], bursts: list[tuple[Answers, Answers]], seconds: float
) -> dict[str, object]:
    def added(share: float, rounds: list[tuple[Answers, Answers]]) -> float:
        return rounded_median([_ms(ours, share) - _ms(direct, share) for direct, ours in rounds], 1)

    texts = Counter(text for pair in (*paced, *bursts) for answers in pair for _, text in answers)
    for text in texts.keys() - {TEXT}:
        say(f"{texts[text]} of {texts.total()} answers: {text!r}")
    return {
        "sessions": SESSIONS,
        "chats_per_s": rounded_median([len(ours) / seconds for _, ours in paced], 1),
        "direct_chats_per_s": rounded_median([len(direct) / (seconds / 2) for direct, _ in paced], 1),
        "direct_ttft_p50_ms": rounded_median([_ms(direct, 0.5) for direct, _ in paced], 1),
        "direct_ttft_p95_ms": rounded_median([_ms(direct, 0.95) for direct, _ in paced], 1),
        "ttft_p50_ms": rounded_median([_ms(ours, 0.5) for _, ours in paced], 1),
        "ttft_p95_ms": rounded_median([_ms(ours, 0.95) for _, ours in paced], 1),
        "added_ttft_p50_ms": added(0.5, paced),
        "added_ttft_p95_ms": added(0.95, paced),
        "burst_direct_ttft_p50_ms": rounded_median([_ms(direct, 0.5) for direct, _ in bursts], 1),
        "burst_added_ttft_p50_ms": added(0.5, bursts),
        "identical": texts.keys() == {TEXT},
    }


def _ms(answers: Answers, share: float) -> float:
    return percentile([first for first, _ in answers], share) * 1000


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    started = time.monotonic()
    is_quick = parser.parse_args().quick
    figures = asyncio.run(measure(QUICK_SECONDS if is_quick else SECONDS, 1 if is_quick else ROUNDS))
    say(f"{time.monotonic() - started:.0f} s")
    emit(figures)
