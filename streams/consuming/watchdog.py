"""Detects a stalled consumer, an instance id that is used twice, a handler that ignores its cancellation, and a blocked
event loop.

aiokafka stops fetching without an error after the loop was blocked for about a session timeout (#847, #1037), or when
its fetch task ends (#983, #1007). So progress is measured against the end of the log.
"""

import asyncio
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.consuming.assignment import Assignments
from streams.stall_detector import ConsumerStalledError

LOOK_SECONDS = 5.0
STALLED_SECONDS = 20.0
ASK_TIMEOUT_SECONDS = 10.0
POSITION_SECONDS = 1.0
BLOCKED_SECONDS = 120.0
HEARTBEAT_SECONDS = 1.0
MAX_REPLACED = 5
REPLACED_WITHIN_SECONDS = 60.0
YIELD_SECONDS = 1.0
CANCEL_SECONDS = 5.0
EX_SOFTWARE = 70

log = structlog.get_logger()


class ReplacedError(Exception):
    """Another process with our instance id keeps replacing us in the group."""


class Watchdog:
    """Compares what was received with the end of the log. Its owner reports each batch, poll, revocation and end."""

    def __init__(self, assignments: Assignments) -> None:
        self._assignments = assignments
        self._progress_at = time.monotonic()
        self._failing_since: float | None = None
        self._replaced_at: deque[float] = deque(maxlen=MAX_REPLACED)
        self._is_replaced = asyncio.Event()
        self._end_timer: asyncio.TimerHandle | None = None

    def received(self) -> None:
        """A batch arrived."""
        self._progress_at = time.monotonic()

    def polled(self, error: KafkaError | None) -> None:
        """Note a poll's result. Raises `ConsumerStalledError` after 20 s of polls with errors that are not retriable.

        A fenced join causes this: aiokafka does not know its error, fails for ever and gets no partition.
        """
        now = time.monotonic()
        if error is None or error.retriable:
            self._failing_since = None
            return
        self._failing_since = self._failing_since or now
        if now - self._failing_since > STALLED_SECONDS:
            self._failing_since = None
            raise ConsumerStalledError(f"no poll has succeeded for {STALLED_SECONDS:.0f} s: {error!r}")

    async def revoked(self, member_id: str) -> None:
        """Our partitions are revoked. An empty member id means that we were replaced as a static member.

        Two processes with one instance id replace each other at every heartbeat, and aiokafka rejoins for ever. The
        first to be replaced `MAX_REPLACED` times never joins again: the other one stays.
        """
        if member_id:
            return
        now = time.monotonic()
        self._replaced_at.append(now)
        if len(self._replaced_at) == MAX_REPLACED and now - self._replaced_at[0] < REPLACED_WITHIN_SECONDS:
            self._is_replaced.set()
            await asyncio.sleep(YIELD_SECONDS)  # meanwhile `watch` ends the run
            # Only this ends aiokafka's task: after any other error it would rejoin and replace the other process.
            raise asyncio.CancelledError

    def ended(self) -> None:
        """Every task of the run has ended."""
        if self._end_timer is not None:
            self._end_timer.cancel()

    async def watch(self, kafka: AIOKafkaConsumer) -> None:
        """Never returns; raises `ConsumerStalledError` after `STALLED_SECONDS` without a record while the log has more,
        and `ReplacedError` at once when we were replaced `MAX_REPLACED` times within a minute.

        Either ends the whole run; the process ends when `ended` is not called within `CANCEL_SECONDS`.
        """
        try:
            await self._watch(kafka)
        finally:
            self._end_timer = asyncio.get_running_loop().call_later(CANCEL_SECONDS, _end_uncancelled)

    async def _watch(self, kafka: AIOKafkaConsumer) -> None:
        self._progress_at = time.monotonic()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._is_replaced.wait()
                    raise ReplacedError("we keep being replaced: does another process have our INSTANCE_ID?")
            if not await self._is_behind(kafka):
                self._progress_at = time.monotonic()
            silent_seconds = time.monotonic() - self._progress_at
            if silent_seconds > STALLED_SECONDS:
                raise ConsumerStalledError(f"no record for {silent_seconds:.0f} s while the log has more")

    async def _is_behind(self, kafka: AIOKafkaConsumer) -> bool:
        """Also False while Kafka does not answer: then the consumer has not stalled."""
        paused = kafka.paused()
        held = [one for one in self._assignments if one.is_open and one.partition not in paused]
        if not held:
            return False
        try:
            async with asyncio.timeout(ASK_TIMEOUT_SECONDS):
                ends = await kafka.end_offsets([one.partition for one in held])
            for partition, end in ends.items():
                if end > await _position(kafka, partition):
                    return True
        except (KafkaError, TimeoutError) as error:
            log.warning("watchdog_cannot_ask", error=repr(error))
        return False


async def _position(kafka: AIOKafkaConsumer, partition: TopicPartition) -> int:
    """-1 when it is unknown: aiokafka's fetch task looks it up, and may have ended."""
    try:
        async with asyncio.timeout(POSITION_SECONDS):
            return int(await kafka.position(partition))
    except TimeoutError:
        return -1


def _end_uncancelled() -> None:
    _end_process(
        f"A handler has ignored its cancel for {CANCEL_SECONDS:.0f} s: the worker ends without it. "
        "Its record is not committed and will be handled again."
    )


def _end_process(reason: str) -> NoReturn:
    sys.stderr.write(f"{reason}\n")
    sys.stderr.flush()
    os._exit(EX_SOFTWARE)


@contextmanager
def blocked_loop_ends_process() -> Iterator[None]:
    """Runs a thread that ends the process, with the reason, when the loop has been blocked for `BLOCKED_SECONDS`.

    Long before that the group has reassigned our partitions; only a restart helps.
    """
    loop, ended, ran_at = asyncio.get_running_loop(), threading.Event(), [time.monotonic()]

    def note() -> None:
        ran_at[0] = time.monotonic()

    def look() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            loop.call_soon_threadsafe(note)
            blocked_seconds = time.monotonic() - ran_at[0]
            if blocked_seconds > BLOCKED_SECONDS:
                _end_process(f"The event loop has been blocked for {blocked_seconds:.0f} s: the worker ends.")

    thread = threading.Thread(target=look, name="loop-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
