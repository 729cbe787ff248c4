"""A record that cannot be handled is kept byte for byte beside its topic, with where it came from and why (G10)."""

from datetime import UTC, datetime

from streams.codec import Record
from streams.publisher import Publisher, acknowledged
from streams.topics import Topic

ORIGIN_TOPIC = "dead-letter-topic"
ORIGIN_PARTITION = "dead-letter-partition"
ORIGIN_OFFSET = "dead-letter-offset"
ERROR = "dead-letter-error"
ATTEMPTS = "dead-letter-attempts"
GROUP = "dead-letter-group"
TIME = "dead-letter-time"
PREFIX = "dead-letter-"
MAX_ERROR_CHARACTERS = 2_000


class DeadLetters:
    """Writes to `<topic>.dead`. The record's own headers come first, as they were."""

    def __init__(self, publisher: Publisher, group: str) -> None:
        self._publisher = publisher
        self._group = group

    async def keep(self, topic: Topic, record: Record, error: Exception, attempts: int) -> None:
        """Returns once it is acknowledged. Raises `PublishError`: the record must then not be committed."""
        origin = {
            ORIGIN_TOPIC: record.topic,
            ORIGIN_PARTITION: str(record.partition),
            ORIGIN_OFFSET: str(record.offset),
            ERROR: f"{type(error).__name__}: {error}"[:MAX_ERROR_CHARACTERS],
            ATTEMPTS: str(attempts),
            GROUP: self._group,
            TIME: datetime.now(UTC).isoformat(),
        }
        headers = [*record.headers, *((name, text.encode(errors="replace")) for name, text in origin.items())]
        await acknowledged(await self._publisher.send_raw(topic.dead, record.key, record.value, headers))
