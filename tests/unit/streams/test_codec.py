from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import AnswerDelta, ChatRequested, DocumentDeleted
from streams.codec import UndecodableError, decode, encode, header
from streams.kafka.partitioner import choose_partition, partition_for
from streams.topics import CHAT_REQUESTED, CHAT_TOKEN, DOCUMENT_UPLOADED, TOPIC_BY_EVENT, TOPICS

MESSAGE = UUID("0192f0c0-0000-7000-8000-000000000001")


@dataclass
class Bytes:
    value: bytes | None
    headers: list = field(default_factory=list)
    key: bytes | None = b"s"
    topic: str = "t"
    partition: int = 0
    offset: int = 0
    timestamp: int = 0


def asked(text="Hello"):
    return ChatRequested(
        client_id="c", message_id=MESSAGE, session_id="s", text=text, requested_at=datetime(2026, 1, 1, tzinfo=UTC)
    )


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_an_event_survives_encoding_and_decoding(text):
    record = encode(asked(text))

    assert decode(CHAT_REQUESTED, Bytes(record.value, record.headers)) == asked(text)


def test_an_answer_event_has_its_position_in_a_header_and_no_envelope_in_its_value():
    record = encode(AnswerDelta(client_id="c", session_id="s", message_id=MESSAGE, attempt=2, seq=7, text="x"))

    assert header(Bytes(None, record.headers), "answer") == f"{MESSAGE}/2/7".encode()
    assert (record.key, header(Bytes(None, record.headers), "client-id")) == (b"s", b"c")
    assert b"sessionId" not in record.value
    assert b"clientId" not in record.value
    assert b"\n" not in record.value


def test_a_null_value_deletes():
    record = encode(DocumentDeleted(client_id="c", document_id="d"))

    assert record.value is None
    assert decode(DOCUMENT_UPLOADED, Bytes(None, record.headers, b"d")) == DocumentDeleted(
        client_id="c", document_id="d"
    )


def test_a_foreign_producer_needs_no_event_type():
    assert decode(CHAT_REQUESTED, Bytes(encode(asked()).value)) == asked()


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"", []),
        (b"{", []),
        (b"\xff\xfe", []),
        (b"[]", []),
        (b"{}", []),
        (None, []),
        (encode(asked()).value, [("event-type", b"NoSuchEvent")]),
        (encode(asked()).value, [("event-type", b"\xff")]),
        (encode(asked()).value, [("event-type", b"AnswerDelta")]),
        (b'{"clientId":"c","messageId":"x","sessionId":"s","text":"t","requestedAt":"2026-01-01T00:00:00"}', []),
    ],
)
def test_a_record_that_is_no_event_of_the_topic_is_undecodable_with_a_reason(value, headers):
    with pytest.raises(UndecodableError) as caught:
        decode(CHAT_REQUESTED, Bytes(value, headers))

    assert str(caught.value)


def test_every_event_has_one_topic():
    assert sum(len(topic.events) for topic in TOPICS) + 1 == len(TOPIC_BY_EVENT)
    assert TOPIC_BY_EVENT[AnswerDelta] is CHAT_TOKEN


@given(st.binary(min_size=1, max_size=200), st.integers(1, 100))
def test_keys_go_to_the_partition_that_other_clients_choose(key, partitions):
    everywhere = list(range(partitions))

    assert partition_for(key, partitions) == DefaultPartitioner()(key, everywhere, everywhere)
    assert choose_partition(key, everywhere, []) == partition_for(key, partitions)


def test_a_record_without_a_key_goes_to_a_partition_with_a_leader():
    assert {choose_partition(None, [0, 1, 2], [1, 2]) for _ in range(100)} == {1, 2}
    assert choose_partition(None, [0], []) == 0
