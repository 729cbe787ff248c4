"""`chatconnect ask` and the benches' visitor against every recording, cut at every byte."""

from contextlib import asynccontextmanager

import httpx
import pytest

from chatconnect.client.answer_stream import AnswerStream, Question
from chatconnect.client.api import GatewayAccess
from chatconnect.client.sse_parser import SseParser
from schemas.events import ENDINGS
from tests.contract.recorded import ALL, OF_SESSIONS, Recorded
from tests.support.visitor import Visitor

EVENT_STREAM = {"content-type": "text/event-stream; charset=utf-8"}


@pytest.mark.parametrize("recording", ALL, ids=lambda each: each.name)
def test_the_parser_gives_the_same_frames_wherever_the_bytes_are_cut(recording: Recorded) -> None:
    whole = list(SseParser().feed(recording.body))

    assert len(whole) == recording.expected["events"]
    assert whole[-1].id == recording.expected["lastIdWithData"]
    for chunks in recording.cuts():
        parser = SseParser()
        assert [frame for chunk in chunks for frame in parser.feed(chunk)] == whole
        assert (parser.last_id, parser.retry_ms) == (recording.expected["lastId"], recording.expected["retryMs"])


def test_an_event_that_ends_with_cr_is_given_out_before_anything_follows() -> None:
    parser = SseParser()

    assert [frame.data for frame in parser.feed(b"data: a\r\r")] == ["a"]
    assert [frame.data for frame in parser.feed(b"\ndata: b\n\n")] == ["b"]


@pytest.mark.parametrize("recording", OF_SESSIONS, ids=lambda each: each.name)
def test_chatconnect_ask_assembles_every_answer(recording: Recorded) -> None:
    for message_id, expected in recording.expected["messages"].items():
        for chunks in recording.cuts():
            assert asked(chunks, message_id) == expected


def asked(chunks: list[bytes], message_id: str) -> dict:
    """One connection of the real client, on a transport that delivers these chunks."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=EVENT_STREAM, content=iter(chunks)))
    with httpx.Client(transport=transport, base_url="http://127.0.0.1") as http:
        stream = AnswerStream(http, GatewayAccess("http://127.0.0.1", "pk_1"), Question("?", "s", message_id))
        for _ in stream._connection():
            pass
    answer = stream.answer
    sources = [source["n"] for source in answer.sources]
    return {"text": answer.text, "state": answer.state, "attempt": answer.attempt, "sources": sources}


@pytest.mark.parametrize("recording", OF_SESSIONS, ids=lambda each: each.name)
async def test_the_visitor_of_the_benches_receives_the_same_and_finds_no_problem(recording: Recorded) -> None:
    for chunks in recording.cuts():
        visitor = Visitor(ChunkedHttp(chunks), ["http://127.0.0.1"], "sk_1", "s")
        await visitor.read_stream()
        assert visitor.last_id == recording.expected["lastId"]
        assert visitor.received.keys() == recording.expected["messages"].keys()
        for message_id, expected in recording.expected["messages"].items():
            told = visitor.received[message_id]
            assert (told.text, told.attempt, told.problems) == (expected["text"], expected["attempt"], [])
            assert told.endings == ([expected["state"]] if expected["state"] in ENDINGS else [])


class ChunkedHttp:
    """The part of an HTTP session that the visitor uses: one response in these chunks."""

    def __init__(self, chunks):
        self._chunks = chunks
        self.content = self

    @asynccontextmanager
    async def get(self, url, *, headers, timeout):
        yield self

    def raise_for_status(self):
        """The status is 200."""

    async def iter_any(self):
        for chunk in self._chunks:
            yield chunk
