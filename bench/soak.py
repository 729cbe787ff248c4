"""Random questions while worker, gateways and broker are killed; afterwards nothing may be lost, doubled, out of
order or stuck: `python -m bench.soak --minutes 5 --json [--seed N]`. On a violation the history is on stderr.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from uuid import UUID

import aiohttp
from sqlalchemy import text

from bench.model_server import expected
from bench.report import emit, say
from bench.soak_site import CLIENTS, SoakSite, keys_of, soak_site
from bench.visitor import Told, Visitor
from stores.database import create_engine

VISITORS = 40
SECONDS_BETWEEN_KILLS = (2.0, 5.0)
# What was on its way when the worker died may still arrive; a start after that is the next worker's.
IN_FLIGHT_SECONDS = 0.5
PAUSE_SECONDS = (0.5, 6.0)
CANCEL_SHARE = 0.05
SETTLE_SECONDS = 120.0
LOG_SECONDS = 60.0


@dataclass(slots=True)
class Asked:
    """A question whose POST was answered with 202."""

    visitor: Visitor
    message_id: str
    name: str
    told: Told
    is_cancelled: bool = False


@dataclass(slots=True)
class Account:
    """What happened, and what should not have."""

    asked: list[Asked] = field(default_factory=list)
    lost: list[Asked] = field(default_factory=list)
    doubled: list[Asked] = field(default_factory=list)
    out_of_order: list[Asked] = field(default_factory=list)
    stuck: list[Asked] = field(default_factory=list)
    failed: list[Asked] = field(default_factory=list)


async def behave(visitor: Visitor, number: int, dice: random.Random, account: Account, until: float) -> None:
    """One visitor: questions, sometimes three at once, sometimes taken back."""
    count = 0
    while time.monotonic() < until:
        for _ in range(dice.choice((1, 1, 1, 3))):
            name, message_id = f"v{number}q{count}", str(UUID(int=dice.getrandbits(128), version=4))
            count += 1
            told = await visitor.ask(message_id, f"What does the zebra handbook say? ask-{name}")
            asked = Asked(visitor, message_id, name, told)
            account.asked.append(asked)
            if dice.random() < CANCEL_SHARE:
                asked.is_cancelled = True
                await asyncio.sleep(dice.random())
                await visitor.cancel(message_id)
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))


async def kill_for(site: SoakSite, dice: random.Random, until: float) -> None:
    """A death every few seconds."""
    while time.monotonic() < until:
        await asyncio.sleep(dice.uniform(*SECONDS_BETWEEN_KILLS))
        await site.revive()
        await site.kill_one(dice)


async def soak(minutes: float, seed: int) -> dict[str, object]:
    """The figures of one run."""
    dice, account = random.Random(seed), Account()
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        soak_site() as site,
        aiohttp.ClientSession(trust_env=False, timeout=timeout, connector=connector) as http,
    ):
        until = time.monotonic() + minutes * 60
        visitors = [
            Visitor(http, site.urls, keys_of(dice.choice(CLIENTS)).secret, f"soak-{number}")
            for number in range(VISITORS)
        ]
        async with asyncio.TaskGroup() as tasks:
            follows = [tasks.create_task(visitor.follow()) for visitor in visitors]
            behaviours = [
                tasks.create_task(behave(one, number, random.Random(dice.random()), account, until))
                for number, one in enumerate(visitors)
            ]
            await kill_for(site, dice, until)
            await site.revive()
            say("no more kills: waiting until everything has ended")
            await asyncio.wait(behaviours, timeout=SETTLE_SECONDS)
            await _settle(account)
            for follow in (*follows, *behaviours):
                follow.cancel()
        _judge(account, visitors)
        doubled_rows = await _judge_rows(site, account)
        return _figures(seed, minutes, site, account, doubled_rows)


async def _settle(account: Account) -> None:
    waits = [asyncio.create_task(asked.told.ended.wait()) for asked in account.asked if not asked.told.endings]
    if waits:
        await asyncio.wait(waits, timeout=SETTLE_SECONDS)
    for wait in waits:
        wait.cancel()


def _is_right(asked: Asked) -> bool:
    whole = expected(asked.name, 20)
    if asked.told.endings == ["cancelled"]:
        return asked.is_cancelled and whole.startswith(asked.told.text)
    return asked.told.text == whole


def _judge(account: Account, visitors: list[Visitor]) -> None:
    for asked in account.asked:
        told = asked.told
        if not told.endings:
            account.stuck.append(asked)
        elif len(told.endings) > 1 or told.problems:
            account.doubled.append(asked)
        elif told.endings == ["failed"]:
            account.failed.append(asked)
        elif not _is_right(asked):
            account.lost.append(asked)
    for visitor in visitors:
        order = [asked for asked in account.asked if asked.visitor is visitor]
        ended = [asked.message_id for asked in order if asked.told.endings]
        account.out_of_order += [
            asked
            for asked, place in zip([one for one in order if one.told.endings], visitor.endings, strict=False)
            if asked.message_id != place and ended != visitor.endings
        ]


async def _judge_rows(site: SoakSite, account: Account) -> int:
    """Every ended message has one row with what the visitor saw; usage counts each once. Returns surplus counts."""
    engine = create_engine(site.settings.database_url)
    wanted = {UUID(asked.message_id): asked for asked in account.asked if asked.told.endings}
    try:
        async with asyncio.timeout(LOG_SECONDS):
            while True:
                async with engine.connect() as connection:
                    rows = (await connection.execute(text("SELECT message_id, answer, outcome FROM chat_logs"))).all()
                    counted = (
                        await connection.execute(text("SELECT coalesce(sum(answers), 0) FROM usage_stats"))
                    ).scalar()
                if wanted.keys() <= {row.message_id for row in rows}:
                    break
                await asyncio.sleep(0.5)
    except TimeoutError:
        missing = wanted.keys() - {row.message_id for row in rows}
        account.lost += [wanted[one] for one in missing]
    finally:
        await engine.dispose()
    for row in rows:
        asked = wanted.get(row.message_id)
        if asked and (row.answer, row.outcome) != (asked.told.text, asked.told.endings[0]):
            asked.told.history.append(f"row: {row.outcome} {row.answer!r}")
            account.lost.append(asked)
    return abs(int(counted or 0) - len(rows))


def _figures(seed: int, minutes: float, site: SoakSite, account: Account, surplus: int) -> dict[str, object]:
    recovery = _recovery(site, account)
    for kind in ("lost", "doubled", "out_of_order", "stuck", "failed"):
        for asked in getattr(account, kind)[:3]:
            say(f"seed {seed} {kind} {asked.message_id} {asked.name} {asked.told.problems} {asked.told.code}")
            say(f"  told {asked.told.endings} {asked.told.text!r}")
            say("  " + "\n  ".join(asked.told.history[-60:]))
    return {
        "seed": seed,
        "minutes": minutes,
        "questions": len(account.asked),
        "kills": len(site.kills),
        "kills_by_part": dict(Counter(kill.part for kill in site.kills)),
        "connections": sum(asked.visitor.connections for asked in {id(a.visitor): a for a in account.asked}.values()),
        "restarted_answers": sum(asked.told.attempt > 1 for asked in account.asked),
        "lost": len(account.lost),
        "doubled": len(account.doubled) + surplus,
        "out_of_order": len(account.out_of_order),
        "stuck": len(account.stuck),
        "failed": len(account.failed),
        "worker_recovery_s_p50": round(median(recovery), 1) if recovery else None,
        "worker_recovery_s_max": round(max(recovery), 1) if recovery else None,
    }


def _recovery(site: SoakSite, account: Account) -> list[float]:
    """Seconds from each SIGKILL of the worker to the next answer that began at any visitor's."""
    visitors = {id(asked.visitor): asked.visitor for asked in account.asked}.values()
    starts = sorted(at for visitor in visitors for at in visitor.started_at)
    deaths = [kill.at for kill in site.kills if (kill.part, kill.signal) == ("worker", "SIGKILL")]
    found = (next((at for at in starts if at > death + IN_FLIGHT_SECONDS), None) for death in deaths)
    return [at - death for at, death in zip(found, deaths, strict=True) if at is not None]


def main() -> None:
    """Exit 1 on any violation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--json", action="store_true", help="The default and only form.")
    given = parser.parse_args()
    figures = asyncio.run(soak(given.minutes, given.seed))
    emit(figures)
    sys.exit(any(figures[kind] for kind in ("lost", "doubled", "out_of_order", "stuck", "failed")))


if __name__ == "__main__":
    main()
