"""A scripted Kafka that runs thousands of consumer schedules in seconds (`jumping_loop`).

It behaves as aiokafka does: partitions are revoked and assigned all at once, and nothing is read in between. A commit
takes time; it may be refused, lost, or done without an answer, and is then retried with the current generation.
The end of a recreated log is below the old position until the consumer notices; until then commits have no effect.
"""

import asyncio
from types import SimpleNamespace

from aiokafka.errors import CommitFailedError, IllegalStateError

from tests.support.fakes_broker import Held

NETWORK_SECONDS = 0.02
BACKOFF_SECONDS = 0.1


class ScriptedKafka:
    """The part of `AIOKafkaConsumer` that the runtime uses. The test calls `rebalance` as a coordinator would."""

    def __init__(self, broker, listener):
        self._broker, self._listener = broker, listener
        self.held = {}
        self._paused = set()
        self._is_joined = asyncio.Event()
        self._rebalancing = asyncio.Lock()
        self._coordinator = SimpleNamespace(member_id="the only one")
        self._commits = asyncio.Lock()
        self._generation = 0
        self._is_draining = False

    async def rebalance(self, numbers, *, others_work=False):
        """Revokes every partition, then assigns `numbers`. Rebalances run one at a time, as in a real group."""
        async with self._rebalancing:
            self._is_joined.clear()
            self.close()
            await self._listener.on_partitions_revoked(set(self.held))
            self._broker.look_back(self.held)
            await asyncio.sleep(NETWORK_SECONDS)
            self.held.clear()
            self._paused.clear()
            self._generation += 1
            given = [self._broker.partitions[number] for number in numbers]
            for other in set(self._broker.partitions) - set(given) if others_work else ():
                self._broker.serve(other)
            self.held.update({one: self._broker.start(one) for one in given})
            if self._is_draining:
                self.close()
            await self._listener.on_partitions_assigned(set(given))
            self._is_joined.set()

    def drain(self):
        """From here on no record may be started, even of partitions assigned later."""
        self._is_draining = True
        self.close()

    def close(self):
        """From here on no record of the assigned partitions may be started."""
        for held in self.held.values():
            one = held
            while one is not None:
                one.close()
                one = one.former if not one.is_noticed else None

    def made_anew(self, partition):
        """The next offset is out of range: reading restarts at the beginning of the log."""
        held, log = self.held.get(partition), self._broker.logs[partition]
        if held is not None and held.given:
            fresh = Held(0, log, held, is_noticed=False, is_open=held.is_open, closed_at=held.closed_at)
            self.held[partition] = fresh
        elif held is not None:
            held.position, held.log = 0, log

    def held_of(self, record):
        held = self.held.get(record.topic_partition)
        while held is not None and held.log != record.log:
            held = held.former
        return held

    def _known(self, partition):
        held = self.held.get(partition)
        while held is not None and not held.is_noticed:
            held = held.former
        return held

    async def getmany(self, *, timeout_ms, max_records):
        await self._is_joined.wait()
        await asyncio.sleep(NETWORK_SECONDS)
        if not self._is_joined.is_set() or not (found := self._read(min(max_records, self._broker.batch))):
            self._broker.appended.clear()
            try:
                async with asyncio.timeout(timeout_ms / 1000):
                    await self._broker.appended.wait()
            except TimeoutError:
                pass
            return {}
        return found

    def _read(self, room):
        found = {}
        for partition, held in self.held.items():
            if partition in self._paused:
                continue
            found[partition] = [one for one in self._broker.log[partition] if one.offset >= held.position][:room]
            for record in found[partition]:
                held.position = record.offset + 1
                held.given.add(record.offset)
                held.by_key[record.key].append(record.offset)
            if held.is_open and found[partition] and not held.is_noticed:
                held.is_noticed = True
                held.former.close()
            if held.is_open:
                self._broker.most_unfinished = max(self._broker.most_unfinished, len(held.unfinished))
        return {partition: records for partition, records in found.items() if records}

    async def commit(self, offsets):
        """Only the consumer checks the assignment, and only once: a retry does not check again."""
        at = {partition: self._known(partition) for partition in offsets}
        if not all(at.values()):
            raise IllegalStateError("a partition is not assigned")
        while not await self._try({at[partition]: (partition, one.offset) for partition, one in offsets.items()}):
            await asyncio.sleep(BACKOFF_SECONDS)

    async def _try(self, offsets):
        async with self._commits:
            generation = self._generation
            await asyncio.sleep(NETWORK_SECONDS)
            fault = self._broker.commit_faults.popleft() if self._broker.commit_faults else None
            if fault == "lost":
                return False
            if fault == "refused" or generation != self._generation:
                raise CommitFailedError("the group has rebalanced")
            for held, (partition, offset) in offsets.items():
                self._broker.commit(partition, held, offset)
            if fault == "unanswered":
                await asyncio.sleep(3600)
            return fault is None

    def pause(self, *partitions):
        assert set(partitions) <= set(self.held), "paused a partition that is not assigned"
        self._paused.update(partitions)

    def resume(self, *partitions):
        assert set(partitions) <= set(self.held), "resumed a partition that is not assigned"
        self._paused.difference_update(partitions)

    def paused(self):
        return set(self._paused)

    def highwater(self, partition):
        return self._broker.end(partition)

    async def end_offsets(self, partitions):
        return {partition: self._broker.end(partition) for partition in partitions}

    async def position(self, partition):
        return self.held[partition].position
