import asyncio
import socket

from gateway.server import listen


async def test_a_reply_never_waits_for_an_acknowledgement():
    """With Nagle's algorithm the second write of a reply waits up to 40 ms."""
    accepted = asyncio.get_running_loop().create_future()

    async def note(_, writer):
        accepted.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with listen("127.0.0.1", 0) as listener:
        async with await asyncio.start_server(note, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            async with asyncio.timeout(5):
                assert await accepted
            writer.close()
