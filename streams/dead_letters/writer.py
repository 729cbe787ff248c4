"""Writes a record that cannot be handled to its dead-letter topic, unchanged, with its origin and the reason (G10)."""

from datetime import UTC, datetime

from streams.codec import Record
from streams.publisher import EventTooLargeError, Publisher, acknowledged
from streams.topics import Topic

ORIGIN_TOPIC = "dead-letter-topic"
ORIGIN_PARTITION = "dead-letter-partition"
ORIGIN_OFFSET = "dead-letter-offset"
ERROR = "dead-letter-error"
ATTEMPTS = "dead-letter-attempts"
GROUP = "dead-letter-group"
TIME = "dead-letter-time"
TRUNCATED = "dead-letter-truncated"
"""How many bytes the value had before it was cut."""
PREFIX = "dead-letter-"
MAX_ERROR_CHARACTERS = 2_000
TRUNCATED_BYTES = 256 * 1024
SMALL_HEADER_BYTES = 1_024
MAX_HEADERS = 64


class DeadLetters:
    """Writes to `<topic>.dead`. The record's own headers come first, unchanged."""

    def __init__(self, publisher: Publisher, group: str) -> None:
        self._publisher = publisher
        self._group = group

    async def write(self, topic: Topic, record: Record, error: Exception, attempts: int) -> None:
        """Returns once it is acknowledged. A record that is too large (it may have been compressed on its own topic) is
        cut, and a header says so. Raises `PublishError`: the record must then not be committed.
        """
        origin = self._origin(record, error, attempts)
        try:
            await self._send(topic, record, record.value, [*record.headers, *origin])
        except EventTooLargeError:
            value = (record.value or b"")[:TRUNCATED_BYTES]
            await self._send(topic, record, value, [*_small(record), *origin, *_truncated_size(record)])

    async def _send(self, topic: Topic, record: Record, value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
        await acknowledged(await self._publisher.send_raw(topic.dead, record.key, value, headers))

    def _origin(self, record: Record, error: Exception, attempts: int) -> list[tuple[str, bytes]]:
        origin = {
            ORIGIN_TOPIC: record.topic,
            ORIGIN_PARTITION: str(record.partition),
            ORIGIN_OFFSET: str(record.offset),
            ERROR: f"{type(error).__name__}: {error}"[:MAX_ERROR_CHARACTERS],
            ATTEMPTS: str(attempts),
            GROUP: self._group,
            TIME: datetime.now(UTC).isoformat(),
        }
        return [(name, text.encode(errors="replace")) for name, text in origin.items()]


def _small(record: Record) -> list[tuple[str, bytes]]:
    """The record's small headers, at most `MAX_HEADERS` of them."""
    small = [(name, value) for name, value in record.headers if len(name) + len(value or b"") <= SMALL_HEADER_BYTES]
    return small[:MAX_HEADERS]


def _truncated_size(record: Record) -> list[tuple[str, bytes]]:
    return [(TRUNCATED, str(len(record.value or b"")).encode())]
