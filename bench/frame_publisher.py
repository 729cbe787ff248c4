"""Publishes answer deltas to Kafka at a steady pace, for `bench.gateway`. Each frame holds the time it was sent.

`python -m bench.frame_publisher --kafka HOST:PORT --client C --prefix P --sessions N --frames-per-second R --seconds T`
"""

import argparse
import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from streams.codec import ANSWER, CLIENT_ID, EVENT_TYPE
from streams.kafka.partitioner import partition_for
from streams.topics import CHAT_TOKEN

TEXT = "five tokens of an answer "


@dataclass(slots=True)
class SentAnswer:
    """One session's running answer."""

    session_id: bytes
    message_id: str
    seq: int = 0

    def record(self) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
        """Its next delta: key, value, headers."""
        place = f'"messageId":"{self.message_id}","attempt":1,"seq":{self.seq}'
        value = f'{{{place},"text":"{TEXT}","sent":{time.time():.6f}}}'.encode()
        answer = f"{self.message_id}/1/{self.seq}".encode()
        self.seq += 1
        return self.session_id, value, [(ANSWER, answer)]


async def publish(kafka: str, client: str, sessions: Iterable[str], per_second: int, seconds: float) -> int:
    """Sends each session a frame per turn, in one batch per partition. Returns how many were sent."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks=1, linger_ms=0)
    await producer.start()
    try:
        count = len(await producer.partitions_for(CHAT_TOKEN.name))
        answers_of: dict[int, list[SentAnswer]] = defaultdict(list)
        for name in sessions:
            answers_of[partition_for(name.encode(), count)].append(SentAnswer(name.encode(), str(uuid4())))
        started, sent, waiting = time.monotonic(), 0, []
        for turn in range(int(seconds * per_second)):
            for place, (partition, answers) in enumerate(answers_of.items()):
                due = started + (turn + place / len(answers_of)) / per_second
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                waiting.append(await send_batch(producer, partition, client.encode(), answers))
                sent += len(answers)
            waiting = [one for one in waiting if not one.done()]
        await asyncio.gather(*waiting)
        return sent
    finally:
        await producer.stop()


async def send_batch(
    producer: AIOKafkaProducer, partition: int, client: bytes, answers: list[SentAnswer]
) -> asyncio.Future[object]:
    """One batch with the next frame of each answer; resolves when Kafka has it."""
    batch = producer.create_batch()
    for answer in answers:
        key, value, headers = answer.record()
        marked = [*headers, (CLIENT_ID, client), (EVENT_TYPE, b"AnswerDelta")]
        appended = batch.append(key=key, value=value, timestamp=int(time.time() * 1000), headers=marked)
        assert appended is not None, "the batch is full"
    batch.close()
    sent: asyncio.Future[object] = await producer.send_batch(batch, CHAT_TOKEN.name, partition=partition)
    return sent


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--client", required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--sessions", type=int, required=True)
    parser.add_argument("--frames-per-second", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    names = [f"{given.prefix}-{number}" for number in range(given.sessions)]
    print(asyncio.run(publish(given.kafka, given.client, names, given.frames_per_second, given.seconds)), flush=True)
