"""FastStream declares what is read and written (for AsyncAPI) and builds the consumers."""

import operator
from functools import reduce

from aiokafka import ConsumerRecord
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import LogicSubscriber
from faststream.specification import AsyncAPI

from schemas.settings import Settings
from streams.consuming.consumer import Consumer
from streams.consuming.subscription import Subscription
from streams.kafka.connection import patch_aiokafka, security
from streams.topics import TOPICS, Topic

FETCH_WAIT_MS = 250
# A recreated topic or new partitions are noticed within this time, not after five minutes.
METADATA_MAX_AGE_MS = 5_000


def create_broker(settings: Settings) -> KafkaBroker:
    """A broker that only consumes; publishing is `streams/publisher.py`'s."""
    patch_aiokafka()
    broker = KafkaBroker(
        settings.kafka_bootstrap_servers,
        security=security(settings),
        consumer_only=True,
        allow_auto_create_topics=False,
        logger=None,
        metadata_max_age_ms=METADATA_MAX_AGE_MS,
        description="The log of ChatConnect.",
    )
    for topic in TOPICS:
        schema = reduce(operator.or_, topic.events)
        broker.publisher(topic.name, title=topic.name, schema=schema, description=f"Key: {topic.key}.")
    return broker


def create_app(broker: KafkaBroker, version: str) -> FastStream:
    """What `faststream docs gen` reads."""
    return FastStream(broker, specification=AsyncAPI(title="ChatConnect", version=version))


def declare(broker: KafkaBroker, topic: Topic, name: str, description: str) -> None:
    """Show a subscription in the AsyncAPI document without building its consumer."""
    broker.subscriber(
        topic.name,
        group_id=f"chatconnect.{name}.{topic.name}",
        ack_policy=AckPolicy.MANUAL,
        title=f"{topic.name} → {name}",
        description=description,
    )


def subscribe(
    broker: KafkaBroker, settings: Settings, subscription: Subscription, consumer: Consumer
) -> LogicSubscriber[ConsumerRecord]:
    """Declare one subscription. Nothing is ever acknowledged through FastStream: its `ack()` commits the read
    position of every partition, finished or not.
    """
    limits = subscription.limits
    return broker.subscriber(
        subscription.topic.name,
        group_id=subscription.group,
        group_instance_id=settings.instance_id,
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="earliest",
        listener=consumer.listener,
        session_timeout_ms=limits.session_timeout_ms,
        heartbeat_interval_ms=limits.heartbeat_ms,
        rebalance_timeout_ms=limits.rebalance_timeout_ms,
        max_poll_interval_ms=limits.max_poll_interval_ms,
        fetch_max_wait_ms=FETCH_WAIT_MS,
    )
