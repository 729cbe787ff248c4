"""The expected result of a recorded stream, written by hand: none of our parsers computes it."""

from typing import Any


def result(text: str, state: str = "completed", attempt: int = 1) -> dict[str, Any]:
    """The expected result for one message at the end of the stream."""
    return {"text": text, "state": state, "attempt": attempt, "sources": [1, 2]}


def expected(
    messages: dict[str, Any], *, events: int, last_id: int, last_id_with_data: int | None = None
) -> dict[str, Any]:
    """`lastIdWithData` is for parsers that see an id only in events with data, such as eventsource-parser."""
    return {
        "events": events,
        "lastId": f"e-1.3.{last_id}",
        "lastIdWithData": f"e-1.3.{last_id_with_data or last_id}",
        "retryMs": 1500,
        "messages": messages,
    }
