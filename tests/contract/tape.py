"""Writes a stream byte for byte, without any product code."""

import json
from dataclasses import dataclass
from typing import Any

ONE, TWO, THREE = (f"0190b6f0-8f6e-7c3a-9d53-00000000000{number}" for number in (1, 2, 3))
SOURCES = [
    {"n": 1, "documentId": "doc_1", "title": "案内.pdf", "page": 3, "snippet": "左に曲がる", "score": 0.91},
    {"n": 2, "documentId": "doc_2", "title": "Grüße.md", "heading": "A > B", "snippet": "…", "score": 0.5},
]
USAGE = {"inputTokens": 9, "outputTokens": 4, "cacheReadTokens": 0, "cacheWriteTokens": 0, "estimated": False}
FAILURE = {"code": "provider", "message": "Es tut mir leid 😔", "retryable": True}
COMPLETION = {"finishReason": "stop", "citations": [1], "usage": USAGE, "model": "m-1"}


@dataclass
class Tape:
    """A stream being written. Each frame with an id has the next offset; `end` is the current line end."""

    end: str = "\n"
    body: str = ""
    offset: int = 0

    def lines(self, *lines: str) -> None:
        """One frame, closed by its blank line."""
        self.body += "".join(line + self.end for line in (*lines, ""))

    def place(self) -> str:
        """The next id."""
        self.offset += 1
        return f"e-1.3.{self.offset}"

    def first(self) -> None:
        """The first frame of a stream."""
        self.lines("retry: 1500", f"id: {self.place()}")

    def heartbeat(self) -> None:
        """A heartbeat."""
        self.lines(f"id: {self.place()}")

    def event(self, event: str, data: dict[str, Any], *, has_id: bool = True) -> None:
        """One event on one `data:` line."""
        named = [f"id: {self.place()}"] if has_id else []
        self.lines(*named, f"event: {event}", "data: " + json.dumps(data, ensure_ascii=False, separators=(",", ":")))

    def step(self, event: str, seq: int, attempt: int = 1, of: str = ONE, **data: Any) -> None:
        """One event of an answer."""
        self.event(event, {"messageId": of, "attempt": attempt, "seq": seq, **data})

    def begin(self, attempt: int = 1, message: str = ONE) -> None:
        """`started` and `sources`."""
        self.step("started", 0, attempt, message, model="m-1", tier="free")
        self.step("sources", 1, attempt, message, sources=SOURCES)

    def words(self, first_seq: int, *texts: str, attempt: int = 1, message: str = ONE) -> None:
        """One delta per text."""
        for seq, text in enumerate(texts, first_seq):
            self.step("delta", seq, attempt, message, text=text)

    def snapshot(
        self, state: str, seq: int, text: str, attempt: int = 1, message: str = ONE, *, has_id: bool = True
    ) -> None:
        """A snapshot, which replaces the answer so far."""
        data = {"messageId": message, "attempt": attempt, "seq": seq, "text": text, "sources": SOURCES, "state": state}
        self.event("snapshot", data, has_id=has_id)
