import pytest

from chatconnect.client.answer import Answer, GapError
from chatconnect.client.sse_parser import MAX_FRAME_CHARACTERS, SseEvent, SseParser, WireError

STREAM = (
    "\ufeffretry: 1500\r\nid: e.0.1\r\n\r\n"
    ": heartbeat\n\n"
    'event: delta\nid: e.0.2\ndata: {"text":"Grüße 👋🏽 👩‍👩‍👧"}\n\n'
    'event: delta\rid: e.0.3\rdata: {"text":"日本語 です"}\r\r'
    "data: one\r\ndata:two\r\nunknown: x\r\ndata\r\n\r\n"
    "id: bad\0id\nretry: soon\ndata: last\n\n"
).encode()
FRAMES = [
    SseEvent("delta", '{"text":"Grüße 👋🏽 👩‍👩‍👧"}', "e.0.2"),
    SseEvent("delta", '{"text":"日本語 です"}', "e.0.3"),
    SseEvent("message", "one\ntwo\n", "e.0.3"),
    SseEvent("message", "last", "e.0.3"),
]


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_the_frames_are_the_same_wherever_the_bytes_are_split(cut: int) -> None:
    parser = SseParser()

    frames = [*parser.feed(STREAM[:cut]), *parser.feed(STREAM[cut:])]

    assert frames == FRAMES
    assert (parser.last_id, parser.retry_ms) == ("e.0.3", 1500)


def test_a_byte_at_a_time_is_enough() -> None:
    parser = SseParser()

    frames = [frame for byte in STREAM for frame in parser.feed(bytes([byte]))]

    assert frames == FRAMES


def test_an_unfinished_frame_is_not_given_out_and_does_not_move_the_cursor() -> None:
    parser = SseParser()

    frames = list(parser.feed(b"id: e.0.1\ndata: a\n\nid: e.0.2\ndata: half"))

    assert [SseEvent("message", "a", "e.0.1")] == frames
    assert parser.last_id == "e.0.1"


def test_an_id_without_data_moves_the_cursor() -> None:
    parser = SseParser()

    assert list(parser.feed(b"retry: 10\nid: e.0.7\n\n")) == []
    assert (parser.last_id, parser.retry_ms) == ("e.0.7", 10)


def test_a_frame_without_end_is_refused_before_it_fills_the_memory() -> None:
    parser = SseParser()

    with pytest.raises(WireError):
        list(parser.feed(b"data: " + b"x" * MAX_FRAME_CHARACTERS))


def test_bytes_that_are_not_utf8_become_replacement_characters() -> None:
    assert [SseEvent("message", "a\ufffdb", "")] == list(SseParser().feed(b"data: a\xffb\n\n"))


def event(seq: int, attempt: int = 1, **data: object) -> dict[str, object]:
    return {"messageId": "m", "attempt": attempt, "seq": seq, **data}


def answered(*events: tuple[str, dict[str, object]]) -> Answer:
    answer = Answer("m")
    for name, data in events:
        answer.apply(name, data)
    return answer


def test_events_delivered_twice_count_once() -> None:
    first, second = ("delta", event(1, text="a")), ("delta", event(2, text="b"))

    answer = answered(("started", event(0, model="x", tier="free")), first, second, first, second)

    assert (answer.text, answer.state, answer.model) == ("ab", "running", "x")


def test_another_message_of_the_session_changes_nothing() -> None:
    answer = answered(("started", event(0)), ("delta", event(1, text="a") | {"messageId": "other"}))

    assert answer.text == ""


def test_a_higher_attempt_restarts_the_text_and_a_lower_one_is_ignored() -> None:
    answer = answered(
        ("started", event(0)),
        ("sources", event(1, sources=[{"n": 1}])),
        ("delta", event(2, text="half an ans")),
        ("started", event(0, attempt=2)),
        ("delta", event(3, text="wer")),
        ("delta", event(1, attempt=2, text="whole")),
    )

    assert (answer.text, answer.sources) == ("whole", [])


def test_a_missing_event_is_noticed() -> None:
    answer = answered(("started", event(0)))

    with pytest.raises(GapError):
        answer.apply("delta", event(2, text="b"))
    assert (answer.text, answer.seq) == ("", 0)


def test_an_attempt_that_is_joined_in_the_middle_is_a_gap() -> None:
    answer = answered(("started", event(0)))

    with pytest.raises(GapError):
        answer.apply("delta", event(1, attempt=2, text="b"))


def test_a_snapshot_replaces_the_text_and_later_deltas_go_on_from_it() -> None:
    answer = answered(
        ("started", event(0)),
        ("delta", event(1, text="lost")),
        ("snapshot", event(5, text="abc", sources=[{"n": 1}], state="running")),
        ("delta", event(5, text="c")),
        ("delta", event(6, text="d")),
    )

    assert (answer.text, answer.sources) == ("abcd", [{"n": 1}])


def test_a_snapshot_older_than_the_text_is_not_taken() -> None:
    answer = answered(
        ("started", event(0)),
        ("delta", event(1, text="ab")),
        ("snapshot", event(0, text="", sources=[], state="running")),
    )

    assert answer.text == "ab"


def test_a_snapshot_that_ended_ends_the_answer_whatever_was_seen() -> None:
    answer = answered(("started", event(0)), ("snapshot", event(0, text="all", sources=[], state="completed")))

    assert answer.is_ended
    assert answer.text == "all"


@pytest.mark.parametrize("ending", ["completed", "failed", "cancelled"])
def test_nothing_changes_after_the_end(ending: str) -> None:
    answer = answered(("started", event(0)), (ending, event(1)), ("delta", event(2, text="late")))

    assert (ending, "") == (answer.state, answer.text)


def test_a_failure_is_accepted_even_after_a_gap() -> None:
    answer = answered(("failed", event(9, message="Sorry.", code="x", retryable=False)))

    assert (answer.state, answer.failure) == ("failed", "Sorry.")
