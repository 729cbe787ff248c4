"""A connection that closes under aiokafka is broken for it, whichever event loop says so."""

import asyncio

import pytest
import uvloop
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from streams.kafka.closed_connections import Connection


async def _send_over_a_closed_transport():
    async def hang_up(_, writer):
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    connection = Connection("127.0.0.1", server.sockets[0].getsockname()[1])
    reader, connection._writer = await asyncio.open_connection("127.0.0.1", connection.port)
    await reader.read()
    connection._versions = {MetadataRequest.API_KEY: (0, 1)}
    connection._writer.transport.abort()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    try:
        with pytest.raises(KafkaConnectionError):
            await connection.send(MetadataRequest([]))
        assert not connection.connected()
    finally:
        server.close()
        await server.wait_closed()


def test_a_transport_of_uvloop_that_has_closed_is_a_broken_connection():
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_send_over_a_closed_transport())
