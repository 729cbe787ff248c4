"""How to connect to Kafka: the TLS and SASL settings as FastStream and aiokafka take them."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from schemas.settings import Settings
from streams.kafka.batches import pass_over_unreadable_batches
from streams.kafka.closed_connections import see_closed_connections

# What aiokafka raises.
KAFKA_ERRORS = (KafkaError,)
BROKERS_REQUEST_MS = 3_000

_SASL = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}


def security(settings: Settings) -> BaseSecurity:
    """FastStream's description of the security settings; it also ends up in the AsyncAPI document."""
    protocol = settings.kafka_security_protocol
    context = ssl.create_default_context(cafile=settings.kafka_ssl_cafile) if protocol.endswith("SSL") else None
    if protocol.startswith("SASL"):
        return _SASL[settings.kafka_sasl_mechanism](
            username=settings.kafka_sasl_username,
            password=settings.kafka_sasl_password,
            use_ssl=context is not None,
            ssl_context=context,
        )
    return BaseSecurity(use_ssl=context is not None, ssl_context=context)


def patch_aiokafka() -> None:
    """What aiokafka offers no hook for, for every client of this process. Idempotent."""
    pass_over_unreadable_batches()
    see_closed_connections()


def connection(settings: Settings) -> dict[str, Any]:
    """Keyword arguments for any aiokafka client."""
    patch_aiokafka()
    return {"bootstrap_servers": settings.kafka_bootstrap_servers, **parse_security(security(settings))}


@asynccontextmanager
async def open_admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client, closed afterwards, even if it did not start."""
    admin = AIOKafkaAdminClient(**connection(settings))
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


async def has_brokers(bootstrap_servers: str) -> bool:
    """Whether a metadata request lists a broker. For a Kafka without TLS and passwords."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap_servers, request_timeout_ms=BROKERS_REQUEST_MS)
    try:
        await client.bootstrap()
        return bool(client.cluster.brokers())
    except KafkaError:
        return False
    finally:
        await client.close()
