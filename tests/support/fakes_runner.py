"""Scripted handler runs for the consumer on `fakes_kafka`; asserts what must never happen."""

import asyncio


class ScriptedRunner:
    """`script(record)` returns (seconds, delay or None, whether the run ignores a cancel)."""

    def __init__(self, broker, kafka, script):
        self._broker, self._kafka, self._script = broker, kafka, script
        self._held, self._running = {}, set()

    async def run(self, job, record):
        partition = record.topic_partition
        held = self._held.setdefault(job.partition, self._kafka().held_of(record))
        assert held is not None, "a record of a revoked partition was started"
        # A task created just before the close starts just after it: the drain waits for it.
        is_due = held.is_open or held.closed_at == asyncio.get_running_loop().time()
        assert is_due, "a record was started while its partition is being revoked"
        assert (partition, record.key) not in self._running, "a key ran twice at once"
        assert held.by_key[record.key][0] == record.offset, "a key ran out of order, or a record twice"
        self._running.add((partition, record.key))
        try:
            seconds, delay, ignores_cancel = self._script(record)
            await _sleep(seconds, ignores_cancel)
        except asyncio.CancelledError:
            self._broker.interrupted += 1
            raise
        finally:
            self._running.discard((partition, record.key))
        if delay is None:
            held.by_key[record.key].popleft()
            held.finished.add(record.offset)
            if held.log == self._broker.logs[partition]:
                self._broker.done[partition][record.offset] += 1
        return delay


async def _sleep(seconds, ignores_cancel):
    ends = asyncio.get_running_loop().time() + seconds
    while (left := ends - asyncio.get_running_loop().time()) > 0:
        try:
            await asyncio.sleep(left)
        except asyncio.CancelledError:
            if not ignores_cancel:
                raise
