"""SSE frames as bytes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconnect.client.sse_parser import SseParser
from gateway.web import sse


@given(st.text(st.characters(codec="utf-8")), st.integers(1, 7))
def test_any_data_arrives_unchanged(text, cut):
    body = sse.event("delta", json.dumps({"text": text}, ensure_ascii=False).encode(), "e.0.1")
    parser = SseParser()
    found = [made for start in range(0, len(body), cut) for made in parser.feed(body[start : start + cut])]

    [made] = found
    assert (made.event, made.id, json.loads(made.data)) == ("delta", "e.0.1", {"text": text})


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n", b"\r"])
def test_line_ends_in_data_do_not_end_the_event(line_end):
    body = sse.event("delta", b'{"text":' + line_end + b'"x"}')

    assert body == b'event: delta\ndata: {"text":\ndata: "x"}\n\n'


def test_the_first_frame_and_heartbeats_move_the_cursor_and_fire_no_event():
    parser = SseParser()

    assert list(parser.feed(sse.first(700, "e.0.4"))) == []
    assert (parser.retry_ms, parser.last_id) == (700, "e.0.4")
    assert list(parser.feed(sse.heartbeat("e.0.9"))) == []
    assert parser.last_id == "e.0.9"


def test_bodies_are_joined_up_to_the_limit_and_never_split():
    events = [sse.event("delta", b"x" * size) for size in (10, 20_000, 20_000, 50_000, 5)]
    bodies = list(sse.joined(events))

    assert b"".join(bodies) == b"".join(events)
    assert all(body.endswith(b"\n\n") for body in bodies)
    assert [len(body) > sse.MAX_SEND_BYTES for body in bodies] == [False, False, True, False]
