"""The askers of undecodable records are still identified where possible, and no record stops a consumer."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import ChatCompleted, ChatRequested, DocumentUploaded, Event
from streams import topics
from streams.codec import UndecodableError, decode
from streams.dead_letters.salvage import UNREADABLE, salvage
from streams.topics import TOPICS

NOW = datetime.now(UTC).isoformat()
MESSAGE = str(uuid4())
QUESTION = {"messageId": MESSAGE, "sessionId": "s", "clientId": "c", "text": "Why?", "requestedAt": NOW}


@dataclass
class Bytes:
    value: bytes | None
    key: bytes | None = b"s"
    headers: list = field(default_factory=lambda: [("client-id", b"c")])
    topic: str = "t"
    partition: int = 0
    offset: int = 0
    timestamp: int = 0


def question(**changes):
    return Bytes(json.dumps({name: value for name, value in (QUESTION | changes).items() if value is not ...}).encode())


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"requestedAt": "2026-11-26T10:00:00"}, id="a time without a zone"),
        pytest.param({"requestedAt": ...}, id="no time"),
        pytest.param({"requestedAt": "0001-01-01T00:00:00Z"}, id="year 1"),
        pytest.param({"requestedAt": "9999-12-31T23:59:59Z"}, id="year 9999"),
        pytest.param({"requestedAt": 0}, id="1970"),
        pytest.param({"requestedAt": 1e18}, id="a number"),
        pytest.param({"requestedAt": (datetime.now(UTC) + timedelta(days=2)).isoformat()}, id="the day after tomorrow"),
        pytest.param({"text": "x" * 8_001}, id="too long"),
        pytest.param({"text": ""}, id="empty"),
        pytest.param({"text": 5}, id="no text"),
    ],
)
def test_a_question_with_readable_ids_is_salvaged(changes):
    record = question(**changes)
    with pytest.raises(UndecodableError) as refused:
        decode(topics.CHAT_REQUESTED, record)

    salvaged = salvage(topics.CHAT_REQUESTED, record)
    assert isinstance(salvaged, ChatRequested)
    assert (salvaged.client_id, salvaged.session_id, str(salvaged.message_id)) == ("c", "s", MESSAGE)
    assert (
        salvaged.text
        == (changes.get("text", "Why?") if isinstance(changes.get("text", "Why?"), str) else UNREADABLE)[:8_000]
        or salvaged.text == UNREADABLE
    )
    assert refused.value.code == "invalid_request"


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(question(clientId="another"), id="another client than the header's"),
        pytest.param(question(sessionId="another"), id="another session than the key"),
        pytest.param(question(messageId="x"), id="no message"),
        pytest.param(Bytes(b"garbage"), id="no JSON"),
        pytest.param(Bytes(json.dumps(QUESTION | {"text": 5}).encode(), key=None), id="no key"),
        pytest.param(Bytes(json.dumps(QUESTION | {"text": 5}).encode(), headers=[]), id="no client in the headers"),
        pytest.param(Bytes(b"[" * 100_000), id="too deep"),
    ],
)
def test_a_record_with_contradictory_ids_is_not_salvaged(record):
    assert salvage(topics.CHAT_REQUESTED, record) is None


@pytest.mark.parametrize(
    "value", [b"garbage", b"{}", b'{"uri": 5, "version": "x"}', b'{"documentId": "s", "version": 3}']
)
def test_a_document_is_salvaged_by_key_and_header(value):
    salvaged = salvage(topics.DOCUMENT_UPLOADED, Bytes(value))

    assert isinstance(salvaged, DocumentUploaded)
    assert (salvaged.client_id, salvaged.document_id, salvaged.version) == ("c", "s", 3 if b"3" in value else 1)


@pytest.mark.parametrize("headers", [[("client-id", b"another")], [("client-id", b"\xff")]])
def test_a_header_with_another_client_than_the_value_is_undecodable(headers):
    with pytest.raises(UndecodableError):
        decode(topics.CHAT_REQUESTED, Bytes(json.dumps(QUESTION).encode(), headers=headers))


@pytest.mark.parametrize("key", [b"another", b"\xff"])
def test_a_key_that_differs_from_the_values_session_is_undecodable(key):
    with pytest.raises(UndecodableError):
        decode(topics.CHAT_REQUESTED, Bytes(json.dumps(QUESTION).encode(), key=key))


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just(10**400)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=5,
)
fields = sorted(
    {shape.alias for event in (ChatRequested, ChatCompleted, DocumentUploaded) for shape in event.model_fields.values()}
)
objects = st.dictionaries(st.sampled_from(fields), anything, max_size=8).map(lambda found: json.dumps(found).encode())


@given(
    st.sampled_from(TOPICS),
    st.one_of(
        st.none(),
        st.binary(max_size=50),
        objects,
        objects.map(lambda value: json.dumps(QUESTION).encode()[:-1] + b"," + value[1:]),
    ),
    st.one_of(st.none(), st.binary(max_size=8), st.just(b"s")),
    st.lists(
        st.tuples(
            st.sampled_from(["client-id", "event-type", "answer", "x"]), st.one_of(st.binary(max_size=8), st.just(b"c"))
        ),
        max_size=4,
    ),
)
def test_any_record_is_an_event_or_undecodable(topic, value, key, headers):
    record = Bytes(value, key, headers)
    try:
        event = decode(topic, record)
    except UndecodableError:
        salvage(topic, record)
    else:
        assert isinstance(event, Event)
