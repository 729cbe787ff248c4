"""A batch that aiokafka cannot read is skipped; the batches before and after it are read."""

import struct

import pytest
from aiokafka.consumer.fetcher import PartitionRecords as Plain
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition

from streams.kafka.batches import PartitionRecords

CRC_AT, COVERED_FROM = 17, 21


def batch(base_offset, *header_names):
    """A batch as another producer may write it: `ZZZZ` becomes four bytes that are not UTF-8."""
    builder = _DefaultRecordBatchBuilderPy(
        magic=2, compression_type=0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=100_000,
    )  # fmt: skip
    for number, name in enumerate(header_names):
        builder.append(number, timestamp=1_000, key=b"k", value=b"v", headers=[(name, b"x")])
    data = bytearray(builder.build()).replace(b"ZZZZ", b"\xff\xfe\xff\xfe")
    struct.pack_into(">q", data, 0, base_offset)
    struct.pack_into(">I", data, CRC_AT, calc_crc32c(bytes(data[COVERED_FROM:])))
    return bytes(data)


def records(kind, *batches):
    return kind(TopicPartition("t", 0), MemoryRecords(b"".join(batches)), None, 0, None, None, True, 0)


def test_what_is_before_and_behind_an_unreadable_batch_is_read():
    found = records(PartitionRecords, batch(0, "a", "a"), batch(2, "ZZZZ"), batch(3, "a"))

    assert [record.offset for record in found] == [0, 1, 3]
    assert found.next_fetch_offset == 4


def test_an_unreadable_batch_at_the_end_is_not_fetched_again():
    found = records(PartitionRecords, batch(0, "a"), batch(1, "a", "ZZZZ"))

    assert [record.offset for record in found] == [0, 1]
    assert found.next_fetch_offset == 3


def test_aiokafka_alone_cannot_read_it():
    with pytest.raises(UnicodeDecodeError):
        list(records(Plain, batch(0, "ZZZZ")))
