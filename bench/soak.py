"""Random questions while worker, gateways and broker are killed; afterwards nothing may be lost, doubled, out of
order or stuck: `python -m bench.soak --minutes 5 --json [--seed N]`. A violation's history is printed to stderr.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from statistics import median
from uuid import UUID

import aiohttp

from bench.report import emit, say
from bench.servers import keys_of
from bench.soak_account import KINDS, Account, AskedQuestion
from bench.soak_history import history
from bench.soak_site import CLIENTS, SoakSite, soak_site
from stores.postgres.database import create_engine
from tests.support.visitor import ReceivedAnswer, Visitor

VISITORS = 40
SECONDS_BETWEEN_KILLS = (4.0, 10.0)
SECONDS_BETWEEN_DOCUMENTS = (5.0, 20.0)
PAUSE_SECONDS = (0.5, 6.0)
CANCEL_SHARE = 0.05
# A worker that is dead half of the time must still keep up, or the soak measures a backlog.
MAX_WAITING = 4
SETTLE_SECONDS = 120.0
HISTORIES = 3


async def run_visitor(visitor: Visitor, number: int, rng: random.Random, account: Account, until: float) -> None:
    """One visitor: asks, sometimes three questions at once, sometimes cancels; waits when too many are open."""
    count, waiting = 0, list[ReceivedAnswer]()
    while time.monotonic() < until:
        for _ in range(rng.choice((1, 1, 1, 3))):
            name, message_id = f"v{number}q{count}", str(UUID(int=rng.getrandbits(128), version=4))
            count += 1
            received = await visitor.ask(message_id, f"What does the zebra handbook say? ask-{name}")
            asked = AskedQuestion(visitor, message_id, name, received)
            account.asked.append(asked)
            waiting.append(received)
            if rng.random() < CANCEL_SHARE:
                asked.is_cancelled = True
                await asyncio.sleep(rng.random())
                await visitor.cancel(message_id)
        await asyncio.sleep(rng.uniform(*PAUSE_SECONDS))
        waiting = [received for received in waiting if not received.endings]
        while len(waiting) > MAX_WAITING:
            await waiting.pop(0).ended.wait()


async def upload_for(site: SoakSite, rng: random.Random, account: Account, until: float) -> None:
    """Uploads documents of all clients, a few a minute."""
    number = 0
    while time.monotonic() < until:
        client = rng.choice(CLIENTS)
        account.documents.append((client, await site.upload(client, f"notes-{number}")))
        number += 1
        await asyncio.sleep(rng.uniform(*SECONDS_BETWEEN_DOCUMENTS))


async def kill_for(site: SoakSite, rng: random.Random, until: float, tasks: asyncio.TaskGroup) -> None:
    """Kills a part every few seconds, even while others start; returns when everything is up."""
    while time.monotonic() < until:
        await asyncio.sleep(rng.uniform(*SECONDS_BETWEEN_KILLS))
        await site.restart_ended()
        await site.kill_one(rng, tasks)
    await site.until_up()
    await site.restart_ended()


async def run_load(
    site: SoakSite, visitors: list[Visitor], rng: random.Random, account: Account, seconds: float
) -> None:
    """Questions, uploads and kills for `seconds`; then waits until everything has ended."""
    until = time.monotonic() + seconds
    async with asyncio.TaskGroup() as tasks:
        follows = [tasks.create_task(visitor.follow()) for visitor in visitors]
        activities = [
            tasks.create_task(run_visitor(one, number, random.Random(rng.random()), account, until))
            for number, one in enumerate(visitors)
        ]
        activities.append(tasks.create_task(upload_for(site, random.Random(rng.random()), account, until)))
        await kill_for(site, rng, until, tasks)
        say("no more kills: waiting until everything has ended")
        await asyncio.wait(activities, timeout=SETTLE_SECONDS)
        await account.settle(SETTLE_SECONDS)
        for task in (*follows, *activities):
            task.cancel()


async def soak(minutes: float, seed: int) -> dict[str, object]:
    """The figures of one run."""
    rng, account = random.Random(seed), Account()
    timeout, connector = aiohttp.ClientTimeout(total=None), aiohttp.TCPConnector(limit=0)
    async with (
        soak_site() as site,
        aiohttp.ClientSession(trust_env=False, timeout=timeout, connector=connector) as http,
    ):
        visitors = [
            Visitor(http, site.urls, keys_of(rng.choice(CLIENTS)).secret, f"soak-{number}")
            for number in range(VISITORS)
        ]
        await run_load(site, visitors, rng, account, minutes * 60)
        engine = create_engine(site.settings.database_url)
        try:
            account.judge()
            await account.judge_rows(engine)
            await account.judge_documents(engine, SETTLE_SECONDS)
            for kind in KINDS:
                for asked in getattr(account, kind)[:HISTORIES]:
                    say(f"seed {seed} {kind} {asked.message_id} {asked.name}")
                    say("  " + "\n  ".join(await history(site, engine, asked)))
        finally:
            await engine.dispose()
        return _figures(seed, minutes, site, account)


def _figures(seed: int, minutes: float, site: SoakSite, account: Account) -> dict[str, object]:
    deaths = [kill.at for kill in site.kills if (kill.part, kill.signal) == ("worker", "SIGKILL")]
    recovery = account.recoveries(deaths, site.model.journal)
    for document in account.documents_not_ready:
        say(f"seed {seed} stuck document {document}")
    if account.surplus_counts:
        say(f"seed {seed} usage_stats differs from the rows of chat_logs by {account.surplus_counts}")
    visitors = {id(asked.visitor): asked.visitor for asked in account.asked}.values()
    return {
        "seed": seed,
        "minutes": minutes,
        "questions": len(account.asked),
        "documents": len(account.documents),
        "kills": len(site.kills),
        "kills_by_part": dict(Counter(kill.part for kill in site.kills)),
        "connections": sum(visitor.connections for visitor in visitors),
        "restarted_answers": sum(len(asked.received.attempts) > 1 for asked in account.asked),
        "lost": len(account.lost),
        "doubled": len(account.doubled) + account.surplus_counts,
        "out_of_order": len(account.out_of_order),
        "stuck": len(account.stuck) + len(account.documents_not_ready),
        "failed": len(account.failed),
        "recovery_seconds_p50": round(median(recovery), 1) if recovery else None,
        "recovery_seconds_max": round(max(recovery), 1) if recovery else None,
    }


def main() -> None:
    """Exit 1 on any violation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--json", action="store_true", help="The default and only form.")
    given = parser.parse_args()
    figures = asyncio.run(soak(given.minutes, given.seed))
    emit(figures)
    sys.exit(any(figures[kind] for kind in KINDS))


if __name__ == "__main__":
    main()
