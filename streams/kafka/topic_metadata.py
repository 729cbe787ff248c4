"""The brokers' metadata of topics: ids (KIP-516), which change when a topic is recreated, and partitions.

aiokafka sends an older version of the request, which has no ids.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import IncompatibleBrokerVersion, KafkaConnectionError, NoError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

NO_ID = UUID(int=0)
_LOW_BITS = 64


@dataclass(frozen=True, slots=True)
class TopicState:
    """`topic_id` is `NO_ID` when the broker is older than topic ids."""

    topic_id: UUID
    partitions: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """Its id, and the requested topics that exist, by name."""

    cluster_id: str
    topics: dict[str, TopicState]


class _MetadataResponseV12(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString()),
                ("port", Int32),
                ("rack", CompactString()),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", CompactString()),
                ("topic_id_high", Int64),
                ("topic_id_low", Int64),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataRequestV12(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = _MetadataResponseV12
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic_id_high", Int64), ("topic_id_low", Int64), ("topic", CompactString()), ("tags", TaggedFields)
            ),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequestV12]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = list(topics)

    def build(self, request_struct_class: type[_MetadataRequestV12]) -> _MetadataRequestV12:
        creates = includes_operations = False
        return request_struct_class([(0, 0, name, {}) for name in self._topics], creates, includes_operations, {})


async def describe(client: AIOKafkaClient, topics: Iterable[str]) -> Cluster:
    """The state of these topics; missing ones are left out, and not created. Raises `KafkaError`."""
    node = client.get_random_node()
    if node is None:
        raise KafkaConnectionError("no broker is known")
    try:
        answer = await client.send(node, _MetadataRequest(topics))
    except (NotImplementedError, IncompatibleBrokerVersion):
        return await _describe_without_ids(client, set(topics))
    found = {}
    for error_code, name, high, low, _, partitions, *_ in answer.topics:
        if error_code == NoError.errno:
            topic_id = UUID(int=((high << _LOW_BITS) | (low & (1 << _LOW_BITS) - 1)) & (1 << 2 * _LOW_BITS) - 1)
            found[name] = TopicState(topic_id, len(partitions))
    return Cluster(answer.cluster_id or "", found)


async def _describe_without_ids(client: AIOKafkaClient, topics: set[str]) -> Cluster:
    known = await client.fetch_all_metadata()
    found = {name: TopicState(NO_ID, len(known.partitions_for_topic(name))) for name in topics & known.topics()}
    return Cluster("", found)
