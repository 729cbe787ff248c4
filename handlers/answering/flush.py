"""The beat of a process: moments 40 ms apart at which all its answers tell what need not be told at once.

What goes to Kafka together comes from it together: with 50 answers a gateway's part of one costs 1 ms less of 6
(`bench.latency`).
"""

import asyncio

BEAT_SECONDS = 0.04
# A timer may fire a little before its time: that was the beat, and the next one is wanted.
EARLY_BEATS = 0.1


def next_beat() -> float:
    """When it comes, in loop time."""
    now = asyncio.get_running_loop().time()
    return (int(now / BEAT_SECONDS + EARLY_BEATS) + 1) * BEAT_SECONDS


async def beat() -> None:
    """Returns at the next one."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(next_beat() - loop.time())
