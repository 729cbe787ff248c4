"""The one list of topics: names, keys, events, retention. No other module spells a topic's name."""

from dataclasses import dataclass, field

from schemas import events
from schemas.events import Event

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
DEAD_SUFFIX = ".dead"


@dataclass(frozen=True, slots=True)
class Topic:
    """`key` names the field whose UTF-8 is the record's key; records of one key keep their order.

    No client waits for a record of a `best_effort` topic: it is lost while the topic or Kafka is unavailable.
    """

    name: str
    key: str
    events: tuple[type[Event], ...]
    partitions: int
    config: dict[str, str] = field(default_factory=dict)
    tombstone: type[Event] | None = None
    best_effort: bool = False

    @property
    def dead(self) -> str:
        """Name of the topic that keeps this topic's dead letters."""
        return self.name + DEAD_SUFFIX


def _retention(milliseconds: int) -> dict[str, str]:
    return {"retention.ms": str(milliseconds), "cleanup.policy": "delete"}


_COMPACTED = {"cleanup.policy": "compact"}

CHAT_REQUESTED = Topic("chat.requested", "session_id", (events.ChatRequested,), 24, _retention(7 * DAY_MS))
CHAT_RETRIEVED = Topic(
    "chat.retrieved", "session_id", (events.ChatRetrieved,), 24, _retention(DAY_MS), best_effort=True
)
CHAT_TOKEN = Topic(
    "chat.token",
    "session_id",
    (
        events.AnswerStarted,
        events.AnswerSources,
        events.AnswerDelta,
        events.AnswerCompleted,
        events.AnswerFailed,
        events.AnswerCancelled,
        events.QuestionAsked,
    ),
    24,
    _retention(HOUR_MS),
)
CHAT_COMPLETED = Topic("chat.completed", "session_id", (events.ChatCompleted,), 24, _retention(30 * DAY_MS))
CHAT_CANCELLED = Topic("chat.cancelled", "session_id", (events.ChatCancelled,), 1, _retention(HOUR_MS))
CHAT_FEEDBACK = Topic("chat.feedback", "session_id", (events.ChatFeedback,), 6, _retention(30 * DAY_MS))
DOCUMENT_UPLOADED = Topic(
    "document.uploaded",
    "document_id",
    (events.DocumentUploaded,),
    12,
    _COMPACTED,
    tombstone=events.DocumentDeleted,
)
DOCUMENT_PROGRESS = Topic("document.progress", "document_id", (events.DocumentProgress,), 12, _COMPACTED)

TOPICS = (
    CHAT_REQUESTED,
    CHAT_RETRIEVED,
    CHAT_TOKEN,
    CHAT_COMPLETED,
    CHAT_CANCELLED,
    CHAT_FEEDBACK,
    DOCUMENT_UPLOADED,
    DOCUMENT_PROGRESS,
)
# Without one of these no answer can be completed.
VITAL_TOPICS = frozenset({CHAT_REQUESTED.name, CHAT_TOKEN.name, CHAT_COMPLETED.name})
# A dead letter is its record plus the reason, so it may exceed what Kafka takes by default.
DEAD_CONFIG = _retention(30 * DAY_MS) | {"max.message.bytes": str(2 * 1024 * 1024)}

TOPIC_BY_EVENT: dict[type[Event], Topic] = {
    event: topic for topic in TOPICS for event in (*topic.events, *((topic.tombstone,) if topic.tombstone else ()))
}
EVENT_BY_NAME: dict[str, type[Event]] = {event.__name__: event for event in TOPIC_BY_EVENT}
