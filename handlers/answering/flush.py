"""The beat of a process: moments 40 ms apart at which all its answers tell what need not be told at once.

What goes to Kafka together comes from it together: with 50 answers a gateway's part of one costs 1 ms less of 6
(`bench.latency`).
"""

import asyncio

FLUSH_SECONDS = 0.04
# A timer may fire a little before its time: that was the beat, and the next one is wanted.
EARLY_TICKS = 0.1


def next_flush_tick() -> float:
    """When it comes, in loop time."""
    now = asyncio.get_running_loop().time()
    return (int(now / FLUSH_SECONDS + EARLY_TICKS) + 1) * FLUSH_SECONDS


async def flush_tick() -> None:
    """Returns at the next one."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(next_flush_tick() - loop.time())
