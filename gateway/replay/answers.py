"""What frames add up to: the text, the sources and the ending of an answer. Decoded only when it is asked for."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

import msgspec
import orjson

from gateway.replay import frame_data
from schemas.bounds import MAX_NUMBER
from schemas.events import ENDINGS, AnswerState
from stores.chat_logs import ChatLog


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One record of `chat.token`: its place on the log, its place in its answer, and the SSE data as it came.

    Rings hold hundreds of thousands of them, and the garbage collector looks through none: as named tuples they made it
    stop every stream for 150 ms every 15 s, once the rings were full (`bench.gateway`).
    """

    offset: int
    message_id: str
    attempt: int
    seq: int
    event: str
    data: bytes
    timestamp_ms: int

    @property
    def is_ending(self) -> bool:
        """After this one nothing more of its message counts."""
        return self.event in ENDINGS


@dataclass(slots=True)
class FoldedAnswer:
    """One answer as far as its frames tell. A higher attempt starts the text anew.

    `is_whole` is False when its first frames were never seen, so that `text` must not be shown as the answer's.
    """

    message_id: str
    attempt: int = 0
    seq: int = 0
    is_whole: bool = True
    state: AnswerState = "running"
    question: str | None = None
    asked_at: datetime | None = None
    text: str = ""
    sources: list[dict[str, Any]] = field(default_factory=list)
    sources_bytes: int = 0
    model: str = ""
    ending: dict[str, Any] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """What it weighs, nearly."""
        return len(self.text) + self.sources_bytes + len(self.question or "")

    @classmethod
    def logged(cls, row: ChatLog) -> Self:
        """The ended answer that `chat_logs` remembers, which has forgotten how many events it took: whoever has seen
        some of them must not take it for older.
        """
        return cls(
            message_id=str(row.message_id),
            attempt=row.attempt,
            seq=MAX_NUMBER,
            state=row.outcome,
            question=row.question,
            asked_at=row.requested_at,
            text=row.answer,
            sources=[source.model_dump(mode="json", exclude_none=True) for source in row.sources],
            model=row.model,
            ending={
                "usage": row.usage.model_dump(mode="json"),
                "finishReason": row.finish_reason,
                "code": row.failure_code or "internal",
            },
        )

    def fold(self, frame: Frame) -> None:
        """Take the next frame of this answer, in the order of the log."""
        if frame.attempt > self.attempt:
            self.attempt, self.text, self.sources, self.model = frame.attempt, "", [], ""
            self.sources_bytes = 0
        self.seq = frame.seq
        match frame_data.decode(frame.event, frame.data):
            case frame_data.AskedData(question=question, asked_at=asked_at):
                self.question, self.asked_at = question, asked_at
            case frame_data.StartedData(model=model):
                self.model = model
            case frame_data.SourcesData(sources=sources):
                self.sources, self.sources_bytes = msgspec.to_builtins(sources), len(frame.data)
            case frame_data.DeltaData(text=text):
                self.text += text
            case ending:
                self.state = ENDINGS[frame.event]
                self.ending = msgspec.to_builtins(ending)
                self.model = self.ending.get("model") or self.model

    def copy(self) -> Self:
        """An independent copy to fold further."""
        return replace(self)

    def snapshot(self) -> bytes:
        """The data of the `snapshot` event (`wire.md`)."""
        asked = {"question": self.question, "askedAt": self.asked_at} if self.question is not None else {}
        return orjson.dumps(
            {
                "messageId": self.message_id,
                "attempt": self.attempt,
                "seq": self.seq,
                **asked,
                "text": self.text,
                "sources": self.sources,
                "state": self.state,
            },
            option=orjson.OPT_UTC_Z,
        )
