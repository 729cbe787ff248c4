"""Private parts of libraries that we use: an upgrade that removes one fails here, not in production."""

import inspect

import pytest
from aiokafka import AIOKafkaConsumer, conn
from aiokafka.consumer import fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from fsspec.implementations.local import LocalFileSystem
from limits.aio.storage import RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import asyncpg as dialects
from sqlalchemy.sql.compiler import SQLCompiler
from uvicorn import Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from schemas.tables import ClientRow
from streams.kafka.batches import PartitionRecords
from streams.kafka.closed_connections import Connection
from streams.kafka.internals import background_components, client_of


async def test_aiokafka_has_the_private_parts_that_we_use():
    consumer = AIOKafkaConsumer(bootstrap_servers="127.0.0.1:1")
    try:
        assert hasattr(consumer, "_coordinator"), "streams/kafka/internals.py reads the member id from it"
        assert list(background_components(consumer)) == [client_of(consumer)], "there is no fetcher before the start"
        assert "self.member_id" in inspect.getsource(GroupCoordinator)
    finally:
        await consumer.stop()


def test_aiokafka_reads_batches_by_the_class_that_we_replace():
    theirs = (
        fetcher.PartitionRecords if fetcher.PartitionRecords is not PartitionRecords else PartitionRecords.__mro__[1]
    )
    source = inspect.getsource(theirs)

    for name in ("_tp", "next_fetch_offset", "_records_iterator", "_unpack_records"):
        assert name in source, f"streams/kafka/batches.py uses {name}"
    assert "PartitionRecords(" in inspect.getsource(fetcher.Fetcher)


def test_aiokafka_makes_connections_of_the_class_that_we_replace():
    source = inspect.getsource(Connection.__mro__[1].send)

    assert "self._writer.write(" in source, "streams/kafka/closed_connections.py sees its errors"
    assert "AIOKafkaConnection(" in inspect.getsource(conn.create_conn)


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (HttpToolsProtocol, ("_unset_keepalive_if_required", "_should_upgrade", "on_message_begin", "on_header",
                             "on_headers_complete", "on_message_complete", "self.cycle", "self.flow", "self.transport",
                             "self.parser", "self.headers", "self.url", "self.connections", "self.client")),
        (RequestResponseCycle, ("self.response_started", "self.response_complete", "self.more_body", "self.keep_alive",
                                "self.disconnected", "self.message_event", "self.transport")),
        (Server, ("handle_exit", "on_tick", "should_exit", "force_exit", "server_state")),
    ],
)  # fmt: skip
def test_uvicorn_has_what_our_protocol_and_server_override(owner, names):
    source = inspect.getsource(owner)

    assert [name for name in names if name not in source] == []


def test_sqlalchemy_compiles_a_statement_with_its_binds_in_order():
    compiled = select(ClientRow.client_id).where(ClientRow.client_id == "x").compile(dialect=dialects.dialect())

    assert isinstance(compiled, SQLCompiler)
    assert [compiled.binds[name].value for name in compiled.positiontup] == ["x"]


def test_limits_lets_us_replace_its_redis_client():
    assert callable(RedisStorage.configure_bridge)
    assert "connection_getter" in inspect.getsource(RedispyBridge)


def test_fsspec_strips_the_protocol_of_a_uri():
    assert LocalFileSystem._strip_protocol("file:///a/b") == "/a/b"
