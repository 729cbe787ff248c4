"""The flush tick of a process: every 40 ms all its answers publish what they have gathered.

What goes to Kafka together comes from it together: with 50 answers a gateway's part of one costs 1 ms less of 6
(`bench.latency`).
"""

import asyncio

FLUSH_SECONDS = 0.04
# A timer may fire a little early: that tick counts as over, and the next one is returned.
EARLY_TICKS = 0.1


def next_flush_tick() -> float:
    """When it comes, in loop time."""
    now = asyncio.get_running_loop().time()
    return (int(now / FLUSH_SECONDS + EARLY_TICKS) + 1) * FLUSH_SECONDS


async def flush_tick() -> None:
    """Returns at the next one."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(next_flush_tick() - loop.time())
