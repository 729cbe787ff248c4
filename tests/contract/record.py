"""Writes the recorded streams and their expected results: `uv run python -m tests.contract.record`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.contract import record_snapshots
from tests.contract.results import expected, result
from tests.contract.tape import COMPLETION, FAILURE, ONE, SOURCES, TWO, USAGE, Tape

FOLDER = Path(__file__).parent / "recordings"


def plain(tape: Tape) -> dict[str, Any]:
    """A whole answer with emoji, CJK and combining marks, accepted and queued before it, heartbeats between."""
    tape.first()
    tape.event("accepted", {"messageId": ONE, "sessionId": "s ✓", "ticket": "t.1"}, has_id=False)
    tape.event("queued", {"messageId": ONE, "position": 2, "expectedWaitSeconds": 1.5}, has_id=False)
    tape.begin()
    tape.words(2, "Grüße 👋🏽 ", "👩‍👩‍👧 日本語", "です。e\u0301 ")
    tape.heartbeat()
    tape.words(5, '\n\n[1] \u2028 “\\"”')
    tape.step("completed", 6, **COMPLETION)
    tape.heartbeat()
    text = 'Grüße 👋🏽 👩‍👩‍👧 日本語です。e\u0301 \n\n[1] \u2028 “\\"”'
    return expected({ONE: result(text)}, events=9, last_id=10, last_id_with_data=9)


def attempts(tape: Tape) -> dict[str, Any]:
    """Attempt 2 begins in mid-answer; a late delta of attempt 1 and repeated events change nothing."""
    tape.first()
    tape.begin()
    tape.words(2, "half an ", "ans")
    tape.begin(attempt=2)
    tape.words(4, "wer")
    tape.words(2, "the whole ", attempt=2)
    tape.words(2, "the whole ", "答え", attempt=2)
    for _ in range(2):
        tape.step("completed", 4, 2, **COMPLETION)
    return expected({ONE: result("the whole 答え", attempt=2)}, events=12, last_id=13)


def two_messages(tape: Tape) -> dict[str, Any]:
    """Two interleaved answers of one session, each after its question; one fails, the other is cancelled."""
    tape.first()
    tape.step("asked", 0, 0, question="Uma pergunta?", askedAt="2026-01-31T12:00:00Z")
    tape.begin()
    tape.step("asked", 0, 0, TWO, question="もう一つ？", askedAt="2026-01-31T12:00:01Z")
    tape.begin(message=TWO)
    tape.words(2, "eins ", "één ")
    tape.words(2, "二", message=TWO)
    tape.words(4, "👍")
    tape.step("failed", 3, 1, TWO, **FAILURE)
    tape.step("asked", 0, 0, question="Uma pergunta?", askedAt="2026-01-31T12:00:00Z")
    tape.step("cancelled", 5, usage=USAGE)
    return expected({ONE: result("eins één 👍", "cancelled"), TWO: result("二", "failed")}, events=13, last_id=14)


def lenient(tape: Tape) -> dict[str, Any]:
    """What the standard allows: comments, multi-line data, no space, unknown fields, invalid ids and retry values."""
    tape.lines(": a comment", ":")
    tape.lines("retry: soon", "retry: 1500", f"id:{tape.place()}", "unknown: x", "unknown")
    tape.begin()
    tape.lines(
        f"id: {tape.place()}", "id: void\0id", "event:delta", f'data:{{"messageId":"{ONE}",', ": between",
        'data: "attempt":1,', "data", 'data:"seq":2,"later":true,', "data:", 'data:  "text":"två 👩‍🚀"}',
    )  # fmt: skip
    tape.lines("event: nothing comes of it")
    tape.lines("retry: 15.5", "retry: -1", "retry:")
    tape.step("completed", 3, **COMPLETION)
    return expected({ONE: result("två 👩‍🚀")}, events=4, last_id=5)


def line_ends(end: str) -> Callable[[Tape], dict[str, Any]]:
    """A short answer with these line ends."""

    def recorded(tape: Tape) -> dict[str, Any]:
        tape.end = end
        tape.lines(": ")
        tape.first()
        tape.begin()
        tape.words(2, "Ø 日 ")
        tape.lines(
            f"id: {tape.place()}",
            "event: delta",
            f'data: {{"messageId":"{ONE}","attempt":1,"seq":3,',
            'data: "text":"👋"}',
        )
        tape.step("completed", 4, **COMPLETION)
        tape.heartbeat()
        return expected({ONE: result("Ø 日 👋")}, events=5, last_id=7, last_id_with_data=6)

    return recorded


def mixed_ends(tape: Tape) -> dict[str, Any]:
    """The line end changes from frame to frame."""
    ends = iter(["\r\n", "\r", "\n", "\r", "\r\n", "\n", "\r\n"])

    def turn(write: Callable[..., None], *arguments: Any, **data: Any) -> None:
        tape.end = next(ends)
        write(*arguments, **data)

    turn(tape.first)
    turn(tape.step, "started", 0, model="m-1", tier="paid")
    turn(tape.step, "sources", 1, sources=SOURCES)
    turn(tape.words, 2, "ä", "ö")
    turn(tape.heartbeat)
    turn(tape.words, 4, "한국어")
    turn(tape.step, "completed", 5, **COMPLETION)
    return expected({ONE: result("äö한국어")}, events=6, last_id=8)


def byte_order_mark(tape: Tape) -> dict[str, Any]:
    """A BOM before the first field, and one inside the text, which stays."""
    tape.body = "\ufeff"
    tape.first()
    tape.begin()
    tape.words(2, "a\ufeffb")
    tape.step("completed", 3, **COMPLETION)
    return expected({ONE: result("a\ufeffb")}, events=4, last_id=5)


def truncated(tape: Tape) -> dict[str, Any]:
    """The connection breaks inside an event, after its id: the event must be requested again."""
    tape.first()
    tape.begin()
    tape.words(2, "so far ", "🚀")
    kept = len(tape.body)
    tape.words(4, "lost 🚀")
    tape.body = tape.body[: tape.body.index("🚀", kept)]
    return expected({ONE: result("so far 🚀", "running")}, events=4, last_id=5)


def documents(tape: Tape) -> dict[str, Any]:
    """The stream of a document: no messages."""
    tape.first()
    common = {"id": "doc_1", "currentStep": "Reading 頁", "version": 1}
    reading = {**common, "stage": "parsing", "progress": 10}
    tape.event("progress", {**reading, "status": "parsing"})
    tape.event("progress", {**common, "status": "ready", "stage": "indexing", "progress": 100, "chunks": 7})
    tape.event("progress", {**reading, "status": "failed", "reason": "No text.", "retryable": False})
    return expected({}, events=3, last_id=4)


RECORDINGS: dict[str, Callable[[Tape], dict[str, Any]]] = {
    "plain": plain,
    "attempts": attempts,
    "snapshot-running": record_snapshots.snapshot_running,
    "snapshot-late": record_snapshots.snapshot_late,
    "snapshot-newer-attempt": record_snapshots.snapshot_newer_attempt,
    "snapshot-after-end": record_snapshots.snapshot_after_end,
    "snapshots-ended": record_snapshots.snapshots_ended,
    "two-messages": two_messages,
    "lenient": lenient,
    "crlf": line_ends("\r\n"),
    "cr": line_ends("\r"),
    "mixed-ends": mixed_ends,
    "byte-order-mark": byte_order_mark,
    "truncated": truncated,
    "documents": documents,
}


def files() -> Iterator[tuple[str, bytes]]:
    """(name, content) of each file in the folder."""
    for name, record in RECORDINGS.items():
        tape = Tape()
        facts = record(tape)
        # A cut may leave half of a character.
        half = "🚀".encode()[:2] if name == "truncated" else b""
        yield f"{name}.sse", tape.body.encode() + half
        yield f"{name}.json", (json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode()


if __name__ == "__main__":
    for name, content in files():
        (FOLDER / name).write_bytes(content)
